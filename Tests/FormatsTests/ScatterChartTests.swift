import Foundation
import Testing

@testable import Formats

@Suite("Scatter charts")
struct ScatterChartTests {
  private typealias Value = ScatterChart.Value

  private static func chart(_ points: [ScatterChart.Point]) -> ScatterChart {
    ScatterChart(
      title: "t", xLabel: "index", yLabel: "recall", points: points, least: 1e-5,
      levels: [.init(at: 0.9, label: "threshold 0.9")])
  }

  private static func point(_ name: String, _ x: Double, _ y: Double) -> ScatterChart.Point {
    .init(
      name: name, x: Value(x, low: x * 0.8, high: x * 1.2),
      y: Value(y, low: y - 0.02, high: y + 0.02))
  }

  /// Ends of the lines that cross at a point, by its colour.
  private func cross(_ svg: String, _ place: Int) throws -> [[Double]] {
    let color = ChartLook(place).color
    return svg.matches(
      of: try Regex(
        "<line x1=\"([^\"]+)\" y1=\"([^\"]+)\" x2=\"([^\"]+)\" y2=\"([^\"]+)\" stroke=\"\(color)\"")
    ).map { match in (1...4).compactMap { match.output[$0].substring.flatMap { Double($0) } } }
  }

  @Test("a mark has both its intervals, crossed, and decades are equally wide")
  func crosses() throws {
    let svg = Self.chart([Self.point("a", 0.01, 0.8), Self.point("b", 0.1, 0.8)]).svg()
    let (a, b) = (try cross(svg, 0), try cross(svg, 1))
    #expect(a.count == 2 && b.count == 2)
    // One lies, one stands, and they meet.
    #expect(a[0][1] == a[0][3] && a[0][0] < a[1][0] && a[1][0] < a[0][2])
    #expect(a[1][0] == a[1][2] && a[1][3] < a[0][1] && a[0][1] < a[1][1])
    // Of the decades from 0.001 to 1, for the lower end of the lesser lies below 0.01.
    #expect(abs(b[1][0] - a[1][0] - (640 - 24 - 68) / 3) < 0.02)
    #expect(!svg.contains(">0<"))
    #expect(svg.contains(">threshold 0.9<") && svg.contains(">a<") && svg.contains(">b<"))
  }

  @Test("what is 0, or less than the axis shows, stands in a strip of its own at the left")
  func strip() throws {
    let zero = Self.chart([Self.point("zero", 0, 0.8), Self.point("b", 0.1, 0.7)]).svg()
    #expect(zero.contains(">0<") && zero.contains(">zero<"))
    let (own, other) = (try cross(zero, 0), try cross(zero, 1))
    #expect(own.count == 2 && own[1][0] == 68 + 46)
    #expect(other[1][0] > 68 + 92)
    let less = Self.chart([Self.point("less", 1e-7, 0.8), Self.point("b", 0.1, 0.7)]).svg()
    #expect(less.contains("&lt; 1e-5<"))
    #expect(try cross(less, 0)[1][0] == 68 + 46)
    // Nothing but such.
    #expect(Self.chart([Self.point("zero", 0, 0.8)]).svg().contains(">zero<"))
  }

  @Test("names do not lie on each other, nor outside the chart")
  func names() throws {
    let long = String(repeating: "long", count: 30)
    let points = (0..<5).map { Self.point("model\($0)", 0.02, 0.8 + 0.002 * Double($0)) }
    let svg = Self.chart(points + [Self.point(long, 0.9, 0.8)]).svg()
    let places = svg.matches(of: #/<text x="([^"]+)" y="([^"]+)"[^>]*class="note">([^<]+)</#)
      .compactMap { match -> (x: Double, y: Double, width: Double)? in
        guard let x = Double(match.1), let y = Double(match.2), !match.3.contains("threshold")
        else { return nil }
        return (x, y, Double(match.3.count) * ChartStyle.letter)
      }
    #expect(places.count == 6)
    for (index, one) in places.enumerated() {
      #expect(one.x >= 0 && one.x + one.width <= 640)
      for other in places[(index + 1)...] {
        #expect(
          abs(one.y - other.y) >= 16 || one.x + one.width <= other.x
            || other.x + other.width <= one.x)
      }
    }
  }

  @Test("names are escaped, and what is no number is left out")
  func hostile() {
    let chart = Self.chart([
      Self.point("<script>", 0.1, 0.5), Self.point("n", .nan, 0.5), Self.point("m", -1, 0.5),
      .init(name: "i", x: Value(0.1), y: Value(0.5, low: -.infinity, high: 1)),
    ])
    let svg = chart.svg()
    #expect(svg == chart.svg() && svg.contains("&lt;script&gt;") && !svg.contains("<script>"))
    #expect(!svg.lowercased().contains("nan") && !svg.contains("inf"))
    for name in ["n", "m", "i"] { #expect(!svg.contains(">\(name)<")) }
    #expect(Self.chart([]).svg().hasPrefix("<svg"))
  }
}
