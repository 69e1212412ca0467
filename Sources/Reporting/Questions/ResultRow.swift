import Lineage

/// A row of a result, read by column name. A column that is not there, NULL where a value is needed,
/// and a value of another type are errors, never a 0.
struct ResultRow {
  let columns: [String]
  let values: [SQLValue]

  struct Fault: Error, CustomStringConvertible {
    var column: String
    var wanted: String
    var found: String
    var description: String { "column `\(column)`: \(wanted) was asked for, \(found) was found" }
  }

  func value(_ column: String) throws(Fault) -> SQLValue {
    guard let index = columns.firstIndex(of: column) else {
      throw Fault(column: column, wanted: "a value", found: "no such column")
    }
    return values[index]
  }

  func text(_ column: String) throws(Fault) -> String {
    try required(column, "text", try textIfAny(column))
  }

  func integer(_ column: String) throws(Fault) -> Int {
    try required(column, "an integer", try integerIfAny(column))
  }

  func number(_ column: String) throws(Fault) -> Double {
    try required(column, "a number", try numberIfAny(column))
  }

  func textIfAny(_ column: String) throws(Fault) -> String? {
    try read(column, "text", \.text)
  }

  func integerIfAny(_ column: String) throws(Fault) -> Int? {
    try read(column, "an integer", \.integer)
  }

  func numberIfAny(_ column: String) throws(Fault) -> Double? {
    try read(column, "a number", \.number)
  }

  private func read<T>(_ column: String, _ wanted: String, _ part: (SQLValue) -> T?)
    throws(Fault) -> T?
  {
    let value = try value(column)
    if value == .null { return nil }
    guard let found = part(value) else {
      throw Fault(column: column, wanted: wanted, found: "\(value)")
    }
    return found
  }

  private func required<T>(_ column: String, _ wanted: String, _ value: T?) throws(Fault) -> T {
    guard let value else { throw Fault(column: column, wanted: wanted, found: "NULL") }
    return value
  }
}
