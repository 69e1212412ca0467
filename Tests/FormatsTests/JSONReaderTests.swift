import Foundation
import Testing

@testable import Formats

@Suite("Reading JSON as it comes")
struct JSONReaderTests {
  private struct Bytes: ByteSource {
    var rest: ArraySlice<UInt8>
    let size: Int
    mutating func piece() -> ArraySlice<UInt8> {
      defer { rest = rest.dropFirst(size) }
      return rest.prefix(size)
    }
  }

  private func reader(_ text: String, pieces: Int = 1 << 20) -> JSONReader {
    JSONReader(Bytes(rest: Array(text.utf8)[...], size: pieces), format: "test")
  }

  /// The whole of a value, as the parser of small files has it.
  private func value(_ reader: inout JSONReader) throws -> JSONValue {
    switch try reader.kind() {
    case .object:
      var members: [String: JSONValue] = [:]
      try reader.beginObject()
      while let key = try reader.key() { members[key] = try value(&reader) }
      return .object(members)
    case .array:
      var elements: [JSONValue] = []
      try reader.beginArray()
      while try reader.hasElement() { elements.append(try value(&reader)) }
      return .array(elements)
    case .string: return .string(try reader.string())
    case .number:
      let (value, isWhole) = try reader.number()
      return isWhole ? .integer(Int(value)) : .number(value)
    case .bool, .null:
      try reader.skip()
      return .null
    }
  }

  @Test("means what the parser of small files says, whatever the pieces")
  func same() throws {
    let text = #"""
      { "a" : [1, -2, 3.5, 1e3, -0.25E-2, []], "é\u00e9\ud83d\ude00\n\/" : { "b": {} , "c": [[[]]] },
        "n": [null, null], "long": 0.3499999940395355 }
      """#
    for pieces in [1, 3, 1000] {
      var reader = reader(text, pieces: pieces)
      let found = try value(&reader)
      try reader.end()
      #expect(found == (try JSONValue.parse(Data(text.utf8))))
      var skipping = self.reader(text, pieces: pieces)
      try skipping.skip()
      try skipping.end()
    }
  }

  @Test(
    "what is no JSON is refused",
    arguments: [
      "", "{", "[1,", "[1 2]", "{\"a\" 1}", "{a: 1}", "[01]", "[1.]", "[.5]", "[+1]", "[1e400]",
      "[--1]",
      "[tru]", "[nul]", "\"a", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\u{1}\"", "[1]]",
      "[,]",
      "{\"a\":1,}", "[NaN]", "[1e]", String(repeating: "[", count: 200),
    ])
  func refused(_ text: String) {
    #expect(throws: FormatError.self) {
      var reader = reader(text)
      try reader.skip()
      try reader.end()
    }
  }
}
