import Foundation

/// A place in a text, both counted from 1; columns count characters.
public struct SourcePosition: Sendable, Hashable {
  public var line: Int
  public var column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// A JSON value that knows where it was written.
public struct JSONNode: Sendable {
  public enum Value: Sendable {
    case null
    case bool(Bool)
    /// The number and how it was written.
    case number(Double, text: String)
    case string(String)
    case array([JSONNode])
    case object([JSONMember])
  }
  public var value: Value
  public var position: SourcePosition

  public init(value: Value, position: SourcePosition) {
    self.value = value
    self.position = position
  }
}

/// A member of an object, in the order of the file.
public struct JSONMember: Sendable {
  public var key: String
  public var keyPosition: SourcePosition
  public var value: JSONNode

  public init(key: String, keyPosition: SourcePosition, value: JSONNode) {
    self.key = key
    self.keyPosition = keyPosition
    self.value = value
  }
}

/// What a text breaks of JSON5's grammar, and where.
public struct JSON5Error: CategorizedError, Sendable, Hashable, CustomStringConvertible {
  public var position: SourcePosition
  public var message: String

  public init(position: SourcePosition, message: String) {
    self.position = position
    self.message = message
  }

  public var category: ErrorCategory { .data }

  public var description: String { "\(position.line):\(position.column): \(message)" }
}

/// JSON5 (https://spec.json5.org) with source positions, in time linear in the text.
public enum JSON5 {
  public struct Limits: Sendable {
    public var maximumBytes: Int
    public var maximumDepth: Int

    public init(maximumBytes: Int = 4 << 20, maximumDepth: Int = 64) {
      self.maximumBytes = maximumBytes
      self.maximumDepth = maximumDepth
    }

    public static let standard = Limits()
  }

  public static func parse(_ bytes: [UInt8], limits: Limits = .standard) throws(JSON5Error)
    -> JSONNode
  {
    let start = SourcePosition(line: 1, column: 1)
    if bytes.count > limits.maximumBytes {
      throw JSON5Error(
        position: start,
        message: "the file has \(bytes.count) bytes; at most \(limits.maximumBytes) are read")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw JSON5Error(position: invalidUTF8(bytes), message: "the text is not valid UTF-8")
    }
    var parser = JSON5Parser(scalars: Array(text.unicodeScalars), limits: limits)
    return try parser.document()
  }

  /// The place of the first byte that is not UTF-8.
  private static func invalidUTF8(_ bytes: [UInt8]) -> SourcePosition {
    var line = 1
    var column = 1
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      if scalar == "\n" {
        line += 1
        column = 1
      } else {
        column += 1
      }
    }
    return SourcePosition(line: line, column: column)
  }
}
