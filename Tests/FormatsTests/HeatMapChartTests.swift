import Foundation
import Testing

@testable import Formats

@Suite("Heat maps")
struct HeatMapChartTests {
  private static func chart(_ words: [String], _ value: (Int, Int) -> Double?) -> HeatMapChart {
    HeatMapChart(
      title: "t", xLabel: "x", yLabel: "y", columns: words, rows: words,
      values: words.indices.map { row in words.indices.map { value(row, $0) } })
  }

  private func count(_ svg: String, _ text: String) -> Int {
    svg.components(separatedBy: text).count - 1
  }

  @Test("a square for each value that there is, the fuller the larger, of another colour below 0")
  func squares() {
    let svg = Self.chart(["red", "blue"]) { row, column in
      row == column ? nil : row == 0 ? 0.5 : -1
    }.svg()
    #expect(count(svg, "fill-opacity") == 2)
    #expect(svg.contains("fill=\"#2f7fc4\" fill-opacity=\"0.33\""))
    #expect(svg.contains("fill=\"#c8504a\" fill-opacity=\"0.65\""))
    #expect(svg.contains(">0.5<") && svg.contains(">-1<"))
    // Of what is no number there is no square; nothing is fuller than full.
    let odd = Self.chart(["a"]) { _, _ in .nan }.svg()
    #expect(count(odd, "fill-opacity") == 0)
    #expect(Self.chart(["a"]) { _, _ in 7 }.svg().contains("fill-opacity=\"0.65\""))
  }

  @Test("many words stay on the page, their names turned, without numbers that would not fit")
  func many() throws {
    let words = (0..<24).map { "word \($0) <&>" }
    let svg = Self.chart(words) { _, _ in 0.25 }.svg()
    #expect(count(svg, "fill-opacity") == 576)
    #expect(!svg.contains(">0.25<"))
    #expect(svg.contains("rotate(-90)") && svg.contains("word 0 &lt;&amp;&gt;"))
    for match in svg.matches(of: try Regex("<rect x=\"([^\"]+)\" y=\"[^\"]+\" width=\"([^\"]+)\""))
    {
      let numbers = (1...2).compactMap { match.output[$0].substring.flatMap { Double($0) } }
      #expect(numbers[0] + numbers[1] <= 640)
    }
  }

  @Test("a chart on a page draws it, and it takes no look from the names of the page")
  func onPage() {
    let chart = Self.chart(["a", "b"]) { _, _ in 0.1 }
    #expect(Chart.heatMap(chart).svg(ChartLooks(["a"])) == chart.svg())
    #expect(Chart.heatMap(chart).names.isEmpty)
  }
}
