/// Reads JSON (RFC 8259) as it comes, value by value: a file of any length in the memory of a piece.
///
/// For files of a known form: whoever reads asks for what has to come next. What settings and small tables are
/// written in is JSON5 (`JSON5Parser`), which knows lines and columns.
package struct JSONReader {
  private var source: any ByteSource
  private let format: String
  private var piece: ArraySlice<UInt8> = []
  private var place = 0
  /// Bytes before this piece.
  private var passed = 0
  /// Of every array and object that is open, whether nothing of it was read yet.
  private var open: [Bool] = []
  private var text: [UInt8] = []

  /// Deeper than any file of a known form.
  private static let deepest = 64
  private static let longestText = 1 << 16

  /// - Parameter format: what errors call the file.
  package init(_ source: any ByteSource, format: String) {
    self.source = source
    self.format = format
  }

  // MARK: - What comes next

  package enum Kind: Sendable { case object, array, string, number, bool, null }

  /// What kind of value comes next.
  package mutating func kind() throws(FormatError) -> Kind {
    switch try peek() {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    default: throw unexpected("a value")
    }
  }

  package mutating func beginObject() throws(FormatError) { try begin("{") }
  package mutating func beginArray() throws(FormatError) { try begin("[") }

  private mutating func begin(_ bracket: Unicode.Scalar) throws(FormatError) {
    try expect(UInt8(ascii: bracket))
    if open.count == Self.deepest { throw error("is nested more than \(Self.deepest) deep") }
    open.append(true)
  }

  /// The next key of the object that is open, whose value has to be read then; `nil` at its end.
  package mutating func key() throws(FormatError) -> String? {
    guard try goesOn(until: UInt8(ascii: "}")) else { return nil }
    let key = try string()
    try expect(UInt8(ascii: ":"))
    return key
  }

  /// Whether the array that is open has a further element, which has to be read then.
  package mutating func hasElement() throws(FormatError) -> Bool {
    try goesOn(until: UInt8(ascii: "]"))
  }

  private mutating func goesOn(until bracket: UInt8) throws(FormatError) -> Bool {
    if try peek() == bracket {
      advance()
      open.removeLast()
      return false
    }
    if open[open.count - 1] {
      open[open.count - 1] = false
    } else {
      try expect(UInt8(ascii: ","))
    }
    return true
  }

  package mutating func string() throws(FormatError) -> String {
    try expect(UInt8(ascii: "\""))
    text.removeAll(keepingCapacity: true)
    while true {
      guard let byte = try next() else {
        throw error("ends within a text; it is cut off: copy it again")
      }
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          throw error("holds a text that is no UTF-8")
        }
        return result
      case UInt8(ascii: "\\"): try escape()
      case 0..<32: throw error("holds a text with a control character")
      default: text.append(byte)
      }
      if text.count > Self.longestText {
        throw error("holds a text of more than \(Self.longestText) bytes")
      }
    }
  }

  /// A number, and whether it is written as a whole one.
  package mutating func number() throws(FormatError) -> (value: Double, isWhole: Bool) {
    _ = try peek()
    text.removeAll(keepingCapacity: true)
    var isWhole = true
    while let byte = try head() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"): break
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): isWhole = false
      default: return (try value(isWhole), isWhole)
      }
      text.append(byte)
      advance()
      if text.count > 64 { throw error("holds a number of more than 64 characters") }
    }
    return (try value(isWhole), isWhole)
  }

  private func value(_ isWhole: Bool) throws(FormatError) -> Double {
    // Most are indices of a digit or two.
    if isWhole, text.count < 10, text.allSatisfy({ $0 >= UInt8(ascii: "0") }),
      !text.isEmpty, text.count == 1 || text[0] != UInt8(ascii: "0")
    {
      return Double(text.reduce(0) { 10 * $0 + Int($1) - 48 })
    }
    let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
    guard let first = digits.first, (48...57).contains(first),
      first != 48 || digits.dropFirst().first.map({ !(48...57).contains($0) }) ?? true,
      digits.last.map({ (48...57).contains($0) }) ?? false,
      let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite
    else { throw error("holds `\(String(decoding: text, as: UTF8.self))`, which is no number") }
    return value
  }

  /// Passes over a value of any kind.
  package mutating func skip() throws(FormatError) {
    let depth = open.count
    repeat {
      if open.count > depth {
        let isObject = brackets.last == true
        if isObject ? try key() == nil : try !hasElement() {
          brackets.removeLast()
          continue
        }
      }
      switch try kind() {
      case .object:
        try beginObject()
        brackets.append(true)
      case .array:
        try beginArray()
        brackets.append(false)
      case .string: _ = try string()
      case .number: _ = try number()
      case .bool, .null: try word()
      }
    } while open.count > depth
  }

  /// While a value is passed over: of each array and object in it, whether it is an object.
  private var brackets: [Bool] = []

  private mutating func word() throws(FormatError) {
    var found: [UInt8] = []
    while found.count < 6, let byte = try head(), (97...122).contains(byte) {
      found.append(byte)
      advance()
    }
    let name = String(decoding: found, as: UTF8.self)
    guard ["true", "false", "null"].contains(name) else {
      throw error("holds `\(name)`, which is no value")
    }
  }

  /// - Throws: unless nothing but blanks is left.
  package mutating func end() throws(FormatError) {
    try skipBlanks()
    if try head() != nil { throw unexpected("its end") }
  }

  // MARK: - Bytes

  private mutating func head() throws(FormatError) -> UInt8? {
    if place == piece.endIndex {
      passed += piece.count
      piece = try source.piece()
      place = piece.startIndex
      if piece.isEmpty { return nil }
    }
    return piece[place]
  }

  private mutating func advance() { place += 1 }

  private mutating func next() throws(FormatError) -> UInt8? {
    guard let byte = try head() else { return nil }
    advance()
    return byte
  }

  private mutating func skipBlanks() throws(FormatError) {
    while let byte = try head(), byte == 32 || byte == 10 || byte == 13 || byte == 9 { advance() }
  }

  private mutating func peek() throws(FormatError) -> UInt8 {
    try skipBlanks()
    guard let byte = try head() else {
      throw error("ends too early; it is cut off: copy it again")
    }
    return byte
  }

  private mutating func expect(_ byte: UInt8) throws(FormatError) {
    guard try peek() == byte else {
      throw unexpected("`\(Unicode.Scalar(byte))`")
    }
    advance()
  }

  private mutating func escape() throws(FormatError) {
    guard let byte = try next() else {
      throw error("ends within a text; it is cut off: copy it again")
    }
    let plain: [UInt8: UInt8] = [
      UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
      UInt8(ascii: "t"): 9, 34: 34, 47: 47, 92: 92,
    ]
    if let character = plain[byte] {
      text.append(character)
      return
    }
    guard byte == UInt8(ascii: "u") else { throw error("holds an escape that is none of JSON's") }
    var units = [try unit()]
    if units[0] & 0xFC00 == 0xD800 {
      guard try next() == 92, try next() == UInt8(ascii: "u") else { throw halfEscape }
      units.append(try unit())
    }
    guard let character = String(validating: units, as: UTF16.self) else { throw halfEscape }
    text += character.utf8
  }

  private var halfEscape: FormatError { error("holds half of an escaped character") }

  private mutating func unit() throws(FormatError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = try next(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("holds an escape without its four digits")
      }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  // MARK: - Errors

  /// At the byte where reading stands.
  package func error(_ message: String) -> FormatError {
    FormatError(format, "byte \(passed + place - piece.startIndex): it \(message)")
  }

  private func unexpected(_ expected: String) -> FormatError {
    let found = place < piece.endIndex ? "`\(Unicode.Scalar(piece[place]))`" : "the end"
    return error("has \(found) where \(expected) is expected")
  }
}
