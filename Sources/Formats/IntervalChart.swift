/// Values with intervals, a row each, about zero (a forest plot), as SVG.
package struct IntervalChart: Sendable, Hashable {
  package struct Row: Sendable, Hashable {
    package var label: String
    package var value: Double
    package var low: Double
    package var high: Double
    /// Drawn with a full mark; the others, controls, with an empty one.
    package var isEmphasized: Bool

    package init(label: String, value: Double, low: Double, high: Double, isEmphasized: Bool) {
      self.label = label
      self.value = value
      self.low = low
      self.high = high
      self.isEmphasized = isEmphasized
    }
  }

  package var title: String
  package var xLabel: String
  package var rows: [Row]

  package init(title: String, xLabel: String, rows: [Row]) {
    self.title = title
    self.xLabel = xLabel
    self.rows = rows
  }

  /// A label's line and, below it, that of its interval.
  private static let rowHeight = 42.0
  private static let left = 20.0

  var names: [String] { rows.map(\.label) }

  package func svg(_ looks: ChartLooks = ChartLooks()) -> String {
    var looks = looks
    looks.add(names)
    let shown = rows.filter { $0.value.isFinite && $0.low.isFinite && $0.high.isFinite }
    let low = min(0, shown.map(\.low).min() ?? 0)
    let high = max(0, shown.map(\.high).max() ?? 1)
    let room = max(high - low, 1e-3) * 0.05
    let x = ChartAxis(
      .linear, low - room, high + room, from: Self.left, to: Double(ChartStyle.width) - 74)
    let (head, top) = ChartStyle.title(title, x: Self.left)
    let bottom = top + Double(max(shown.count, 1)) * Self.rowHeight + 4
    var body = head
    for tick in x.ticks(6) {
      let place = x.place(tick)
      body += ChartStyle.line(place, top, place, bottom, "class=\"grid\"")
      body += ChartStyle.text(ChartStyle.label(tick), place, bottom + 19, anchor: "middle")
    }
    body += ChartStyle.line(x.place(0), top, x.place(0), bottom, "class=\"axis\"")
    let most = Int((Double(ChartStyle.width) - 2 * Self.left) / ChartStyle.letter)
    for (index, row) in shown.enumerated() {
      let y = top + Double(index) * Self.rowHeight + 32
      let look = looks.look(of: row.label)
      body += ChartStyle.note(ChartStyle.fitted(row.label, most), Self.left, y - 13)
      // Without dashes: an interval ends where its line does.
      body += ChartStyle.line(
        x.place(row.low), y, x.place(row.high), y,
        "stroke=\"\(look.color)\" stroke-width=\"2.5\"")
      body += look.mark(x.place(row.value), y, isFull: row.isEmphasized)
      let sign = row.value > 0 ? "+" : ""
      body += ChartStyle.text(sign + ChartStyle.label(row.value), x.end + 10, y + 5)
    }
    body += ChartStyle.text(xLabel, (x.start + x.end) / 2, bottom + 41, anchor: "middle")
    return ChartStyle.document(height: Int(bottom) + 56, title: title, body)
  }
}
