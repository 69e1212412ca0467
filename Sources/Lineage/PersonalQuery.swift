import CSQLite
import Formats

// A person's own SQL. It comes from outside: it can read and nothing else, ends in time, and has
// bounds on what it may take.

extension Store {
  /// Runs one statement that can only read, on a connection of its own.
  ///
  /// - Throws: `StoreError.refused` for anything else than reading; `.timeLimit` after `timeLimit`
  ///   seconds; `.sql` for a fault of the statement, with the name that was probably meant.
  package func queryReadOnly(_ sql: String, timeLimit: Double = 60) throws(StoreError)
    -> QueryResult
  {
    let connection = try Self.openToRead(databaseURL.path, vocabulary)
    let guardian = Guardian(seconds: timeLimit)
    connection.obey(guardian)
    defer { withExtendedLifetime(guardian) {} }
    do {
      try connection.check(isSingle: sql)
      return try connection.query(sql, mostRows: 1_000_000)
    } catch {
      if let what = guardian.refused { throw .refused(what: what, statement: sql) }
      if guardian.isPast { throw .timeLimit(seconds: timeLimit) }
      guard case .sql(let statement, let reason) = error else { throw error }
      throw .sql(statement: statement, reason: reason + hint(reason, sql))
    }
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

/// What a person's query may do, and until when.
private final class Guardian {
  private let end: ContinuousClock.Instant
  /// The first thing that was not permitted.
  private(set) var refused: String?

  init(seconds: Double) { end = ContinuousClock.now.advanced(by: .seconds(seconds)) }

  var isPast: Bool { ContinuousClock.now > end }

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
    // One value is never larger than this, so that one step neither takes all memory nor for ever.
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 16 << 20)
    sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 1 << 20)
  }

  /// Refuses what is no statement, or more than one.
  fileprivate func check(isSingle sql: String) throws(StoreError) {
    var statement: OpaquePointer?
    var rest = ""
    var code = SQLITE_OK
    sql.withCString { text in
      var tail: UnsafePointer<CChar>?
      code = sqlite3_prepare_v2(handle, text, -1, &statement, &tail)
      rest = tail.map { String(cString: $0) } ?? ""
    }
    defer { sqlite3_finalize(statement) }
    if code != SQLITE_OK { throw failure(code, statement: sql) }
    if statement == nil { throw .refused(what: "nothing at all", statement: sql) }
    if sqlite3_stmt_readonly(statement) == 0 { throw .refused(what: "writing", statement: sql) }
    var second: OpaquePointer?
    code = sqlite3_prepare_v2(handle, rest, -1, &second, nil)
    defer { sqlite3_finalize(second) }
    if code != SQLITE_OK || second != nil {
      throw .refused(what: "a second statement", statement: sql)
    }
  }
}
