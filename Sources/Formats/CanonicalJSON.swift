import Foundation

extension JSONValue {
  /// Without positions; whole numbers written without a point or an exponent become integers.
  package init(_ node: JSONNode) {
    switch node.value {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .number(let value, let text):
      // Hexadecimal digits are exact where a double is not.
      let digits = text.lowercased().split(separator: "x")
      if digits.count == 2,
        let exact = Int((digits[0].hasPrefix("-") ? "-" : "") + digits[1], radix: 16)
      {
        self = .integer(exact)
        return
      }
      let looksWhole = !text.contains { ".eExXIN".contains($0) }
      if looksWhole, value.magnitude < 0x1p53 {
        self = .integer(Int(value))
      } else if looksWhole, let exact = Int(text) {
        self = .integer(exact)
      } else {
        self = .number(value)
      }
    case .string(let text): self = .string(text)
    case .array(let nodes): self = .array(nodes.map(JSONValue.init))
    case .object(let members):
      self = .object(
        Dictionary(members.map { ($0.key, JSONValue($0.value)) }, uniquingKeysWith: { $1 }))
    }
  }

  /// Reads JSON (or JSON5) that a program wrote.
  package static func parse(_ data: Data, limits: JSON5.Limits = .standard) throws(JSON5Error)
    -> JSONValue
  {
    JSONValue(try JSON5.parse([UInt8](data), limits: limits))
  }

  /// One line, keys sorted by their bytes, shortest numbers that read back the same: for hashing.
  package func canonicalText() -> String {
    var writer = JSONWriter(indented: false)
    writer.write(self)
    return writer.text
  }

  /// Two spaces of indentation, keys sorted, a final newline: for people.
  package func prettyText() -> String {
    var writer = JSONWriter(indented: true)
    writer.write(self)
    return writer.text + "\n"
  }
}

private struct JSONWriter {
  let indented: Bool
  var text = ""
  private var depth = 0

  init(indented: Bool) { self.indented = indented }

  mutating func write(_ value: JSONValue) {
    switch value {
    case .null: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .integer(let number): text += String(number)
    case .number(let number):
      text += value.exactInteger.map(String.init) ?? (number.isFinite ? "\(number)" : "null")
    case .string(let string): Escape.json(string, into: &text)
    case .array(let elements):
      list("[", "]", elements) { writer, element in writer.write(element) }
    case .object(let members):
      let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      list("{", "}", sorted) { writer, member in
        Escape.json(member.key, into: &writer.text)
        writer.text += writer.indented ? ": " : ":"
        writer.write(member.value)
      }
    }
  }

  private mutating func list<T>(
    _ open: String, _ close: String, _ items: [T], _ body: (inout JSONWriter, T) -> Void
  ) {
    text += open
    depth += 1
    for (index, item) in items.enumerated() {
      if index > 0 { text += "," }
      newLine()
      body(&self, item)
    }
    depth -= 1
    if !items.isEmpty { newLine() }
    text += close
  }

  private mutating func newLine() {
    if indented { text += "\n" + String(repeating: "  ", count: depth) }
  }
}
