import Foundation

/// Named marks with an interval in both directions, over a logarithmic axis, as SVG.
package struct ScatterChart: Sendable, Hashable {
  package struct Value: Sendable, Hashable {
    package var value: Double
    package var low: Double
    package var high: Double

    package init(_ value: Double, low: Double? = nil, high: Double? = nil) {
      self.value = value
      self.low = low ?? value
      self.high = high ?? value
    }

    fileprivate var isFinite: Bool { value.isFinite && low.isFinite && high.isFinite }
  }
  package struct Point: Sendable, Hashable {
    package var name: String
    package var x: Value
    package var y: Value

    package init(name: String, x: Value, y: Value) {
      self.name = name
      self.x = x
      self.y = y
    }
  }

  package var title: String
  package var xLabel: String
  package var yLabel: String
  package var points: [Point]
  /// What is less, 0 too, stands in a strip at the left edge.
  package var least: Double
  package var levels: [LineChart.Mark]

  package init(
    title: String, xLabel: String, yLabel: String, points: [Point], least: Double,
    levels: [LineChart.Mark] = []
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.points = points
    self.least = least
    self.levels = levels
  }

  private static let plotHeight = 300.0
  private static let stripWidth = 92.0
  private static let left = 68.0
  /// Where a name may begin, above or below its mark.
  private static let rows = [-16.0, 2, -32, 18, -48, 34, -64, 50]

  var names: [String] { points.map(\.name) }

  package func svg(_ looks: ChartLooks = ChartLooks()) -> String {
    var looks = looks
    looks.add(names)
    let shown = points.filter { $0.x.isFinite && $0.y.isFinite && $0.x.value >= 0 }
    let (head, top) = ChartStyle.title(title, x: 20)
    let plot = plot(shown, top: top)
    let body =
      head + frame(plot, shown) + shown.map { draw($0, looks.look(of: $0.name), plot) }.joined()
      + names(shown, plot)
    return ChartStyle.document(height: Int(plot.bottom) + 56, title: title, body)
  }

  private struct Plot {
    var x: ChartAxis
    var y: ChartAxis
    /// Where the strip and the axis end.
    var left: Double
    var right: Double
    var top: Double
    var bottom: Double

    var hasStrip: Bool { left < x.start }

    func across(_ value: Double) -> Double {
      value < x.low ? (left + x.start) / 2 : min(x.place(value), x.end)
    }
    func up(_ value: Double) -> Double { min(max(y.place(value), top), bottom) }
  }

  private func plot(_ shown: [Point], top: Double) -> Plot {
    let told = shown.map(\.x).filter { $0.value >= least }
    let ends = told.flatMap { [max($0.low, least), $0.high] }
    let low = pow(10, floor(log10(ends.min() ?? least) + 1e-9))
    let high = max(pow(10, ceil(log10(ends.max() ?? least) - 1e-9)), low * 10)
    // Whole tenths, so that the least mark does not stand on the axis.
    let ys = shown.flatMap { [$0.y.low, $0.y.high] } + levels.map(\.at).filter(\.isFinite)
    let lowest = floor((ys.min() ?? 0) * 10 - 0.2) / 10
    let highest = ceil((ys.max() ?? 1) * 10 + 0.2) / 10
    let (left, right) = (Self.left, Double(ChartStyle.width) - 24)
    let bottom = top + Self.plotHeight
    return Plot(
      x: ChartAxis(
        .logarithmic, low, high,
        from: told.count < shown.count ? left + Self.stripWidth : left, to: right),
      y: ChartAxis(.linear, lowest, highest, from: bottom, to: top), left: left, right: right,
      top: top, bottom: bottom)
  }

  private func frame(_ plot: Plot, _ shown: [Point]) -> String {
    let (x, y) = (plot.x, plot.y)
    var body = ""
    for tick in y.ticks(5) {
      body += ChartStyle.line(plot.left, y.place(tick), plot.right, y.place(tick), "class=\"grid\"")
      body += ChartStyle.text(
        ChartStyle.label(tick), plot.left - 8, y.place(tick) + 5, anchor: "end")
    }
    var ticks = x.ticks(8).map { (x.place($0), ChartStyle.label($0)) }
    let dashed = "class=\"axis\" stroke-dasharray=\"4 4\""
    if plot.hasStrip {
      let isZero = shown.allSatisfy { $0.x.value == 0 || $0.x.value >= least }
      ticks.append((plot.across(0), isZero ? "0" : "< \(ChartStyle.label(least))"))
      body += ChartStyle.line(x.start, plot.top, x.start, plot.bottom, dashed)
    }
    for (place, label) in ticks {
      body += ChartStyle.line(place, plot.bottom, place, plot.bottom + 5, "class=\"axis\"")
      body += ChartStyle.text(label, place, plot.bottom + 21, anchor: "middle")
    }
    body += ChartStyle.line(plot.left, plot.bottom, plot.right, plot.bottom, "class=\"axis\"")
    for level in levels where level.at.isFinite {
      let place = plot.up(level.at)
      body += ChartStyle.line(plot.left, place, plot.right, place, dashed)
      body += ChartStyle.note(level.label, plot.right, place - 6, anchor: "end")
    }
    body += ChartStyle.text(
      xLabel, (plot.left + plot.right) / 2, plot.bottom + 42, anchor: "middle")
    let middle = ChartStyle.number((plot.bottom + plot.top) / 2)
    return body
      + ChartStyle.text(
        yLabel, 0, 0, anchor: "middle",
        attributes: " transform=\"translate(18 \(middle)) rotate(-90)\"")
  }

  private func draw(_ point: Point, _ look: ChartLook, _ plot: Plot) -> String {
    let (x, y) = (plot.across(point.x.value), plot.up(point.y.value))
    let stroke = "stroke=\"\(look.color)\" stroke-width=\"2.5\""
    return ChartStyle.line(plot.across(point.x.low), y, plot.across(point.x.high), y, stroke)
      + ChartStyle.line(x, plot.up(point.y.low), x, plot.up(point.y.high), stroke)
      + look.mark(x, y)
  }

  /// Beside its mark each, where no other name or mark stands.
  private func names(_ shown: [Point], _ plot: Plot) -> String {
    struct Box {
      var x: Double
      var y: Double
      var width: Double
      var height: Double

      func overlaps(_ other: Box) -> Bool {
        x < other.x + other.width && other.x < x + width && y < other.y + other.height
          && other.y < y + height
      }
    }
    var taken = shown.map { point in
      Box(
        x: plot.across(point.x.value) - 6, y: plot.up(point.y.value) - 6, width: 12, height: 12)
    }
    taken += levels.filter(\.at.isFinite).map { level in
      let width = Double(level.label.count) * ChartStyle.letter
      return Box(x: plot.right - width, y: plot.up(level.at) - 18, width: width, height: 16)
    }
    let most = Int((plot.right - plot.left) / 2 / ChartStyle.letter)
    return shown.map { point in
      let name = ChartStyle.fitted(point.name, most)
      let width = Double(name.count) * ChartStyle.letter
      let (x, y) = (plot.across(point.x.value), plot.up(point.y.value))
      var places: [Box] = []
      for row in Self.rows {
        for left in [x + 9, x - 9 - width] {
          let isWithin =
            left >= plot.left && left + width <= plot.right && y + row >= plot.top
            && y + row + 16 <= plot.bottom
          if isWithin { places.append(Box(x: left, y: y + row, width: width, height: 16)) }
        }
      }
      let free = places.first { place in !taken.contains { $0.overlaps(place) } }
      let box = free ?? places.first ?? Box(x: plot.left, y: y, width: width, height: 16)
      taken.append(box)
      return ChartStyle.note(name, box.x, box.y + 12)
    }.joined()
  }
}
