import Foundation

/// A markdown page under way, with the pictures that lie beside it.
struct Page {
  private(set) var text = ""
  private(set) var pictures: [(name: String, content: Data)] = []
  /// Relative to the page.
  private let pictureFolder: String

  init(pictureFolder: String) { self.pictureFolder = pictureFolder }

  mutating func heading(_ title: String, level: Int = 2) {
    paragraph(String(repeating: "#", count: level) + " " + title)
  }

  mutating func paragraph(_ words: String) { text += words + "\n\n" }

  mutating func table(_ columns: [String], _ rows: [[String]]) {
    text += "| " + columns.joined(separator: " | ") + " |\n"
    text += "|" + String(repeating: " --- |", count: columns.count) + "\n"
    for row in rows { text += "| " + row.joined(separator: " | ") + " |\n" }
    text += "\n"
  }

  mutating func code(_ content: String, language: String = "") {
    // A fence longer than any in the content.
    let fence = content.contains("```") ? "`````" : "```"
    text += "\(fence)\(language)\n\(content)\n\(fence)\n\n"
  }

  /// The query that yields a section's numbers, to be given to `locus query` or `sqlite3`.
  mutating func query(_ sql: String) {
    paragraph("Query: `\(sql)`")
  }

  mutating func picture(_ name: String, _ content: Data, alternative: String) {
    pictures.append((name, content))
    paragraph("![\(Markdown.escape(alternative))](\(pictureFolder)/\(name))")
  }

  mutating func details(_ summary: String, _ body: (inout Page) -> Void) {
    text += "<details><summary>\(Markdown.escape(summary))</summary>\n\n"
    body(&self)
    text += "</details>\n\n"
  }
}

enum Markdown {
  /// Names come from files: nothing in them may become markup.
  static func escape(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "|", "*", "_", "[", "]", "`", "\\", "#", "~": result += "\\\(character)"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\n", "\r": result += " "
      default: result.append(character)
      }
    }
    return result
  }

  /// A name as code, whatever is in it.
  static func name(_ text: String) -> String {
    "`"
      + text.replacingOccurrences(of: "`", with: "'").replacingOccurrences(of: "|", with: "¦")
      .replacingOccurrences(of: "\n", with: " ") + "`"
  }

  static func number(_ value: Double, digits: Int = 2) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// `0.93 [0.90, 0.96]`.
  static func interval(_ value: Double, _ low: Double?, _ high: Double?, digits: Int = 2) -> String
  {
    guard let low, let high else { return number(value, digits: digits) }
    return number(value, digits: digits)
      + " [\(number(low, digits: digits)), \(number(high, digits: digits))]"
  }

  static func signed(_ value: Double, digits: Int = 2) -> String {
    (value > 0 ? "+" : "") + number(value, digits: digits)
  }

  /// SQL text for a query that is shown: quotes doubled.
  static func sql(_ text: String) -> String {
    "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
  }
}
