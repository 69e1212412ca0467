import CSQLite
import Formats

// A person's own SQL. It comes from outside: it can read and nothing else, ends in time, and has
// bounds on what it may take.

/// What a person's query may take.
package struct QueryLimits: Sendable {
  /// Seconds that SQLite may work; what is done with the rows does not count.
  package var seconds: Double
  /// Bytes of one row, and of a value on its way there.
  package var rowBytes: Int
  /// Bytes that SQLite may have beside what is open anyway.
  package var memoryBytes: Int

  package init(seconds: Double = 60, rowBytes: Int = 16 << 20, memoryBytes: Int = 64 << 20) {
    self.seconds = seconds
    self.rowBytes = rowBytes
    self.memoryBytes = memoryBytes
  }
}

extension Store {
  /// Runs one statement that can only read, on a connection of its own, and hands over row after row.
  ///
  /// - Parameters:
  ///   - overrun: is called on another thread just past the time when SQLite does not listen, which it does
  ///     between two steps and not within a function; should end the process.
  ///   - columns: is told the names of the columns before the first row.
  ///   - row: says whether there shall be another one.
  /// - Throws: `StoreError.refused` for anything else than reading; `.timeLimit`; `.tooLarge` for a row,
  ///   a value or a memory beyond its limit; `.sql` for a fault of the statement, with the name that was
  ///   probably meant.
  package func stream(
    _ sql: String, limits: QueryLimits = QueryLimits(),
    overrun: @escaping @Sendable () -> Void = {}, columns: ([String]) -> Void,
    row: ([SQLValue]) -> Bool
  ) throws(StoreError) {
    let connection = try Self.openToRead(databaseURL.path, vocabulary)
    let guardian = try Guardian(limits, overrun: overrun)
    connection.obey(guardian)
    defer {
      withExtendedLifetime(guardian) {}
      // In this order: the soft limit is never above the hard one.
      sqlite3_hard_heap_limit64(0)
      sqlite3_soft_heap_limit64(0)
    }
    do {
      try connection.check(isSingle: sql, guardian)
      try connection.each(sql, guardian, columns, row)
    } catch {
      if let what = guardian.refused { throw .refused(what: what, statement: sql) }
      if case .noMemory = error { throw .tooLarge("takes more memory", most: limits.memoryBytes) }
      if guardian.isPast { throw .timeLimit(seconds: limits.seconds) }
      guard case .sql(let statement, let reason) = error else { throw error }
      throw .sql(statement: statement, reason: reason + hint(reason, sql))
    }
  }

  /// The rows of a person's statement that `most` bytes have room for, and whether these are not all.
  package func queryReadOnly(
    _ sql: String, limits: QueryLimits = QueryLimits(), most: Int = 32 << 20,
    overrun: @escaping @Sendable () -> Void = {}
  ) throws(StoreError) -> (result: QueryResult, isCut: Bool) {
    var result = QueryResult(columns: [], rows: [])
    var bytes = 0
    var isCut = false
    try stream(
      sql, limits: limits, overrun: overrun, columns: { result.columns = $0 },
      row: { row in
        bytes += row.reduce(64) { $0 + 48 + $1.bytes }
        isCut = bytes > most
        if !isCut { result.rows.append(row) }
        return !isCut
      })
    return (result, isCut)
  }

  /// ` (did you mean …?)` for a table or column that is not there, or nothing.
  private func hint(_ reason: String, _ sql: String) -> String {
    let words = reason.split(separator: " ")
    guard words.count == 4, reason.hasPrefix("no such "),
      let name = words[3].split(separator: ".").last
    else { return "" }
    let relations = (try? relations()) ?? [:]
    let known =
      switch words[2] {
      case "table:": Array(relations.keys)
      case "column:":
        // Those of the relations that the statement names; it may name none of ours.
        relations.filter { sql.contains($0.key) }.flatMap(\.value)
      default: [String]()
      }
    return closestMatch(String(name), in: Set(known).sorted())
      .map { " (did you mean `\($0)`?)" } ?? ""
  }

  /// The columns of each table and view.
  package func relations() throws(StoreError) -> [String: [String]] {
    let found = try rows(
      """
      SELECT m.name, c.name AS "column" FROM sqlite_schema m JOIN pragma_table_info(m.name) c
      WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%' ORDER BY m.rowid, c.cid
      """)
    var result: [String: [String]] = [:]
    for row in found { result[try row.text("name"), default: []].append(try row.text("column")) }
    return result
  }
}

extension SQLValue {
  /// Bytes of a text or a blob.
  fileprivate var bytes: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .blob(let data): data.count
    case .null, .integer, .real: 0
    }
  }
}

/// What a person's query may do, and until when.
private final class Guardian {
  let limits: QueryLimits
  private let watchdog: Watchdog
  private var spent = Duration.zero
  private var start: ContinuousClock.Instant?
  /// The first thing that was not permitted.
  private(set) var refused: String?

  init(_ limits: QueryLimits, overrun: @escaping @Sendable () -> Void) throws(StoreError) {
    self.limits = limits
    watchdog = try Watchdog(overrun)
  }

  /// What SQLite does in `body` counts.
  func watch<Result>(_ body: () -> Result) -> Result {
    let start = ContinuousClock.now
    self.start = start
    watchdog.watch(until: start + .seconds(limits.seconds) - spent)
    let result = body()
    watchdog.rest()
    spent += ContinuousClock.now - start
    self.start = nil
    return result
  }

  var isPast: Bool {
    let running = start.map { ContinuousClock.now - $0 } ?? .zero
    return spent + running > .seconds(limits.seconds)
  }

  /// Pragmas that only tell something, whatever their argument.
  private static let telling: Set<String> = [
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
    "foreign_key_list", "foreign_key_check", "integrity_check", "quick_check",
  ]
  /// Pragmas that tell something when they are given nothing.
  private static let asking: Set<String> = [
    "user_version", "application_id", "schema_version", "journal_mode", "page_size", "page_count",
    "freelist_count", "encoding", "database_list", "compile_options", "function_list",
  ]

  func permits(_ action: Int32, _ first: String?, _ second: String?) -> Bool {
    switch action {
    case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return true
    case SQLITE_FUNCTION where second != "load_extension": return true
    // SQLite asks this when it looks at a table function; written to it is never, see `check`.
    case SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE:
      if first == "sqlite_master" || first == "sqlite_temp_master" { return true }
    case SQLITE_PRAGMA:
      let name = (first ?? "").lowercased()
      if Self.telling.contains(name) || Self.asking.contains(name) && second == nil { return true }
    default: break
    }
    refuse(
      (Self.names[action] ?? "this") + [first, second].compactMap { $0.map { " " + $0 } }.joined())
    return false
  }

  func refuse(_ what: String) {
    if refused == nil { refused = what }
  }

  /// As people write them.
  private static let names: [Int32: String] = [
    SQLITE_ATTACH: "ATTACH", SQLITE_DETACH: "DETACH", SQLITE_PRAGMA: "PRAGMA",
    SQLITE_INSERT: "INSERT", SQLITE_UPDATE: "UPDATE", SQLITE_DELETE: "DELETE",
    SQLITE_TRANSACTION: "a transaction:", SQLITE_SAVEPOINT: "SAVEPOINT",
    SQLITE_FUNCTION: "the function", SQLITE_ANALYZE: "ANALYZE", SQLITE_REINDEX: "REINDEX",
    SQLITE_ALTER_TABLE: "ALTER TABLE", SQLITE_CREATE_TABLE: "CREATE TABLE",
    SQLITE_CREATE_TEMP_TABLE: "CREATE TABLE", SQLITE_CREATE_VIEW: "CREATE VIEW",
    SQLITE_CREATE_TEMP_VIEW: "CREATE VIEW", SQLITE_CREATE_INDEX: "CREATE INDEX",
    SQLITE_CREATE_TRIGGER: "CREATE TRIGGER", SQLITE_CREATE_VTABLE: "CREATE VIRTUAL TABLE",
    SQLITE_DROP_TABLE: "DROP TABLE", SQLITE_DROP_VIEW: "DROP VIEW", SQLITE_DROP_INDEX: "DROP INDEX",
  ]
}

extension Connection {
  /// Puts this connection under a guardian, which has to outlive every statement.
  fileprivate func obey(_ guardian: Guardian) {
    let context = Unmanaged.passUnretained(guardian).toOpaque()
    sqlite3_set_authorizer(
      handle,
      { context, action, first, second, _, _ in
        guard let context else { return SQLITE_DENY }
        let guardian = Unmanaged<Guardian>.fromOpaque(context).takeUnretainedValue()
        return guardian.permits(
          action, first.map { String(cString: $0) }, second.map { String(cString: $0) })
          ? SQLITE_OK : SQLITE_DENY
      }, context)
    sqlite3_progress_handler(
      handle, 10_000,
      { context in
        guard let context else { return 1 }
        return Unmanaged<Guardian>.fromOpaque(context).takeUnretainedValue().isPast ? 1 : 0
      }, context)
    sqlite3_limit(
      handle, SQLITE_LIMIT_LENGTH, Int32(clamping: max(guardian.limits.rowBytes, 1 << 20)))
    sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 1 << 20)
    // Many values at once, or a large one on its way through many functions.
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + Int64(guardian.limits.memoryBytes))
  }

  /// Refuses what is no statement, or more than one.
  fileprivate func check(isSingle sql: String, _ guardian: Guardian) throws(StoreError) {
    var statement: OpaquePointer?
    var rest = ""
    var code = SQLITE_OK
    sql.withCString { text in
      var tail: UnsafePointer<CChar>?
      code = guardian.watch { sqlite3_prepare_v2(handle, text, -1, &statement, &tail) }
      rest = tail.map { String(cString: $0) } ?? ""
    }
    defer { sqlite3_finalize(statement) }
    if code != SQLITE_OK { throw failure(code, statement: sql) }
    if statement == nil { throw .refused(what: "nothing at all", statement: sql) }
    if sqlite3_stmt_readonly(statement) == 0 { throw .refused(what: "writing", statement: sql) }
    var second: OpaquePointer?
    code = guardian.watch { sqlite3_prepare_v2(handle, rest, -1, &second, nil) }
    defer { sqlite3_finalize(second) }
    if code != SQLITE_OK || second != nil {
      throw .refused(what: "a second statement", statement: sql)
    }
  }

  /// Hands over each row of a checked statement, until there is none or no more is wanted.
  fileprivate func each(
    _ sql: String, _ guardian: Guardian, _ columns: ([String]) -> Void,
    _ row: ([SQLValue]) -> Bool
  ) throws(StoreError) {
    var statement: OpaquePointer?
    let code = guardian.watch { sqlite3_prepare_v2(handle, sql, -1, &statement, nil) }
    defer { sqlite3_finalize(statement) }
    if code != SQLITE_OK { throw failure(code, statement: sql) }
    let indices = 0..<sqlite3_column_count(statement)
    columns(indices.map { sqlite3_column_name(statement, $0).map { String(cString: $0) } ?? "" })
    while true {
      let code = guardian.watch { sqlite3_step(statement) }
      switch code & 0xFF {
      case SQLITE_ROW: break
      case SQLITE_DONE: return
      case SQLITE_TOOBIG: throw .tooLarge("makes a longer value", most: guardian.limits.rowBytes)
      default: throw failure(code, statement: sql)
      }
      let bytes = indices.reduce(0) { $0 + Int(sqlite3_column_bytes(statement, $1)) }
      if bytes > guardian.limits.rowBytes {
        throw .tooLarge("has a longer row", most: guardian.limits.rowBytes)
      }
      let values = indices.map { value(statement, $0) }
      // What there was no memory for would read as empty.
      if sqlite3_errcode(handle) & 0xFF == SQLITE_NOMEM {
        throw .tooLarge("takes more memory", most: guardian.limits.memoryBytes)
      }
      if !row(values) { return }
    }
  }
}
