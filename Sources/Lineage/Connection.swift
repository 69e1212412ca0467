import CSQLite
import Foundation

/// A value of SQLite.
package enum SQLValue: Sendable, Hashable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob(Data)

  static func optional(_ value: Double?) -> SQLValue { value.map(SQLValue.real) ?? .null }
  static func optional(_ value: Int?) -> SQLValue { value.map { .integer(Int64($0)) } ?? .null }
  static func optional(_ value: String?) -> SQLValue { value.map(SQLValue.text) ?? .null }

  package var text: String? { if case .text(let value) = self { value } else { nil } }
  package var integer: Int? { if case .integer(let value) = self { Int(value) } else { nil } }
  /// Integers count as numbers.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }
}

package struct QueryResult: Sendable, Hashable {
  package var columns: [String]
  package var rows: [[SQLValue]]

  /// The values of a column, empty for an unknown one.
  package func column(_ name: String) -> [SQLValue] {
    guard let index = columns.firstIndex(of: name) else { return [] }
    return rows.map { $0[index] }
  }
}

/// A thin wrapper over one SQLite connection; one thread uses it.
final class Connection {
  private(set) var handle: OpaquePointer?
  let path: String
  /// Statements that are not in use: most are needed again and again, and preparing one costs more
  /// than running it.
  private var idle: [String: OpaquePointer] = [:]
  private static let mostIdle = 64

  /// - Parameter subject: the path that errors are about, where it is another one's: of a database that is
  ///   attached to one in memory.
  init(_ path: String, flags: Int32, about subject: String? = nil) throws(StoreError) {
    self.path = subject ?? path
    let code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
    if code != SQLITE_OK {
      let error = failure(code, statement: "open")
      sqlite3_close_v2(handle)
      handle = nil
      throw error
    }
    sqlite3_extended_result_codes(handle, 1)
    wait(Store.patience)
  }

  deinit {
    for statement in idle.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  /// How long to wait for another program that holds the database.
  func wait(_ seconds: Double) { sqlite3_busy_timeout(handle, Int32(seconds * 1000)) }

  func execute(_ sql: String) throws(StoreError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    if code != SQLITE_OK { throw failure(code, statement: sql) }
  }

  /// Runs one statement for each set of bindings.
  func insert(_ sql: String, _ sets: [[SQLValue]]) throws(StoreError) {
    if sets.isEmpty { return }
    let statement = try prepare(sql)
    defer { giveBack(statement, sql) }
    for bindings in sets {
      bind(bindings, to: statement)
      let code = sqlite3_step(statement)
      if code != SQLITE_DONE && code != SQLITE_ROW { throw failure(code, statement: sql) }
      sqlite3_reset(statement)
    }
  }

  func run(_ sql: String, _ bindings: [SQLValue] = []) throws(StoreError) {
    try insert(sql, [bindings])
  }

  func query(_ sql: String, _ bindings: [SQLValue] = []) throws(StoreError) -> QueryResult {
    let statement = try prepare(sql)
    defer { giveBack(statement, sql) }
    bind(bindings, to: statement)
    let count = sqlite3_column_count(statement)
    let columns = (0..<count).map { index in
      sqlite3_column_name(statement, index).map { String(cString: $0) } ?? ""
    }
    var rows: [[SQLValue]] = []
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { break }
      if code != SQLITE_ROW { throw failure(code, statement: sql) }
      rows.append((0..<count).map { value(statement, $0) })
    }
    return QueryResult(columns: columns, rows: rows)
  }

  /// Copies another database into this one, which is empty.
  func fill(from other: Connection) throws(StoreError) {
    guard let backup = sqlite3_backup_init(handle, "main", other.handle, "main") else {
      throw failure(sqlite3_errcode(handle), statement: "copy")
    }
    let code = sqlite3_backup_step(backup, -1)
    sqlite3_backup_finish(backup)
    if code != SQLITE_DONE { throw other.failure(code, statement: "copy") }
  }

  /// All or nothing.
  func transaction(_ body: () throws(StoreError) -> Void) throws(StoreError) {
    try execute("BEGIN IMMEDIATE")
    do {
      try body()
      try execute("COMMIT")
    } catch {
      // A failed statement may have ended the transaction by itself.
      try? execute("ROLLBACK")
      throw error
    }
  }

  private func giveBack(_ statement: OpaquePointer?, _ sql: String) {
    sqlite3_reset(statement)
    sqlite3_clear_bindings(statement)
    if idle.count < Self.mostIdle, idle[sql] == nil {
      idle[sql] = statement
    } else {
      sqlite3_finalize(statement)
    }
  }

  private func prepare(_ sql: String) throws(StoreError) -> OpaquePointer? {
    if let statement = idle.removeValue(forKey: sql) { return statement }
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
    if code != SQLITE_OK { throw failure(code, statement: sql) }
    return statement
  }

  private func bind(_ values: [SQLValue], to statement: OpaquePointer?) {
    // SQLite copies what it is told is transient.
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    for (index, value) in values.enumerated() {
      let place = Int32(index + 1)
      switch value {
      case .null: sqlite3_bind_null(statement, place)
      case .integer(let number): sqlite3_bind_int64(statement, place, number)
      case .real(let number): sqlite3_bind_double(statement, place, number)
      case .text(let text): sqlite3_bind_text(statement, place, text, -1, transient)
      case .blob(let data):
        _ = data.withUnsafeBytes {
          sqlite3_bind_blob(statement, place, $0.baseAddress, Int32($0.count), transient)
        }
      }
    }
  }

  func value(_ statement: OpaquePointer?, _ index: Int32) -> SQLValue {
    switch sqlite3_column_type(statement, index) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, index))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, index))
    case SQLITE_TEXT:
      // A text may hold a zero.
      let bytes = sqlite3_column_text(statement, index)
      let count = Int(sqlite3_column_bytes(statement, index))
      return .text(
        String(
          decoding: UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count),
          as: UTF8.self))
    case SQLITE_BLOB:
      let count = Int(sqlite3_column_bytes(statement, index))
      guard let bytes = sqlite3_column_blob(statement, index) else { return .blob(Data()) }
      return .blob(Data(bytes: bytes, count: count))
    default: return .null
    }
  }

  /// Whether a connection of its own finds nothing wrong in the file.
  private func isWholeWhenReadAgain() -> Bool {
    if path == ":memory:" { return false }
    var other: OpaquePointer?
    defer { sqlite3_close_v2(other) }
    let isURI = path.hasPrefix("file:")
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | (isURI ? SQLITE_OPEN_URI : 0)
    guard sqlite3_open_v2(path, &other, flags, nil) == SQLITE_OK else { return false }
    var statement: OpaquePointer?
    defer { sqlite3_finalize(statement) }
    guard sqlite3_prepare_v2(other, "PRAGMA quick_check(1)", -1, &statement, nil) == SQLITE_OK,
      sqlite3_step(statement) == SQLITE_ROW
    else { return false }
    return value(statement, 0) == .text("ok")
  }

  func failure(_ code: Int32, statement: String) -> StoreError {
    let reason =
      handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? "error \(code)"
    switch code & 0xFF {
    case SQLITE_NOTADB, SQLITE_CORRUPT:
      // SQLite says so of a disk that fails, too, even if it fails once and never again.
      do {
        for suffix in ["", "-wal"] { try StoreFile.skim(path + suffix) }
      } catch {
        return error
      }
      if isWholeWhenReadAgain() {
        return .cannotRead(path: path, reason: "\(reason), but whole when it was read again")
      }
      return code & 0xFF == SQLITE_NOTADB
        ? .notADatabase(path: path) : .damaged(path: path, reason: reason)
    case SQLITE_BUSY, SQLITE_LOCKED: return .busy(path: path)
    case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM:
      return .cannotWrite(path: path, reason: reason)
    case SQLITE_NOMEM: return .noMemory(path: path)
    case SQLITE_FULL:
      return .full(
        path: path, reason: reason, needed: nil, free: StoreError.free(around: URL(filePath: path)))
    case SQLITE_IOERR:
      let system = sqlite3_system_errno(handle)
      return system == 0
        ? .inputOutput(path: path, reason: reason)
        : StoreError(system, writing: URL(filePath: path))
    default: return .sql(statement: statement, reason: reason)
    }
  }
}
