import Formats
import Foundation

/// One thing in full: fields, then tables.
struct Sheet {
  var fields: [(name: String, value: JSONValue)] = []
  var sections: [(title: String, table: TextTable)] = []

  /// The first row of a result as fields, in the order of the columns.
  mutating func add(_ table: TextTable) {
    guard let row = table.rows.first else { return }
    fields += zip(table.columns, row).map { (name: $0, value: $1) }
  }

  mutating func add(_ title: String, _ table: TextTable) {
    if !table.rows.isEmpty { sections.append((title, table)) }
  }

  func text(for console: Console) -> String {
    let names = fields.map(\.name.count).max() ?? 0
    let width = console.outputWidth()
    let shown = width.map { _ in Shown(now: Date()) }
    var text = ""
    for (name, value) in fields where value != .null {
      let words = Escape.terminal(
        shown?.field(name, value) ?? value.string ?? value.canonicalText())
      // Further lines of a value stand below its first.
      let lines = words.split(separator: "\n").flatMap { line in
        FittedTable.wrapped(String(line), width.map { max($0 - names - 2, 20) } ?? .max)
      }
      text += name + String(repeating: " ", count: names - name.count + 2)
      text += lines.joined(separator: "\n" + String(repeating: " ", count: names + 2)) + "\n"
    }
    for (title, table) in sections { text += "\n\(title)\n\(table.text(for: console))" }
    return text
  }

  var json: String {
    var members = Dictionary(fields, uniquingKeysWith: { first, _ in first })
    for (title, table) in sections { members[title] = .array(table.objects) }
    return JSONValue.object(members).prettyText() + "\n"
  }
}
