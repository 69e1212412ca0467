/// One row of a query's result, read by the names of its columns.
///
/// A column that is not there, or there twice, is a fault of the program and an error, and so is a NULL
/// where a value is needed: neither becomes a number by accident.
package struct Row: Sendable, Hashable {
  package let columns: [String]
  package let cells: [SQLValue]

  /// The value of a column, NULL as `.null`.
  package func value(_ column: String) throws(StoreError) -> SQLValue {
    guard let index = columns.firstIndex(of: column) else {
      throw .column(
        column, problem: "not in the result, which has \(columns.joined(separator: ", "))")
    }
    if columns[(index + 1)...].contains(column) {
      throw .column(column, problem: "twice in the result")
    }
    return cells[index]
  }

  package func text(_ column: String) throws(StoreError) -> String {
    try present(try optionalText(column), column)
  }

  package func integer(_ column: String) throws(StoreError) -> Int {
    try present(try optionalInteger(column), column)
  }

  /// Integers count as numbers.
  package func number(_ column: String) throws(StoreError) -> Double {
    try present(try optionalNumber(column), column)
  }

  /// Whether an integer is not 0.
  package func flag(_ column: String) throws(StoreError) -> Bool { try integer(column) != 0 }

  package func optionalText(_ column: String) throws(StoreError) -> String? {
    try typed(column, "text") { $0.text }
  }

  package func optionalInteger(_ column: String) throws(StoreError) -> Int? {
    try typed(column, "an integer") { $0.integer }
  }

  package func optionalNumber(_ column: String) throws(StoreError) -> Double? {
    try typed(column, "a number") { $0.number }
  }

  private func typed<T>(_ column: String, _ type: String, _ read: (SQLValue) -> T?)
    throws(StoreError) -> T?
  {
    let value = try value(column)
    if value == .null { return nil }
    guard let found = read(value) else { throw .column(column, problem: "\(value), not \(type)") }
    return found
  }

  private func present<T>(_ value: T?, _ column: String) throws(StoreError) -> T {
    guard let value else { throw .column(column, problem: "NULL where a value is needed") }
    return value
  }
}

extension QueryResult {
  /// The rows, each with the names of its columns.
  package var records: [Row] { rows.map { Row(columns: columns, cells: $0) } }
}

extension Connection {
  func rows(_ sql: String, _ bindings: [SQLValue] = []) throws(StoreError) -> [Row] {
    try query(sql, bindings).records
  }

  /// The texts of a statement's only column, NULLs left out.
  func texts(_ sql: String, _ bindings: [SQLValue] = []) throws(StoreError) -> [String] {
    try query(sql, bindings).rows.compactMap { $0.first?.text }
  }

  /// The integer that a statement gives; `nil` for NULL and for no row.
  func integer(_ sql: String, _ bindings: [SQLValue] = []) throws(StoreError) -> Int? {
    try query(sql, bindings).rows.first?.first?.integer
  }
}

extension Store {
  /// The rows of any statement, for the program's own use.
  package func rows(_ sql: String, _ bindings: [SQLValue] = []) throws(StoreError) -> [Row] {
    try database.rows(sql, bindings)
  }

  /// The texts of a statement's only column, NULLs left out.
  package func texts(_ sql: String, _ bindings: [SQLValue] = []) throws(StoreError) -> [String] {
    try database.texts(sql, bindings)
  }
}
