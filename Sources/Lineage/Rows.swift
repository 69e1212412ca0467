/// A value of a dimension or of a further table, in a row and in a receipt.
///
/// A whole number is always an integer, so that a value survives a round trip through JSON; a column
/// of reals takes it all the same.
package enum ColumnValue: Sendable, Hashable {
  case integer(Int)
  case real(Double)
  case text(String)

  package static func number(_ value: Double) -> ColumnValue {
    value.magnitude < 0x1p53 ? Int(exactly: value).map(integer) ?? .real(value) : .real(value)
  }

  package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  package var text: String? { if case .text(let value) = self { value } else { nil } }
  /// Integers count as numbers.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    case .text: nil
    }
  }

  var sql: SQLValue {
    switch self {
    case .integer(let value): .integer(Int64(value))
    case .real(let value): .real(value)
    case .text(let value): .text(value)
    }
  }
}

extension ColumnValue: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Double.self) {
      // Seeds use all bits of an integer.
      let isLarge = number.magnitude >= 0x1p53
      self = isLarge ? .integer(try container.decode(Int.self)) : .number(number)
    } else if let flag = try? container.decode(Bool.self) {
      self = .integer(flag ? 1 : 0)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .integer(let value): try container.encode(value)
    case .real(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    }
  }
}

/// One row of the table `metric`, less the execution it belongs to.
package struct MetricRow: Sendable, Hashable {
  package var name: String
  package var value: Double
  /// Where it was measured, by the name of the dimension.
  package var dimensions: [String: ColumnValue]
  /// SHA-256 of the artifact that the value is about, where an execution treats several.
  package var subject: String?
  /// The ends of a 95 % interval; how it was made is told with the measure.
  package var ciLow: Double?
  package var ciHigh: Double?
  package var n: Int?
  package var unit: String?

  package init(
    name: String, value: Double, dimensions: [String: ColumnValue] = [:], subject: String? = nil,
    ciLow: Double? = nil, ciHigh: Double? = nil, n: Int? = nil, unit: String? = nil
  ) {
    self.name = name
    self.value = value
    self.dimensions = dimensions
    self.subject = subject
    self.ciLow = ciLow
    self.ciHigh = ciHigh
    self.n = n
    self.unit = unit
  }

  /// Every number that it holds.
  var numbers: [Double] {
    [value] + [ciLow, ciHigh].compactMap { $0 } + dimensions.values.compactMap(\.number)
  }
}

extension MetricRow: Codable {
  private enum CodingKeys: String, CodingKey {
    case name, value, subject, ciLow, ciHigh, n, unit
    case dimensions = "at"
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    value = try container.decode(Double.self, forKey: .value)
    dimensions =
      try container.decodeIfPresent([String: ColumnValue].self, forKey: .dimensions) ?? [:]
    subject = try container.decodeIfPresent(String.self, forKey: .subject)
    ciLow = try container.decodeIfPresent(Double.self, forKey: .ciLow)
    ciHigh = try container.decodeIfPresent(Double.self, forKey: .ciHigh)
    n = try container.decodeIfPresent(Int.self, forKey: .n)
    unit = try container.decodeIfPresent(String.self, forKey: .unit)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(value, forKey: .value)
    if !dimensions.isEmpty { try container.encode(dimensions, forKey: .dimensions) }
    try container.encodeIfPresent(subject, forKey: .subject)
    try container.encodeIfPresent(ciLow, forKey: .ciLow)
    try container.encodeIfPresent(ciHigh, forKey: .ciHigh)
    try container.encodeIfPresent(n, forKey: .n)
    try container.encodeIfPresent(unit, forKey: .unit)
  }

  /// From what a receipt of format 1 says of a metric, less where it was measured.
  ///
  /// - Throws: `DecodingError` when it has no name or no value.
  package init(unplaced members: [String: ColumnValue]) throws {
    guard let name = members["name"]?.text, let value = members["value"]?.number else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "a metric without a name or a value"))
    }
    self.init(
      name: name, value: value, ciLow: members["ciLow"]?.number, ciHigh: members["ciHigh"]?.number,
      n: members["n"]?.integer, unit: members["unit"]?.text)
  }
}

/// An execution's rows of a further table: the columns once, then a list a row.
package struct TableRows: Sendable, Codable, Hashable {
  package var columns: [String]
  package var rows: [[ColumnValue]]

  package init(columns: [String], rows: [[ColumnValue]]) {
    self.columns = columns
    self.rows = rows
  }
}
