/// Recursive descent over Unicode scalars; `depth` bounds the recursion.
struct JSON5Parser {
  private let scalars: [Unicode.Scalar]
  private let limits: JSON5.Limits
  private var index = 0
  private var line = 1
  private var lineStart = 0
  private var depth = 0

  init(scalars: [Unicode.Scalar], limits: JSON5.Limits) {
    // A byte order mark says nothing in UTF-8, but editors write it.
    self.scalars = scalars.first == "\u{FEFF}" ? Array(scalars.dropFirst()) : scalars
    self.limits = limits
  }

  mutating func document() throws(JSON5Error) -> JSONNode {
    try skipBlanks()
    if peek == nil { throw error("the file is empty; an object `{ … }` is expected") }
    let node = try value()
    try skipBlanks()
    if let extra = peek { throw error("found \(quoted(extra)) after the end of the value") }
    return node
  }

  // MARK: - Values

  private mutating func value() throws(JSON5Error) -> JSONNode {
    let start = position
    guard let next = peek else { throw error("the file ends where a value is expected") }
    switch next {
    case "{": return JSONNode(value: try object(), position: start)
    case "[": return JSONNode(value: try array(), position: start)
    case "\"", "'": return JSONNode(value: .string(try string()), position: start)
    case "+", "-", ".", "0"..."9": return JSONNode(value: try number(), position: start)
    default: break
    }
    guard isIdentifierStart(next) else {
      throw error("found \(quoted(next)) where a value is expected")
    }
    let word = try identifier()
    switch word {
    case "null": return JSONNode(value: .null, position: start)
    case "true": return JSONNode(value: .bool(true), position: start)
    case "false": return JSONNode(value: .bool(false), position: start)
    case "Infinity": return JSONNode(value: .number(.infinity, text: word), position: start)
    case "NaN": return JSONNode(value: .number(.nan, text: word), position: start)
    default:
      throw JSON5Error(
        position: start, message: "found the bare word \(word); texts need quotes: \"\(word)\"")
    }
  }

  private mutating func object() throws(JSON5Error) -> JSONNode.Value {
    let opened = position
    try descend()
    var members: [JSONMember] = []
    var places: [String: SourcePosition] = [:]
    while true {
      try skipBlanks()
      guard let next = peek else { throw unclosed("{", opened) }
      if next == "}" { break }
      let keyPosition = position
      let key: String
      if next == "\"" || next == "'" {
        key = try string()
      } else if isIdentifierStart(next) || next == "\\" {
        key = try identifier()
      } else {
        throw error("found \(quoted(next)) where a key or `}` is expected")
      }
      if let first = places[key] {
        throw JSON5Error(
          position: keyPosition,
          message: "`\(key)` stands twice in one object, first at \(first.line):\(first.column)")
      }
      places[key] = keyPosition
      try skipBlanks()
      guard peek == ":" else { throw expected("`:` after the key `\(key)`") }
      advance()
      try skipBlanks()
      members.append(JSONMember(key: key, keyPosition: keyPosition, value: try value()))
      try skipBlanks()
      if peek == "," {
        advance()
      } else if peek == nil {
        throw unclosed("{", opened)
      } else if peek != "}" {
        throw expected("`,` or `}` after the value of `\(key)`")
      }
    }
    advance()
    depth -= 1
    return .object(members)
  }

  private mutating func array() throws(JSON5Error) -> JSONNode.Value {
    let opened = position
    try descend()
    var elements: [JSONNode] = []
    while true {
      try skipBlanks()
      guard let next = peek else { throw unclosed("[", opened) }
      if next == "]" { break }
      elements.append(try value())
      try skipBlanks()
      if peek == "," {
        advance()
      } else if peek == nil {
        throw unclosed("[", opened)
      } else if peek != "]" {
        throw expected("`,` or `]` after an element")
      }
    }
    advance()
    depth -= 1
    return .array(elements)
  }

  private mutating func descend() throws(JSON5Error) {
    depth += 1
    if depth > limits.maximumDepth {
      throw error("brackets are nested more than \(limits.maximumDepth) deep")
    }
    advance()
  }

  // MARK: - Numbers

  private mutating func number() throws(JSON5Error) -> JSONNode.Value {
    let start = index
    var negative = false
    if peek == "+" || peek == "-" {
      negative = peek == "-"
      advance()
    }
    if let next = peek, isIdentifierStart(next) {
      let word = try identifier()
      let text = slice(start)
      if word == "Infinity" { return .number(negative ? -.infinity : .infinity, text: text) }
      if word == "NaN" { return .number(.nan, text: text) }
      throw error("`\(text)` is not a number")
    }
    if peek == "0", let next = peek(1), next == "x" || next == "X" {
      advance()
      advance()
      let digits = take { $0.properties.isASCIIHexDigit }
      guard let magnitude = UInt64(digits, radix: 16) else {
        throw error("`\(slice(start))` is not a number: up to 16 hexadecimal digits follow `0x`")
      }
      try endOfNumber(start)
      return .number(negative ? -Double(magnitude) : Double(magnitude), text: slice(start))
    }
    let whole = take(isDigit)
    if whole.count > 1, whole.hasPrefix("0") {
      throw error("`\(slice(start))` is not a number: it begins with a needless 0")
    }
    var fraction = ""
    if peek == "." {
      advance()
      fraction = take(isDigit)
    }
    if whole.isEmpty && fraction.isEmpty { throw error("`\(slice(start))` is not a number") }
    var exponent = ""
    if peek == "e" || peek == "E" {
      advance()
      var sign = ""
      if let next = peek, next == "+" || next == "-" {
        sign = String(next)
        advance()
      }
      let digits = take(isDigit)
      if digits.isEmpty { throw error("`\(slice(start))` is not a number: its exponent is empty") }
      exponent = "e" + sign + digits
    }
    try endOfNumber(start)
    let plain = "\(whole.isEmpty ? "0" : whole).\(fraction.isEmpty ? "0" : fraction)\(exponent)"
    guard let magnitude = Double(plain) else {
      throw error("`\(slice(start))` is not a number")
    }
    return .number(negative ? -magnitude : magnitude, text: slice(start))
  }

  private func endOfNumber(_ start: Int) throws(JSON5Error) {
    if let next = peek, isIdentifierPart(next) || next == "." {
      throw error("`\(slice(start))\(next)` is not a number")
    }
  }

  // MARK: - Texts and keys

  private mutating func string() throws(JSON5Error) -> String {
    let opened = position
    guard let quote = peek else { throw error("a text is expected") }
    advance()
    var result = String.UnicodeScalarView()
    while let next = peek {
      switch next {
      case quote:
        advance()
        return String(result)
      case "\n", "\r":
        throw error("the text that begins at \(opened.line):\(opened.column) is not closed")
      case "\\":
        advance()
        try escape(into: &result)
      default:
        result.append(next)
        advance()
      }
    }
    throw JSON5Error(position: opened, message: "the text is not closed before the file ends")
  }

  private mutating func escape(into result: inout String.UnicodeScalarView) throws(JSON5Error) {
    guard let next = peek else { throw error("the file ends within a text") }
    if let plain = Self.escapes[next] {
      result.append(plain)
      advance()
      return
    }
    switch next {
    case "\r":
      advance()
      if peek == "\n" { advance() }
    case "\n", "\u{2028}", "\u{2029}": advance()
    case "0":
      advance()
      if let digit = peek, isDigit(digit) { throw error("octal escapes are not JSON5") }
      result.append("\0")
    case "1"..."9": throw error("`\\\(next)` is not an escape")
    case "x":
      advance()
      guard let scalar = Unicode.Scalar(try hex(2)) else { throw error("`\\x` needs a character") }
      result.append(scalar)
    case "u":
      advance()
      result.append(try unicodeEscape())
    default:
      result.append(next)
      advance()
    }
  }

  private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
    "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}",
  ]

  private mutating func unicodeEscape() throws(JSON5Error) -> Unicode.Scalar {
    let unit = try hex(4)
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // A surrogate counts only with its other half.
    guard (0xD800..<0xDC00).contains(unit), peek == "\\", peek(1) == "u" else {
      throw error("`\\u\(String(unit, radix: 16))` is half of a character")
    }
    advance()
    advance()
    let low = try hex(4)
    guard (0xDC00..<0xE000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    else { throw error("`\\u\(String(unit, radix: 16))` is half of a character") }
    return scalar
  }

  private mutating func hex(_ count: Int) throws(JSON5Error) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = peek, digit.properties.isASCIIHexDigit,
        let number = UInt32(String(digit), radix: 16)
      else { throw error("\(count) hexadecimal digits are expected here") }
      value = value << 4 | number
      advance()
    }
    return value
  }

  private mutating func identifier() throws(JSON5Error) -> String {
    var result = String.UnicodeScalarView()
    while let next = peek {
      if next == "\\" {
        advance()
        guard peek == "u" else { throw error("a key takes no escape but \\uXXXX") }
        advance()
        let scalar = try unicodeEscape()
        guard isIdentifierPart(scalar) else { throw error("a bare key cannot hold this character") }
        result.append(scalar)
      } else if isIdentifierPart(next) {
        result.append(next)
        advance()
      } else {
        break
      }
    }
    return String(result)
  }

  // MARK: - Blanks and comments

  private mutating func skipBlanks() throws(JSON5Error) {
    while let next = peek {
      if next == "/" {
        try skipComment()
      } else if next.properties.isWhitespace || next == "\u{FEFF}" {
        advance()
      } else {
        return
      }
    }
  }

  private mutating func skipComment() throws(JSON5Error) {
    let opened = position
    switch peek(1) {
    case "/":
      while let next = peek, !["\n", "\r", "\u{2028}", "\u{2029}"].contains(next) {
        _ = next
        advance()
      }
    case "*":
      advance()
      advance()
      while peek != nil, !(peek == "*" && peek(1) == "/") { advance() }
      if peek == nil {
        throw JSON5Error(
          position: opened, message: "the comment is not closed before the file ends")
      }
      advance()
      advance()
    default: throw error("found `/`; a comment begins with `//` or `/*`")
    }
  }

  // MARK: - Scalars

  private var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
  private func peek(_ ahead: Int) -> Unicode.Scalar? {
    index + ahead < scalars.count ? scalars[index + ahead] : nil
  }

  private var position: SourcePosition {
    SourcePosition(line: line, column: index - lineStart + 1)
  }

  private mutating func advance() {
    let passed = scalars[index]
    index += 1
    if passed == "\n" || passed == "\r" && peek != "\n" {
      line += 1
      lineStart = index
    }
  }

  private mutating func take(_ matches: (Unicode.Scalar) -> Bool) -> String {
    let start = index
    while let next = peek, matches(next) { advance() }
    return slice(start)
  }

  private func slice(_ start: Int) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[start..<index])
    return String(view)
  }

  private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  private func isIdentifierStart(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "$" || scalar == "_" || scalar.properties.isXIDStart
  }

  private func isIdentifierPart(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "$" || scalar == "_" || scalar.properties.isXIDContinue
  }

  // MARK: - Errors

  private func error(_ message: String) -> JSON5Error {
    JSON5Error(position: position, message: message)
  }

  private func expected(_ what: String) -> JSON5Error {
    error("found \(peek.map(quoted) ?? "the end of the file"); expected \(what)")
  }

  private func unclosed(_ bracket: String, _ opened: SourcePosition) -> JSON5Error {
    error("the file ends before the `\(bracket)` at \(opened.line):\(opened.column) is closed")
  }

  private func quoted(_ scalar: Unicode.Scalar) -> String {
    scalar.properties.isWhitespace || Escape.isUnseen(scalar)
      ? "U+\(String(scalar.value, radix: 16, uppercase: true))" : "`\(scalar)`"
  }
}
