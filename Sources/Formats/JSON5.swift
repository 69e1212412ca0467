import Foundation

/// A place in a text, both counted from 1; columns count characters.
package struct SourcePosition: Sendable, Hashable {
  package var line: Int
  package var column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// A JSON value that knows where it was written.
package struct JSONNode: Sendable {
  package enum Value: Sendable {
    case null
    case bool(Bool)
    /// The number and how it was written.
    case number(Double, text: String)
    case string(String)
    case array([JSONNode])
    case object([JSONMember])
  }
  package var value: Value
  package var position: SourcePosition

  package init(value: Value, position: SourcePosition) {
    self.value = value
    self.position = position
  }
}

/// A member of an object, in the order of the file.
package struct JSONMember: Sendable {
  package var key: String
  package var keyPosition: SourcePosition
  package var value: JSONNode

  package init(key: String, keyPosition: SourcePosition, value: JSONNode) {
    self.key = key
    self.keyPosition = keyPosition
    self.value = value
  }
}

/// What a text breaks of JSON5's grammar, and where.
package struct JSON5Error: CategorizedError, Sendable, Hashable, CustomStringConvertible {
  package var position: SourcePosition
  package var message: String

  package init(position: SourcePosition, message: String) {
    self.position = position
    self.message = message
  }

  package var category: ErrorCategory { .data }

  package var description: String { "\(position.line):\(position.column): \(message)" }
}

/// JSON5 (https://spec.json5.org) with source positions, in time linear in the text.
package enum JSON5 {
  package struct Limits: Sendable {
    package var maximumBytes: Int
    package var maximumDepth: Int

    package init(maximumBytes: Int = 4 << 20, maximumDepth: Int = 64) {
      self.maximumBytes = maximumBytes
      self.maximumDepth = maximumDepth
    }

    package static let standard = Limits()
  }

  package static func parse(_ bytes: [UInt8], limits: Limits = .standard) throws(JSON5Error)
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
