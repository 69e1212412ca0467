/// Values with intervals, a row each, about zero (a forest plot), as SVG for light and dark pages.
package struct IntervalChart: Sendable {
  package struct Row: Sendable {
    package var label: String
    package var value: Double
    package var low: Double
    package var high: Double
    /// Drawn in colour; the others, controls, in grey.
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

  private static let width = 760
  private static let rowHeight = 30.0
  private static let top = 44.0

  package func svg() -> String {
    let shown = rows.filter { $0.value.isFinite && $0.low.isFinite && $0.high.isFinite }
    let longest = Double(shown.map(\.label.count).max() ?? 0)
    let left = min(max(90, longest * 7.2 + 24), 380)
    let low = min(0, shown.map(\.low).min() ?? 0)
    let high = max(0, shown.map(\.high).max() ?? 1)
    let room = max(high - low, 1e-3) * 0.05
    let x = ChartAxis(
      .linear, low - room, high + room, from: left, to: Double(Self.width) - 90)
    let bottom = Self.top + Double(max(shown.count, 1)) * Self.rowHeight
    var body = ChartStyle.text(title, 16, 22, attributes: " class=\"title\"")
    for tick in x.ticks(6) {
      let place = x.place(tick)
      body += ChartStyle.line(place, Self.top, place, bottom, "class=\"grid\"")
      body += ChartStyle.text(ChartStyle.label(tick), place, bottom + 18, anchor: "middle")
    }
    body += ChartStyle.line(x.place(0), Self.top, x.place(0), bottom, "class=\"axis\"")
    for (index, row) in shown.enumerated() {
      let y = Self.top + (Double(index) + 0.5) * Self.rowHeight
      let color = row.isEmphasized ? ChartStyle.colors[0] : "#888888"
      body += ChartStyle.text(row.label, left - 12, y + 4, anchor: "end")
      body += ChartStyle.line(
        x.place(row.low), y, x.place(row.high), y, "stroke=\"\(color)\" stroke-width=\"2.5\"")
      body +=
        "<circle cx=\"\(ChartStyle.number(x.place(row.value)))\" cy=\"\(ChartStyle.number(y))\" "
        + "r=\"4.5\" fill=\"\(color)\"/>\n"
      let sign = row.value > 0 ? "+" : ""
      body += ChartStyle.text(sign + ChartStyle.label(row.value), x.end + 12, y + 4)
    }
    body += ChartStyle.text(xLabel, (x.start + x.end) / 2, bottom + 38, anchor: "middle")
    return ChartStyle.document(width: Self.width, height: Int(bottom) + 50, title: title, body)
  }
}
