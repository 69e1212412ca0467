import Formats
import Foundation
import Lineage

/// Single values as people see them on a terminal.
struct Shown {
  let now: Date

  /// In a table, where there is little room.
  func cell(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .number(let number): Self.digits(number)
    case .string(let text): age(text) ?? Self.hash(text) ?? Escape.line(text)
    default: Escape.line(value.canonicalText())
    }
  }

  /// On a line of its own: a time is worth its room, and what is asked for by its hash is copied from here.
  func field(_ name: String, _ value: JSONValue) -> String {
    guard let text = value.string else { return cell(value) }
    if let age = age(text) { return "\(text) (\(age))" }
    return name == "git_commit" ? Self.hash(text) ?? text : text
  }

  /// Four significant digits, three below 1; whole numbers as they are.
  static func digits(_ value: Double) -> String {
    if value == value.rounded() || value.magnitude >= 1000 {
      return JSONValue.number(value.rounded()).canonicalText()
    }
    return String(format: value.magnitude < 1 ? "%.3g" : "%.4g", value)
  }

  /// `3 h ago`; `nil` for what is no time of the store, or is still to come.
  func age(_ text: String) -> String? {
    guard text.utf8.count == 24, text.hasSuffix("Z"), let time = instant(text) else { return nil }
    let seconds = Int(now.timeIntervalSince(time))
    if seconds < 0 { return nil }
    let (minute, hour, day) = (60, 3600, 86_400)
    switch seconds {
    case ..<minute: return "\(seconds) s ago"
    case ..<hour: return "\(seconds / minute) min ago"
    case ..<(2 * day): return "\(seconds / hour) h ago"
    case ..<(60 * day): return "\(seconds / day) d ago"
    case ..<(730 * day): return "\(seconds / (30 * day)) months ago"
    default: return "\(seconds / (365 * day)) years ago"
    }
  }

  /// The beginning of a commit or a SHA-256, by which commands find it; `nil` for anything else.
  private static func hash(_ text: String) -> String? {
    let length = text.utf8.count
    guard length == 40 || length == 64, text.utf8.allSatisfy(isHexadecimal) else { return nil }
    return String(text.prefix(length == 40 ? 8 : 12))
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
