import Foundation
import Testing

@testable import Formats

@Suite("JSON5")
struct JSON5Tests {
  private func value(_ text: String) throws -> JSONValue {
    try JSONValue.parse(Data(text.utf8))
  }

  @Test(
    "everything the specification allows",
    arguments: [
      ("null", .null), ("true", .bool(true)), ("0x1F", .integer(31)), ("-0x10", .integer(-16)),
      ("+.5", .number(0.5)), ("5.", .number(5)), ("1e3", .number(1000)), ("-7", .integer(-7)),
      ("'it\\'s'", .string("it's")), ("\"a\\\nb\"", .string("ab")),
      ("'\\x41\\u00e9\\uD83D\\uDE00\\0'", .string("Aé😀\0")),
      ("[1,2,]", .array([.integer(1), .integer(2)])),
      ("{}", .object([:])),
      (
        "// c\n{ a: 1, /* b */ 'c d': [], $_x: null, }",
        .object(["a": .integer(1), "c d": .array([]), "$_x": .null])
      ),
      ("\u{FEFF}{ünïcode: 1}", .object(["ünïcode": .integer(1)])),
      ("9007199254740993", .integer(9_007_199_254_740_993)),
      ("{\\u0061: 1}", .object(["a": .integer(1)])),
    ] as [(String, JSONValue)])
  func accepted(text: String, expected: JSONValue) throws {
    #expect(try value(text) == expected)
  }

  @Test("numbers that are none in JSON are left to the consumer")
  func special() throws {
    guard case .number(let infinity, "-Infinity") = try JSON5.parse(Array("-Infinity".utf8)).value
    else { throw CancellationError() }
    #expect(infinity == -.infinity)
    guard case .number(let nan, "NaN") = try JSON5.parse(Array("NaN".utf8)).value else {
      throw CancellationError()
    }
    #expect(nan.isNaN)
    #expect(try value("1e999").number == .infinity)
  }

  @Test(
    "what is wrong is said with its place",
    arguments: [
      ("", 1, 1, "empty"), ("{", 1, 2, "closed"), ("{ a: 1\n  b: 2 }", 2, 3, "`,` or `}`"),
      ("[1 2]", 1, 4, "`,` or `]`"), ("{a:1} x", 1, 7, "after the end"),
      ("{a: 1,\n a: 2}", 2, 2, "twice in one object, first at 1:2"), ("{a: yes}", 1, 5, "quotes"),
      ("'abc", 1, 1, "not closed"), ("'a\nb'", 1, 3, "not closed"), ("/* x", 1, 1, "comment"),
      ("01", 1, 3, "needless 0"), ("1e", 1, 3, "exponent"), ("0x", 1, 3, "hexadecimal"),
      ("1.2.3", 1, 4, "not a number"), ("'\\uD800'", 1, 8, "half"), ("{1: 2}", 1, 2, "key"),
      ("{a 1}", 1, 4, "`:`"), ("#", 1, 1, "value"), ("'\\1'", 1, 3, "escape"),
      ("+", 1, 2, "not a number"),
    ])
  func refused(text: String, line: Int, column: Int, words: String) {
    do {
      _ = try JSON5.parse(Array(text.utf8))
      Issue.record("accepted")
    } catch {
      #expect(error.message.contains(words), "\(error)")
      #expect(error.position == SourcePosition(line: line, column: column))
    }
  }

  @Test("depth, size and bad UTF-8 are bounded, not suffered")
  func limits() {
    func message(_ bytes: [UInt8]) -> JSON5Error? {
      do {
        _ = try JSON5.parse(bytes)
        return nil
      } catch {
        return error
      }
    }
    for bracket in ["[", "{a:"] {
      let text = String(repeating: bracket, count: 100_000)
      #expect(message(Array(text.utf8))?.message.contains("nested more than 64") == true)
    }
    #expect(message([UInt8](repeating: 32, count: 5 << 20))?.message.contains("at most") == true)
    let bad = message(Array("{\n a: '".utf8) + [0xFF] + Array("' }".utf8))
    #expect(bad?.message.contains("UTF-8") == true)
    #expect(bad?.position == SourcePosition(line: 2, column: 6))
  }

  @Test("canonical text is sorted, short and reads back the same")
  func canonical() throws {
    let text = "{ b: [1, 2.5, 1e300, 3.0], a: 'x\\n\\u0001\"', é: null, A: true }"
    let value = try value(text)
    #expect(
      value.canonicalText()
        == "{\"A\":true,\"a\":\"x\\n\\u0001\\\"\",\"b\":[1,2.5,1e+300,3],\"é\":null}")
    #expect(try self.value(value.canonicalText()) == value)
    #expect(try self.value(value.prettyText()) == value)
    let coded = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
    #expect(coded == value && coded.hashValue == value.hashValue)
  }

  @Test("near words are found, far ones are not")
  func closest() {
    let words = ["width", "pictures", "labelling"]
    #expect(closestMatch("widht", in: words) == "width")
    #expect(closestMatch("labeling", in: words) == "labelling")
    #expect(closestMatch("Pictures", in: words) == "pictures")
    #expect(closestMatch("zebra", in: words) == nil)
    #expect(closestMatch("", in: words) == nil)
    #expect(closestMatch(String(repeating: "a", count: 10_000), in: words) == nil)
  }
}
