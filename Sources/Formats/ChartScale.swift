import Foundation

/// How values fall on an axis.
package enum ChartScale: Sendable { case linear, logarithmic }

/// An axis: a range of values, the pixels that it covers, and round ticks.
struct ChartAxis {
  let scale: ChartScale
  let low: Double
  let high: Double
  let start: Double
  let end: Double

  /// Widens an empty range, so that there is always something to divide by.
  init(_ scale: ChartScale, _ low: Double, _ high: Double, from start: Double, to end: Double) {
    self.scale = scale
    switch scale {
    case .linear:
      self.low = low
      self.high = high > low ? high : low + 1
    case .logarithmic:
      self.low = max(low, 1e-300)
      self.high = high > self.low ? high : self.low * 10
    }
    self.start = start
    self.end = end
  }

  func place(_ value: Double) -> Double {
    let part =
      scale == .linear
      ? (value - low) / (high - low) : log(max(value, 1e-300) / low) / log(high / low)
    return start + part * (end - start)
  }

  /// Multiples of 1, 2 or 5 times a power of ten, about `count` of them; powers of ten on a log axis.
  func ticks(_ count: Int) -> [Double] {
    switch scale {
    case .linear:
      let rough = (high - low) / Double(max(count, 1))
      let power = pow(10, floor(log10(rough)))
      let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
      let first = Int((low / step - 1e-9).rounded(.up))
      let last = Int((high / step + 1e-9).rounded(.down))
      return first <= last ? (first...last).map { Double($0) * step } : [low]
    case .logarithmic:
      let first = Int(log10(low).rounded(.down))
      let last = Int(log10(high).rounded(.up))
      let decades = first <= last ? Array(first...last) : []
      // Over few decades powers of ten alone leave the axis bare.
      let factors: [Double] = decades.count > 4 ? [1] : [1, 2, 5]
      let all = decades.flatMap { decade in factors.map { $0 * pow(10, Double(decade)) } }
      return all.filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
    }
  }
}

/// The pieces that all charts share: colours that hold on light and dark pages, text, numbers.
enum ChartStyle {
  /// Okabe and Ito's colours, in a lightness that both pages bear.
  static let colors = [
    "#3a87c8", "#d9822b", "#2a9d78", "#c0609f", "#8f8228", "#7a6fd0", "#c8504a", "#4aa3a8",
  ]
  static let dashes = ["", "7 3", "2 3", "9 3 2 3"]

  static let style = """
    <style>
    text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f; }
    .title { font-size: 15px; font-weight: 600; }
    .grid { stroke: #888; stroke-opacity: 0.25; }
    .axis { stroke: #888; }
    @media (prefers-color-scheme: dark) { text { fill: #d0d7de; } }
    </style>
    """

  static func document(width: Int, height: Int, title: String, _ body: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
    viewBox="0 0 \(width) \(height)" role="img" aria-label="\(Escape.xml(title))">
    \(style)
    \(body)</svg>

    """
  }

  static func text(
    _ string: String, _ x: Double, _ y: Double, anchor: String = "start", attributes: String = ""
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\"\(attributes)>"
      + "\(Escape.xml(string))</text>\n"
  }

  static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ attributes: String
  ) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
      + "\(attributes)/>\n"
  }

  /// The mark of a series at a point: circle, square, triangle, diamond.
  static func marker(_ index: Int, _ x: Double, _ y: Double) -> String {
    let fill = "fill=\"\(colors[index % colors.count])\""
    func polygon(_ points: [(Double, Double)]) -> String {
      let list = points.map { "\(number(x + $0.0)),\(number(y + $0.1))" }.joined(separator: " ")
      return "<polygon points=\"\(list)\" \(fill)/>\n"
    }
    switch index % 4 {
    case 0: return "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"3.5\" \(fill)/>\n"
    case 1: return polygon([(-3.2, -3.2), (3.2, -3.2), (3.2, 3.2), (-3.2, 3.2)])
    case 2: return polygon([(0, -4.2), (4, 3.2), (-4, 3.2)])
    default: return polygon([(0, -4.4), (4.4, 0), (0, 4.4), (-4.4, 0)])
    }
  }

  /// Two decimals at most, the same on every machine.
  static func number(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
  }

  /// A tick's label.
  static func label(_ value: Double) -> String {
    if value == 0 { return "0" }
    let magnitude = abs(value)
    if magnitude >= 1e5 || magnitude < 1e-3 {
      let exponent = Int(floor(log10(magnitude) + 1e-9))
      let mantissa = value / pow(10, Double(exponent))
      let rounded = (mantissa * 10).rounded() / 10
      return "\(rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)")e\(exponent)"
    }
    let rounded = (value * 1000).rounded() / 1000
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}
