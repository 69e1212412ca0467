/// Text from outside, made part of another syntax: the one home of escaping, a function a syntax.
///
/// All of it works on Unicode scalars. A quotation mark followed by a combining mark is one `Character`,
/// equal to neither of them: who looks for the mark by `Character`, or by Foundation's search, misses it,
/// and the shell, the parser or the terminal that reads bytes does not.
package enum Escape {
  /// Text for people, lines kept: what a terminal would obey, or what turns the order of letters round,
  /// is shown as `\u{1b}`.
  package static func terminal(_ text: String) -> String {
    if isPlain(text) { return text }
    return replacing(text) { isUnseen($0) && $0 != "\n" && $0 != "\t" ? shown($0) : nil }
  }

  /// As `terminal`, on one line: ends of lines and tabulators become blanks.
  package static func line(_ text: String) -> String {
    if isPlain(text), !text.utf8.contains(where: { $0 < 32 }) { return text }
    return replacing(text) { scalar in
      switch scalar {
      case "\n", "\r", "\t", "\u{85}", "\u{2028}", "\u{2029}": " "
      default: isUnseen(scalar) ? shown(scalar) : nil
      }
    }
  }

  /// In quotation marks, for a message: control characters escaped, shortened to 60 scalars.
  package static func message(_ text: String) -> String {
    let scalars = text.unicodeScalars
    let start = replacing(String(String.UnicodeScalarView(scalars.prefix(60)))) { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\n": "\\n"
      default: isUnseen(scalar) ? shown(scalar) : nil
      }
    }
    return "\"\(start)\(scalars.count > 60 ? "…" : "")\""
  }

  /// A JSON text with its quotation marks, added to `result`.
  package static func json(_ text: String, into result: inout String) {
    result += "\""
    // Nothing to escape, as nearly always: every byte is printable ASCII but the quote and the slash.
    if text.utf8.allSatisfy({ (32..<127).contains($0) && $0 != 34 && $0 != 92 }) {
      result += text
    } else {
      result += replacing(text) { scalar in
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case _ where scalar.value < 32 || scalar.value == 0x2028 || scalar.value == 0x2029:
          "\\u" + hexadecimal(scalar, digits: 4)
        default: nil
        }
      }
    }
    result += "\""
  }

  /// One record of RFC 4180, with `\n` as the line end.
  package static func csvLine(_ fields: [String]) -> String {
    // An empty line would be no record at all.
    if fields == [""] { return "\"\"\n" }
    return fields.map(csvField).joined(separator: ",") + "\n"
  }

  private static func csvField(_ text: String) -> String {
    let needsQuotes = text.utf8.contains {
      $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n")
        || $0 == UInt8(ascii: "\r")
    }
    return needsQuotes ? "\"\(replacing(text) { $0 == "\"" ? "\"\"" : nil })\"" : text
  }

  /// A value as SQL text: quotes doubled.
  package static func sql(_ text: String) -> String {
    "'" + replacing(text) { $0 == "'" ? "''" : nil } + "'"
  }

  /// The name of a table or column in SQL.
  package static func sqlName(_ text: String) -> String {
    "\"" + replacing(text) { $0 == "\"" ? "\"\"" : nil } + "\""
  }

  // MARK: - Scalars

  /// The text with every scalar replaced for which there is a replacement.
  static func replacing(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let other = replacement(scalar) {
        result.append(contentsOf: other.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// Controls of ASCII and Latin-1, ends of lines, and what turns the direction of writing.
  static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<32, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F, 0xFEFF: true
    default: false
    }
  }

  /// How an unseen scalar is written out.
  static func shown(_ scalar: Unicode.Scalar) -> String { "\\u{\(hexadecimal(scalar, digits: 1))}" }

  /// Whether there is nothing but printable ASCII and line ends, which most text is.
  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { (32..<127).contains($0) || $0 == 10 || $0 == 9 }
  }

  private static func hexadecimal(_ scalar: Unicode.Scalar, digits: Int) -> String {
    let text = String(scalar.value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
