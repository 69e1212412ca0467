import Foundation
import Testing

@testable import Formats

@Suite("Charts")
struct ChartTests {
  private static func chart(_ names: [String]) -> LineChart {
    LineChart(
      title: "t", xLabel: "x", yLabel: "y",
      series: names.map { .init(name: $0, points: [.init(x: 0, y: 0), .init(x: 1, y: 1)]) })
  }

  @Test("charts escape names, skip what is no number, and are the same every time")
  func hostile() {
    let chart = LineChart(
      title: "a < b & \"c\"", xLabel: "x", yLabel: "y",
      series: [
        .init(
          name: "<script>",
          points: [
            .init(x: 0, y: 1, low: 0.5, high: .nan), .init(x: .nan, y: 1),
            .init(x: 2, y: .infinity), .init(x: 3, y: 2),
          ]),
        .init(name: "empty", points: []),
      ], marks: [.init(at: 1, label: "<m>"), .init(at: .nan, label: "n")],
      levels: [.init(at: 1.5, label: "<l>"), .init(at: .nan, label: "n")])
    let svg = chart.svg()
    #expect(svg == chart.svg())
    #expect(!svg.contains("<script>") && svg.contains("&lt;script&gt;"))
    #expect(svg.contains("&lt;m&gt;") && svg.contains("&lt;l&gt;"))
    #expect(!svg.lowercased().contains("nan") && !svg.contains("inf"))
    for scale in [ChartScale.linear, .logarithmic] {
      let flat = LineChart(
        title: "t", xLabel: "x", yLabel: "y",
        series: [.init(name: "s", points: [.init(x: 1, y: 0), .init(x: 1, y: 0)])], xScale: scale,
        yScale: scale)
      #expect(flat.svg().hasPrefix("<svg"))
    }
    #expect(LineChart(title: "", xLabel: "", yLabel: "", series: []).svg().hasPrefix("<svg"))
    let forest = IntervalChart(
      title: "t", xLabel: "x",
      rows: [
        .init(label: "a&b", value: 0, low: 0, high: 0, isEmphasized: true),
        .init(label: "n", value: .nan, low: 0, high: 1, isEmphasized: false),
      ])
    #expect(forest.svg().contains("a&amp;b") && !forest.svg().contains(">n<"))
    #expect(IntervalChart(title: "", xLabel: "", rows: []).svg().hasPrefix("<svg"))
  }

  @Test("between whole numbers there are no ticks")
  func whole() {
    func svg(_ xs: [Double]) -> String {
      LineChart(
        title: "t", xLabel: "K", yLabel: "y",
        series: [.init(name: "s", points: xs.map { .init(x: $0, y: $0) })], yRange: 0...9
      ).svg()
    }
    #expect(!svg([2, 3]).contains(">2.2<") && svg([2, 3]).contains(">3<"))
    #expect(svg([2, 2.5, 3]).contains(">2.2<"))
  }

  @Test("long names that differ in their middle alone are told from each other")
  func alike() {
    let names = ["8", "16"].flatMap { width in
      ["channels", "words"].flatMap { way in
        ["pixel", "group"].flatMap { norm in
          ["seen", "held-out"].map { asked in
            let own =
              "network.width=\(width),network.normalization=\(norm),network.conditioning=\(way)"
            return "others[\(own)], other_pairs_evaluated[\(own),asked=\(asked)]"
          }
        }
      }
    }
    let short = ChartStyle.fitted(names, 72)
    #expect(Set(short).count == 16 && short.allSatisfy { $0.count <= 72 }, "\(short)")
    #expect(short[0] == "others[8,pixel,channels], other_pairs_evaluated[seen]")
    #expect(ChartStyle.fitted(["a", "b"], 60) == ["a", "b"])
  }

  /// WCAG 2.2, relative luminance of a colour as `#rrggbb`.
  private func luminance(_ color: String) throws -> Double {
    let value = try #require(Int(color.dropFirst(), radix: 16))
    let parts = [16, 8, 0].map { shift in
      let part = Double(value >> shift & 255) / 255
      return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
  }

  private func contrast(_ a: String, _ b: String) throws -> Double {
    let both = [try luminance(a), try luminance(b)].sorted()
    return (both[1] + 0.05) / (both[0] + 0.05)
  }

  @Test("text has a contrast of 4.5 to the paper that it stands on, every line 3 to both papers")
  func contrasts() throws {
    #expect(try abs(contrast("#ffffff", "#000000") - 21) < 1e-9)
    for page in [ChartStyle.light, ChartStyle.dark] {
      #expect(try contrast(page.text, page.paper) >= 4.5)
      for color in ChartLook.colors + [ChartLook.gray] {
        #expect(try contrast(color, page.paper) >= 3, "\(color) on \(page.paper)")
      }
    }
  }

  @Test("a chart brings its paper, so that no page's colour can swallow its text")
  func paper() {
    let (light, dark) = (ChartStyle.light, ChartStyle.dark)
    for svg in [
      Self.chart(["a"]).svg(), IntervalChart(title: "", xLabel: "", rows: []).svg(),
    ] {
      let paper = "<rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"639\""
      #expect(svg.contains(paper) && svg.contains("fill=\"\(light.paper)\" stroke"))
      // Whichever text the preference chooses, its paper comes with it.
      let parts = svg.split(separator: "@media (prefers-color-scheme: dark)")
      #expect(parts.count == 2)
      #expect(parts[0].contains("fill: \(light.text)") && !parts[0].contains(dark.text))
      #expect(parts[1].contains("fill: \(dark.text)"))
      #expect(parts[1].contains(".paper { fill: \(dark.paper)"))
    }
  }

  @Test("a name looks the same in every chart that is given the same looks, wherever it stands")
  func looks() throws {
    let looks = ChartLooks(["a", "b", "c", "d", "e", "f"])
    func lines(_ svg: String) -> Set<String> {
      Set(svg.matches(of: #/stroke="#[^"]+" stroke-width="2"[^\/]*/#).map { String($0.0) })
    }
    let alone = lines(Self.chart(["f"]).svg(looks))
    #expect(alone.count == 1)
    #expect(alone.isSubset(of: lines(Self.chart(["b", "f", "a"]).svg(looks))))
    #expect(alone != lines(Self.chart(["f"]).svg()))
    // Its name may say more than whom it is about.
    var other = Self.chart(["f, trained"])
    other.series[0].subject = "f"
    #expect(lines(other.svg(looks)) == alone)
    let color = looks.look(of: "f").color
    let forest = IntervalChart(
      title: "t", xLabel: "x",
      rows: [.init(label: "f", value: 1, low: 0, high: 2, isEmphasized: false)]
    ).svg(looks)
    #expect(forest.contains("stroke=\"\(color)\" stroke-width=\"2.5\""))
    #expect(forest.contains("style=\"stroke: \(color)"))
  }

  @Test("sixteen names differ in colour and dashes, sixty-four in these and the mark")
  func manyNames() {
    let looks = (0..<64).map(ChartLook.init)
    #expect(Set(looks.prefix(16).map(\.line)).count == 16)
    #expect(Set(looks.map { $0.line + $0.mark(0, 0) }).count == 64)
  }

  @Test("a legend shows the dashes of its lines, and no name of it leaves the chart")
  func legend() {
    let names = (0..<6).map { "name\($0)" } + [String(repeating: "long", count: 40) + "end"]
    let svg = Self.chart(names).svg()
    // Of the line and of its piece in the legend.
    let dash = ChartLook(4).dash
    #expect(!dash.isEmpty)
    #expect(svg.matches(of: try! Regex("stroke-dasharray=\"\(dash)\"")).count == 2 * 3)
    #expect(svg.contains(">longlong") && svg.contains("…") && svg.contains("longend</text>"))
    for found in svg.matches(of: #/>([^<>]+)<\/text>/#) {
      #expect(Double(found.1.count) * ChartStyle.letter < Double(ChartStyle.width))
    }
    let titled = LineChart(
      title: Array(repeating: "word", count: 40).joined(separator: " "), xLabel: "", yLabel: "",
      series: [])
    #expect(titled.svg().matches(of: #/class="title"/#).count == 4)
  }

  @Test("a level lies at its value, and what a logarithmic axis has no place for in a strip below")
  func levelsAndStrip() throws {
    var chart = LineChart(
      title: "t", xLabel: "x", yLabel: "y",
      series: [
        .init(
          name: "s", points: [.init(x: 0, y: 1), .init(x: 1, y: 1e-3), .init(x: 2, y: 0)])
      ], yScale: .logarithmic, yRange: 1e-3...1, showsLess: true,
      levels: [.init(at: 0.1, label: "threshold"), .init(at: 5, label: "beyond")])
    func heights(_ svg: String) throws -> [Double] {
      let line = try #require(svg.firstMatch(of: #/<polyline points="([^"]+)"/#))
      return line.1.split(separator: " ").compactMap { Double($0.split(separator: ",")[1]) }
    }
    let svg = chart.svg()
    #expect(svg.contains(">threshold<") && !svg.contains(">beyond<") && svg.contains(">less<"))
    let drawn = try heights(svg)
    #expect(drawn.count == 3 && drawn[2] - drawn[1] > 20)
    // A third of the three decades below the top.
    let level = drawn[0] + (drawn[1] - drawn[0]) / 3
    #expect(svg.contains("y1=\"\(ChartStyle.number(level))\""))
    chart.showsLess = false
    #expect(try heights(chart.svg()).count == 2 && !chart.svg().contains(">less<"))
  }

  @Test("ticks are round and inside the axis")
  func ticks() {
    #expect(
      ChartAxis(.linear, 0, 1, from: 0, to: 1).ticks(5) == [
        0, 0.2, 0.4, 0.6000000000000001, 0.8, 1,
      ])
    #expect(ChartAxis(.linear, 0, 12, from: 0, to: 1).ticks(6) == [0, 2, 4, 6, 8, 10, 12])
    let log = ChartAxis(.logarithmic, 0.03, 0.6, from: 0, to: 1).ticks(5)
    #expect(log.map(ChartStyle.label) == ["0.05", "0.1", "0.2", "0.5"])
  }
}
