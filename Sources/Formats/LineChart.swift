import Foundation

/// Lines with interval bands, as SVG.
package struct LineChart: Sendable, Hashable {
  package struct Point: Sendable, Hashable {
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
  package struct Series: Sendable, Hashable {
    package var name: String
    package var points: [Point]
    /// Whose colour it has; by default its own name's.
    package var subject: String
    /// A thin grey line without marks, for scale.
    package var isReference: Bool

    package init(
      name: String, points: [Point], subject: String? = nil, isReference: Bool = false
    ) {
      self.name = name
      self.points = points
      self.subject = subject ?? name
      self.isReference = isReference
    }
  }
  /// A line across the plot with a label.
  package struct Mark: Sendable, Hashable {
    package var at: Double
    package var label: String

    package init(at: Double, label: String) {
      self.at = at
      self.label = label
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
  /// Whether what lies below a logarithmic axis, 0 too, is shown in a strip of its own.
  package var showsLess: Bool
  /// Vertical lines.
  package var marks: [Mark]
  /// Horizontal lines.
  package var levels: [Mark]

  package init(
    title: String, xLabel: String, yLabel: String, series: [Series], xScale: ChartScale = .linear,
    yScale: ChartScale = .linear, yRange: ClosedRange<Double>? = nil, showsLess: Bool = false,
    marks: [Mark] = [], levels: [Mark] = []
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
    self.xScale = xScale
    self.yScale = yScale
    self.yRange = yRange
    self.showsLess = showsLess
    self.marks = marks
    self.levels = levels
  }

  private static let plotHeight = 300.0
  private static let stripHeight = 26.0
  private static let left = 68.0

  var names: [String] { series.filter { !$0.isReference }.map(\.subject) }

  package func svg(_ looks: ChartLooks = ChartLooks()) -> String {
    var looks = looks
    looks.add(names)
    let shown = series.map { one -> Series in
      var copy = one
      copy.points = one.points.filter { point in
        point.x.isFinite && point.y.isFinite && (xScale == .linear || point.x > 0)
          && (yScale == .linear || point.y > 0 || showsLess && point.y == 0)
      }
      return copy
    }
    let (head, top) = ChartStyle.title(title, x: 20)
    let plot = plot(shown.flatMap(\.points), top: top)
    let legend = ChartLegend(shown, looks)
    let body =
      head + frame(plot) + shown.map { draw($0, looks.look(of: $0.subject), plot) }.joined()
      + notes(plot) + legend.svg(y: plot.bottom + 64)
    return ChartStyle.document(
      height: Int(plot.bottom) + 58 + legend.height, title: title, body)
  }

  private struct Plot {
    var x: ChartAxis
    var y: ChartAxis
    /// Where everything lies that is less than the axis shows.
    var bottom: Double
    /// Whether there are whole numbers alone from left to right.
    var isWhole: Bool

    func place(_ value: Double) -> Double {
      value < y.low ? bottom : min(max(y.place(value), y.end), y.start)
    }
  }

  private func plot(_ points: [Point], top: Double) -> Plot {
    let xs = points.map(\.x) + marks.map(\.at).filter(\.isFinite)
    let ys = points.flatMap { [$0.y, $0.low ?? $0.y, $0.high ?? $0.y] }.filter {
      $0.isFinite && (yScale == .linear || $0 > 0)
    }
    let range = yRange ?? (ys.min() ?? 0)...(ys.max() ?? 1)
    let bottom = top + Self.plotHeight
    let isLess = points.contains { min($0.y, $0.low ?? $0.y) < range.lowerBound }
    return Plot(
      x: ChartAxis(
        xScale, xs.min() ?? 0, xs.max() ?? 1, from: Self.left, to: Double(ChartStyle.width) - 24),
      y: ChartAxis(
        yScale, range.lowerBound, range.upperBound,
        from: showsLess && isLess ? bottom - Self.stripHeight : bottom, to: top),
      bottom: bottom, isWhole: xs.allSatisfy { $0 == $0.rounded() })
  }

  private func frame(_ plot: Plot) -> String {
    let (x, y) = (plot.x, plot.y)
    var body = ""
    var ticks = y.ticks(5).map { (y.place($0), ChartStyle.label($0)) }
    if plot.bottom > y.start { ticks.append((plot.bottom, "less")) }
    for (place, label) in ticks {
      body += ChartStyle.line(x.start, place, x.end, place, "class=\"grid\"")
      body += ChartStyle.text(label, x.start - 8, place + 5, anchor: "end")
    }
    for tick in x.ticks(8, isWhole: plot.isWhole) {
      let place = x.place(tick)
      body += ChartStyle.line(place, plot.bottom, place, plot.bottom + 5, "class=\"axis\"")
      body += ChartStyle.text(ChartStyle.label(tick), place, plot.bottom + 21, anchor: "middle")
    }
    body += ChartStyle.line(x.start, plot.bottom, x.end, plot.bottom, "class=\"axis\"")
    let dashed = "class=\"axis\" stroke-dasharray=\"4 4\""
    for mark in marks where mark.at.isFinite {
      let place = x.place(mark.at)
      body += ChartStyle.line(place, plot.bottom, place, y.end, dashed)
    }
    for level in levels where level.at >= y.low && level.at <= y.high {
      let place = y.place(level.at)
      body += ChartStyle.line(x.start, place, x.end, place, dashed)
    }
    body += ChartStyle.text(xLabel, (x.start + x.end) / 2, plot.bottom + 42, anchor: "middle")
    let middle = ChartStyle.number((plot.bottom + y.end) / 2)
    return body
      + ChartStyle.text(
        yLabel, 0, 0, anchor: "middle",
        attributes: " transform=\"translate(18 \(middle)) rotate(-90)\"")
  }

  /// What marks and levels are, above all that is drawn.
  private func notes(_ plot: Plot) -> String {
    let (x, y) = (plot.x, plot.y)
    return marks.filter(\.at.isFinite).map { mark in
      let place = x.place(mark.at)
      let isLate = place > (x.start + x.end) / 2
      return ChartStyle.note(
        mark.label, place + (isLate ? -6 : 6), plot.bottom - 8, anchor: isLate ? "end" : "start")
    }.joined()
      + levels.filter { $0.at >= y.low && $0.at <= y.high }.map {
        ChartStyle.note($0.label, x.end, y.place($0.at) - 6, anchor: "end")
      }.joined()
  }

  private func draw(_ one: Series, _ look: ChartLook, _ plot: Plot) -> String {
    if one.points.isEmpty { return "" }
    var body = ""
    let banded = one.points.filter { $0.low?.isFinite == true && $0.high?.isFinite == true }
    if banded.count > 1 {
      let upper = banded.map { (plot.x.place($0.x), plot.place($0.high ?? $0.y)) }
      let lower = banded.reversed().map { (plot.x.place($0.x), plot.place($0.low ?? $0.y)) }
      let color = one.isReference ? ChartLook.gray : look.color
      body +=
        "<polygon points=\"\(ChartStyle.path(upper + lower))\" fill=\"\(color)\" "
        + "fill-opacity=\"0.16\"/>\n"
    }
    let line = one.points.map { (plot.x.place($0.x), plot.place($0.y)) }
    body +=
      "<polyline points=\"\(ChartStyle.path(line))\" fill=\"none\" "
      + "\(ChartLegend.stroke(one, look))/>\n"
    // Marks only where they can be told apart.
    if !one.isReference, line.count <= 40 {
      for point in line { body += look.mark(point.0, point.1) }
    }
    return body
  }
}

/// The names below a chart, each beside a piece of its line, in as many columns as there is room for.
struct ChartLegend {
  private let entries: [(series: LineChart.Series, look: ChartLook)]
  private let columns: Int

  private static let left = 20.0
  private static let rowHeight = 22.0
  /// Of the piece of line: every dash pattern once and a half.
  private static let sample = 34.0

  private static let room = Double(ChartStyle.width) - 2 * left

  init(_ series: [LineChart.Series], _ looks: ChartLooks) {
    entries = series.map { ($0, looks.look(of: $0.subject)) }
    let longest = Double(series.map(\.name.count).max() ?? 0) * ChartStyle.letter
    columns = max(1, Int(Self.room / (Self.sample + 8 + longest + 12)))
  }

  var height: Int {
    Int(Double((entries.count + columns - 1) / columns) * Self.rowHeight)
  }

  func svg(y: Double) -> String {
    let most = Int((Self.room - Self.sample - 8) / ChartStyle.letter)
    let names = ChartStyle.fitted(entries.map(\.series.name), most)
    return entries.enumerated().map { index, entry in
      let x = Self.left + Double(index % columns) * Self.room / Double(columns)
      let line = y + Double(index / columns) * Self.rowHeight
      return ChartStyle.line(
        x, line - 5, x + Self.sample, line - 5, Self.stroke(entry.series, entry.look))
        + (entry.series.isReference ? "" : entry.look.mark(x + Self.sample / 2, line - 5))
        + ChartStyle.text(names[index], x + Self.sample + 8, line)
    }.joined()
  }

  static func stroke(_ series: LineChart.Series, _ look: ChartLook) -> String {
    series.isReference
      ? "stroke=\"\(ChartLook.gray)\" stroke-width=\"1.2\" stroke-dasharray=\"3 3\"" : look.line
  }
}
