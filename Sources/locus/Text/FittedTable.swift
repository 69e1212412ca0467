import Formats
import Foundation

/// A table made as wide as a terminal, a step at a time until it fits: what is the same in every row stands
/// once below, heads and texts go on in further lines, and columns are left out, each time with a word on it.
/// One row alone is a line a column.
struct FittedTable {
  private let width: Int
  /// Says how all of it is to be had.
  private let whole: String
  private var columns: [Column]
  private let rows: Int
  private var notes: [String] = []
  private var cut = 0
  /// One row alone that is too wide: a line a column.
  private var isRecord = false

  private struct Column {
    var name: String
    var cells: [String]
    var isNumeric: Bool
    /// Of what stands below the head.
    var valueWidth: Int
    /// The longest part of the head that stands on one line.
    var head: Int
    var width = 0

    /// With the head on one line.
    var natural: Int { max(name.count, valueWidth) }

    init(_ name: String, _ cells: [String], isNumeric: Bool) {
      self.name = name
      self.cells = cells
      self.isNumeric = isNumeric
      valueWidth = cells.lazy.map(\.count).max() ?? 0
      head = FittedTable.parts(of: name).map(\.count).max() ?? 0
    }
  }

  /// Between two columns.
  private static let gap = 2
  /// No text is made narrower; the first column tells rows apart and needs a little more.
  private static let (leastOfFirst, least) = (22, 16)
  private static let mostLines = 6

  /// - Parameter dispensable: the columns that go first, in this order, before any text is broken into lines;
  ///   then the last ones.
  init(_ table: TextTable, width: Int, now: Date, dispensable: [String], whole: String) {
    let shown = Shown(now: now)
    self.width = width
    self.whole = whole
    rows = table.rows.count
    columns = table.columns.enumerated().map { index, name in
      Column(
        Escape.line(name), table.rows.map { shown.cell($0[index]) },
        isNumeric: !table.rows.isEmpty
          && table.rows.allSatisfy { $0[index].number != nil || $0[index] == .null })
    }
    isRecord = rows == 1 && !fits(columns.map(\.natural))
    if isRecord { return }
    if !fits(columns.map(\.natural)) { hoist() }
    if !fits(columns.map(\.natural)) {
      drop(dispensable)
      narrow()
    } else {
      for index in columns.indices { columns[index].width = columns[index].natural }
    }
  }

  private func fits(_ widths: [Int]) -> Bool {
    widths.reduce(0, +) + Self.gap * max(0, widths.count - 1) <= width
  }

  // MARK: - Steps

  private mutating func hoist() {
    guard rows > 1 else { return }
    var same: [String] = []
    var kept: [Column] = []
    for (index, column) in columns.enumerated() {
      if index > 0, Set(column.cells).count == 1 {
        if let value = column.cells.first, !value.isEmpty { same.append("\(column.name) \(value)") }
      } else {
        kept.append(column)
      }
    }
    columns = kept
    if !same.isEmpty { notes.append("in every row: " + same.joined(separator: ", ")) }
  }

  private mutating func drop(_ dispensable: [String]) {
    var left: [String] = []
    // What can be done without goes before any text is broken into lines.
    for name in dispensable where !fits(columns.map { limited($0, to: $0.valueWidth) }) {
      guard let place = columns.dropFirst().firstIndex(where: { $0.name == name }) else { continue }
      left.append(columns.remove(at: place).name)
    }
    while columns.count > 1, !fits(columns.indices.map { leastWidth(at: $0) }) {
      left.append(columns.removeLast().name)
    }
    // One end of an interval says nothing.
    if left.contains("ci_high"), columns.last?.name == "ci_low" {
      left.append(columns.removeLast().name)
    }
    if !left.isEmpty { notes.append("left out: \(left.joined(separator: ", ")) (\(whole))") }
  }

  private func leastWidth(at index: Int) -> Int {
    limited(columns[index], to: index == 0 ? Self.leastOfFirst : Self.least)
  }

  /// A column's width when its text may take so much: numbers stay whole.
  private func limited(_ column: Column, to limit: Int) -> Int {
    max(column.isNumeric ? column.valueWidth : min(column.valueWidth, limit), column.head)
  }

  /// As much for each text as there is room for.
  private mutating func narrow() {
    func widths(_ limit: Int) -> [Int] {
      columns.indices.map { index in
        limited(columns[index], to: index == 0 ? max(limit, Self.leastOfFirst) : limit)
      }
    }
    var limit = max(width, 1)
    while limit > Self.least, !fits(widths(limit)) { limit -= 1 }
    var chosen = widths(limit)
    for index in chosen.indices {
      // A head stands on one line where that takes nothing from anybody.
      var wider = chosen
      wider[index] = max(chosen[index], columns[index].name.count)
      if fits(wider) { chosen = wider }
      // One column alone has nothing to make room for it.
      columns[index].width = columns.count == 1 ? min(chosen[index], max(width, 1)) : chosen[index]
    }
  }

  // MARK: - Text

  var text: String {
    if isRecord { return record }
    var table = self
    var lines = table.lines(columns.map(\.name), mayCut: false)
    lines.append(line(columns.map { String(repeating: "-", count: $0.width) }))
    for row in 0..<rows { lines += table.lines(columns.map { $0.cells[row] }, mayCut: true) }
    if table.cut > 0 { table.notes.append("texts that are cut: \(table.cut) (\(whole))") }
    lines += table.notes.flatMap { Self.wrapped($0, width, behind: [" "]) }
    return lines.map { $0 + "\n" }.joined()
  }

  private var record: String {
    let names = columns.map(\.name.count).max() ?? 0
    return columns.filter { !$0.cells[0].isEmpty }.flatMap { column in
      Self.wrapped(column.cells[0], max(width - names - Self.gap, 20)).enumerated().map {
        let name = $0 == 0 ? column.name : ""
        return name + String(repeating: " ", count: names - name.count + Self.gap) + $1 + "\n"
      }
    }.joined()
  }

  /// A row in as many lines as its highest cell needs.
  private mutating func lines(_ cells: [String], mayCut: Bool) -> [String] {
    var blocks = zip(columns, cells).map { Self.wrapped($1, $0.width) }
    for index in blocks.indices where mayCut && blocks[index].count > Self.mostLines {
      blocks[index] = Array(blocks[index].prefix(Self.mostLines))
      blocks[index][Self.mostLines - 1] =
        String(blocks[index][Self.mostLines - 1].prefix(columns[index].width - 1)) + "…"
      cut += 1
    }
    let height = blocks.map(\.count).max() ?? 0
    return (0..<height).map { at in line(blocks.map { at < $0.count ? $0[at] : "" }) }
  }

  private func line(_ cells: [String]) -> String {
    var text = zip(columns, cells).map { column, cell in
      let space = String(repeating: " ", count: max(0, column.width - cell.count))
      return column.isNumeric ? space + cell : cell + space
    }.joined(separator: String(repeating: " ", count: Self.gap))
    while text.last == " " { text.removeLast() }
    return text
  }

  // MARK: - Wrapping

  /// Behind these a line may end.
  private static let ends: Set<Character> = [" ", ",", "_", "-", "/", "[", "]", "=", ";", ":"]

  static func parts(of text: String, behind ends: Set<Character> = ends) -> [String] {
    var parts: [String] = [""]
    for character in text {
      parts[parts.count - 1].append(character)
      if ends.contains(character) { parts.append("") }
    }
    return parts.filter { !$0.isEmpty }
  }

  /// Lines of at most `width` characters.
  static func wrapped(_ text: String, _ width: Int, behind ends: Set<Character> = ends)
    -> [String]
  {
    if text.count <= width { return [text] }
    var lines: [String] = []
    var current = ""
    for part in parts(of: text, behind: ends) {
      var part = part
      // A blank at a line's end takes no room.
      if current.count + part.count - (part.last == " " ? 1 : 0) > width, !current.isEmpty {
        lines.append(current)
        current = ""
      }
      while part.count > width {
        lines.append(String(part.prefix(width)))
        part = String(part.dropFirst(width))
      }
      current += part
    }
    if !current.isEmpty { lines.append(current) }
    return lines.map { $0.last == " " ? String($0.dropLast()) : $0 }
  }
}
