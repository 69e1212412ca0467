import Formats

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

  var text: String {
    let width = fields.map(\.name.count).max() ?? 0
    var text = ""
    for (name, value) in fields where value != .null {
      let shown = Escape.terminal(value.string ?? value.canonicalText())
      text += name + String(repeating: " ", count: width - name.count + 2)
      // Further lines of a value stand below its first.
      text += shown.split(separator: "\n", omittingEmptySubsequences: false)
        .joined(separator: "\n" + String(repeating: " ", count: width + 2))
      text += "\n"
    }
    for (title, table) in sections { text += "\n\(title)\n\(table.text(.table))" }
    return text
  }

  var json: String {
    var members = Dictionary(fields, uniquingKeysWith: { first, _ in first })
    for (title, table) in sections { members[title] = .array(table.objects) }
    return JSONValue.object(members).prettyText() + "\n"
  }
}
