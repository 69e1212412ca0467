import Formats
import Foundation

/// Pieces of inline Markdown.
enum Markdown {
  /// Names come from files: nothing in them may become markup.
  static func escape(_ text: String) -> String { Escape.markdown(text) }

  /// A name as code, whatever is in it.
  static func name(_ text: String) -> String { Escape.markdownCodeCell(text) }

  /// Inline Markdown as it reads: without emphasis, code's backticks and what escapes them.
  static func plain(_ text: some StringProtocol) -> String {
    var result = ""
    var isEscaped = false
    for character in text {
      if !isEscaped && ["*", "`"].contains(character) { continue }
      isEscaped = !isEscaped && character == "\\"
      if !isEscaped { result.append(character) }
    }
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")] {
      result = result.replacingOccurrences(of: entity, with: character)
    }
    return result
  }

  static func number(_ value: Double, digits: Int = 2) -> String {
    let text = String(format: "%.\(digits)f", value)
    // What rounds to 0 has no sign.
    return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) }
      ? String(text.dropFirst()) : text
  }

  /// `0.93 [0.90, 0.96]`.
  static func interval(_ value: Double, _ low: Double?, _ high: Double?, digits: Int = 2) -> String
  {
    guard let low, let high else { return number(value, digits: digits) }
    return number(value, digits: digits)
      + " [\(number(low, digits: digits)), \(number(high, digits: digits))]"
  }

  static func interval(_ estimate: Estimate, digits: Int = 2) -> String {
    interval(estimate.value, estimate.low, estimate.high, digits: digits)
  }

  static func signed(_ value: Double, digits: Int = 2) -> String {
    (value > 0 ? "+" : "") + number(value, digits: digits)
  }

  /// On one line, wherever it stands.
  static func unbroken(_ text: String) -> String { text.replacing(" ", with: "\u{A0}") }

  /// With a digit more where an end would read as 0 and is not: on which side of 0 it lies is what counts.
  static func signed(_ estimate: Estimate, digits: Int = 2) -> String {
    let least = 0.5 * pow(10, -Double(digits))
    let isNear = [estimate.low, estimate.high].compactMap(\.self).contains {
      $0 != 0 && abs($0) < least
    }
    func text(_ value: Double) -> String { signed(value, digits: digits + (isNear ? 1 : 0)) }
    return "\(text(estimate.value)) [\(text(estimate.low ?? estimate.value)), "
      + "\(text(estimate.high ?? estimate.value))]"
  }

  /// What is not known, or does not exist.
  static let nothing = "–"

  static func count(_ value: Int?) -> String { value.map(String.init) ?? nothing }
}

/// Numbers as people write them: no trailing zeros.
enum ChartNumber {
  static func text(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 0x1p53 ? "\(Int(value))" : "\(value)"
  }
}

enum Scientific {
  /// `1.2e-5`; plain within three decades of 1.
  static func text(_ value: Double) -> String {
    if value == 0 { return "0" }
    if !value.isFinite { return value > 0 ? "∞" : "–" }
    let magnitude = abs(value)
    if magnitude >= 1e-3, magnitude < 1e3 {
      return Markdown.number(value, digits: magnitude < 0.1 ? 4 : magnitude < 10 ? 3 : 1)
    }
    return String(format: "%.1e", value)
  }
}
