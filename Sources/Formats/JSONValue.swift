import Foundation

/// A JSON value without source positions: parameters, receipts and anything that is hashed.
///
/// Integers and other numbers are kept apart so that a seed of 2⁶³ − 1 survives a round trip; 3 and 3.0
/// are the same number all the same.
package enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// The value of a key of an object, `nil` for a missing key or anything else than an object.
  package subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { return members[key] }
    return nil
  }

  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  /// Integers count as numbers; the reverse does not hold.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  package var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  package var object: [String: JSONValue]? {
    if case .object(let members) = self { members } else { nil }
  }
}

extension JSONValue: Hashable {
  /// A whole number that is exact as a double counts as the integer.
  var exactInteger: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): value.magnitude < 0x1p53 ? Int(exactly: value) : nil
    default: nil
    }
  }

  package static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.string(let x), .string(let y)): x == y
    case (.array(let x), .array(let y)): x == y
    case (.object(let x), .object(let y)): x == y
    case (.number(let x), .number(let y)): x == y
    case (.integer, .integer), (.integer, .number), (.number, .integer):
      a.exactInteger != nil && a.exactInteger == b.exactInteger
    default: false
    }
  }

  package func hash(into hasher: inout Hasher) {
    if let exactInteger {
      hasher.combine(exactInteger)
      return
    }
    switch self {
    case .null, .integer: hasher.combine(0)
    case .bool(let flag): hasher.combine(flag)
    case .number(let value): hasher.combine(value)
    case .string(let text): hasher.combine(text)
    case .array(let values): hasher.combine(values)
    case .object(let members): hasher.combine(members)
    }
  }
}

extension JSONValue: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .bool(flag)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let values = try? container.decode([JSONValue].self) {
      self = .array(values)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let flag): try container.encode(flag)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let text): try container.encode(text)
    case .array(let values): try container.encode(values)
    case .object(let members): try container.encode(members)
    }
  }
}
