import Foundation

/// Lines with interval bands, as SVG for light and dark pages.
package struct LineChart: Sendable {
  package struct Point: Sendable {
    package var x: Double
    package var y: Double
    /// The ends of the interval; none is drawn without them.
    package var low: Double?
    package var high: Double?

    package init(x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }
  package struct Series: Sendable {
    package var name: String
    package var points: [Point]
    /// A thin grey line without marks, for scale.
    package var isReference: Bool

    package init(name: String, points: [Point], isReference: Bool = false) {
      self.name = name
      self.points = points
      self.isReference = isReference
    }
  }

  package var title: String
  package var xLabel: String
  package var yLabel: String
  package var series: [Series]
  package var xScale: ChartScale
  package var yScale: ChartScale
  /// The values that the axis shows; by default those of the points.
  package var yRange: ClosedRange<Double>?
  /// Vertical lines with a label.
  package var marks: [(x: Double, label: String)]

  package init(
    title: String, xLabel: String, yLabel: String, series: [Series], xScale: ChartScale = .linear,
    yScale: ChartScale = .linear, yRange: ClosedRange<Double>? = nil,
    marks: [(x: Double, label: String)] = []
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
    self.xScale = xScale
    self.yScale = yScale
    self.yRange = yRange
    self.marks = marks
  }

  private static let width = 760
  private static let plotHeight = 300.0
  private static let left = 64.0
  private static let top = 44.0

  package func svg() -> String {
    let shown = series.map { one -> Series in
      var copy = one
      copy.points = one.points.filter { point in
        point.x.isFinite && point.y.isFinite && (xScale == .linear || point.x > 0)
          && (yScale == .linear || point.y > 0)
      }
      return copy
    }
    let points = shown.flatMap(\.points)
    let xs = points.map(\.x) + marks.map(\.x).filter(\.isFinite)
    let ys = points.flatMap { [$0.y, $0.low ?? $0.y, $0.high ?? $0.y] }.filter(\.isFinite)
    let range = yRange ?? (ys.min() ?? 0)...(ys.max() ?? 1)
    let bottom = Self.top + Self.plotHeight
    let x = ChartAxis(
      xScale, xs.min() ?? 0, xs.max() ?? 1, from: Self.left, to: Double(Self.width) - 24)
    let y = ChartAxis(yScale, range.lowerBound, range.upperBound, from: bottom, to: Self.top)
    let legend = legendRows(shown)
    var body = frame(x, y)
    for (index, one) in shown.enumerated() { body += draw(one, index, x, y) }
    body += legend.svg(y: bottom + 52)
    return ChartStyle.document(
      width: Self.width, height: Int(bottom) + 62 + legend.rows * 20, title: title, body)
  }

  private func frame(_ x: ChartAxis, _ y: ChartAxis) -> String {
    var body = ChartStyle.text(title, Self.left, 22, attributes: " class=\"title\"")
    for tick in y.ticks(5) {
      let place = y.place(tick)
      body += ChartStyle.line(x.start, place, x.end, place, "class=\"grid\"")
      body += ChartStyle.text(ChartStyle.label(tick), x.start - 8, place + 4, anchor: "end")
    }
    for tick in x.ticks(8) {
      let place = x.place(tick)
      body += ChartStyle.line(place, y.start, place, y.start + 5, "class=\"axis\"")
      body += ChartStyle.text(ChartStyle.label(tick), place, y.start + 19, anchor: "middle")
    }
    body += ChartStyle.line(x.start, y.start, x.end, y.start, "class=\"axis\"")
    for mark in marks where mark.x.isFinite {
      let place = x.place(mark.x)
      body += ChartStyle.line(
        place, y.start, place, y.end, "stroke=\"#888\" stroke-dasharray=\"4 4\"")
      body += ChartStyle.text(mark.label, place + 5, y.end + 12)
    }
    body += ChartStyle.text(xLabel, (x.start + x.end) / 2, y.start + 38, anchor: "middle")
    body += ChartStyle.text(
      yLabel, 0, 0, anchor: "middle",
      attributes:
        " transform=\"translate(16 \(ChartStyle.number((y.start + y.end) / 2))) rotate(-90)\"")
    return body
  }

  private func draw(_ one: Series, _ index: Int, _ x: ChartAxis, _ y: ChartAxis) -> String {
    if one.points.isEmpty { return "" }
    let color = one.isReference ? "#888888" : ChartStyle.colors[index % ChartStyle.colors.count]
    func clamp(_ value: Double) -> Double { min(max(y.place(value), y.end), y.start) }
    func path(_ points: [(Double, Double)]) -> String {
      points.map { "\(ChartStyle.number($0.0)),\(ChartStyle.number($0.1))" }.joined(separator: " ")
    }
    var body = ""
    let banded = one.points.filter { $0.low?.isFinite == true && $0.high?.isFinite == true }
    if banded.count > 1 {
      let upper = banded.map { (x.place($0.x), clamp($0.high ?? $0.y)) }
      let lower = banded.reversed().map { (x.place($0.x), clamp($0.low ?? $0.y)) }
      body +=
        "<polygon points=\"\(path(upper + lower))\" fill=\"\(color)\" fill-opacity=\"0.16\"/>\n"
    }
    let line = one.points.map { (x.place($0.x), clamp($0.y)) }
    let dash = one.isReference ? "3 3" : ChartStyle.dashes[index / 4 % ChartStyle.dashes.count]
    body +=
      "<polyline points=\"\(path(line))\" fill=\"none\" stroke=\"\(color)\" "
      + "stroke-width=\"\(one.isReference ? "1.2" : "2")\" stroke-dasharray=\"\(dash)\"/>\n"
    // Marks only where they can be told apart.
    if !one.isReference, line.count <= 40 {
      for point in line { body += ChartStyle.marker(index, point.0, point.1) }
    }
    return body
  }

  private struct Legend {
    var entries: [(index: Int, name: String, isReference: Bool, x: Double, row: Int)] = []
    var rows = 0

    func svg(y: Double) -> String {
      entries.map { entry in
        let line = y + Double(entry.row) * 20
        let color =
          entry.isReference ? "#888888" : ChartStyle.colors[entry.index % ChartStyle.colors.count]
        return ChartStyle.line(
          entry.x, line - 4, entry.x + 22, line - 4, "stroke=\"\(color)\" stroke-width=\"2\"")
          + (entry.isReference ? "" : ChartStyle.marker(entry.index, entry.x + 11, line - 4))
          + ChartStyle.text(entry.name, entry.x + 28, line)
      }.joined()
    }
  }

  private func legendRows(_ shown: [Series]) -> Legend {
    var legend = Legend()
    var x = Self.left
    var row = 0
    for (index, one) in shown.enumerated() {
      // About seven pixels a letter.
      let needed = 28 + Double(one.name.count) * 7.2 + 22
      if x > Self.left, x + needed > Double(Self.width) - 10 {
        x = Self.left
        row += 1
      }
      legend.entries.append((index, one.name, one.isReference, x, row))
      x += needed
    }
    legend.rows = shown.isEmpty ? 0 : row + 1
    return legend
  }
}
