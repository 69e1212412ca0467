import Formats
import Foundation
import Lineage
import Testing

@testable import Reporting

@Suite("Pictures of a page")
struct PagePictureTests {
  @Test("a name has one colour and one dash pattern in every chart of the report")
  func colors() throws {
    let fixture = try ReportFixture.study()
    try fixture.theory()
    try fixture.machines()
    let data = try fixture.data
    let blocks = try Report.sections.flatMap { try $0.init(data).blocks }
    var looks: [String: Set<String>] = [:]
    var charts: [String: Int] = [:]
    for (_, content) in MarkdownRenderer(blocks, pictureFolder: "p").files {
      let svg = String(decoding: content, as: UTF8.self)
      // A legend's piece of line, its mark and its name; an interval's name, its line and its mark.
      let lines = svg.matches(
        of: #/<line [^>]*stroke="(#\w+)" stroke-width="2"([^>]*)\/>\n<[^>]*>\n<text[^>]*>([^<]+)</#)
      for found in lines {
        let name = String(found.3).replacing(", trained", with: "")
        looks[name, default: []].insert("\(found.1)\(found.2)")
        charts[name, default: 0] += 1
      }
      for found in svg.matches(
        of: #/class="note">([^<]+)<\/text>\n<line [^>]*stroke="(#\w+)" stroke-width="2.5"/#)
      {
        let known = looks[String(found.1)]
        #expect(known != nil && known?.allSatisfy { $0.hasPrefix(found.2) } == true)
        charts[String(found.1), default: 0] += 1
      }
    }
    #expect(looks.values.allSatisfy { $0.count == 1 }, "\(looks)")
    for name in [
      "baseline[labelling=single]", "baseline[labelling=all]", "local", "masked[mask=conditioner]",
    ] {
      #expect(charts[name, default: 0] > 1, "\(name)")
    }
    // No two names of this report look alike.
    #expect(looks.count > 8 && Set(looks.values).count == looks.count)
  }

  @Test("charts of recall show the stated threshold")
  func threshold() throws {
    let data = try ReportFixture.study().data
    let files = MarkdownRenderer(
      try LengthGeneralizationSection(data).blocks, pictureFolder: "p"
    ).files
    #expect(files.count == 2)
    for file in files {
      #expect(String(decoding: file.content, as: UTF8.self).contains(">threshold 0.9</text>"))
    }
  }

  @Test("locality is drawn as what lies outside the window, by decades")
  func outside() throws {
    let fixture = try ReportFixture()
    let scenes = try fixture.scenes()
    let near = try fixture.model("near", labelling: "all", scenes: scenes)
    let far = try fixture.model("far", labelling: "single", scenes: scenes)
    try fixture.probe("near_probed", of: near, scenes: scenes, share: 1)
    try fixture.probe("far_probed", of: far, scenes: scenes, share: 0.98)
    var charts = 0
    for block in try LocalitySection(fixture.data).blocks {
      guard case .chart(_, .lines(let chart), _) = block else { continue }
      charts += 1
      #expect(chart.yScale == .logarithmic && chart.showsLess && chart.yRange == 0.01...1)
      #expect(chart.yLabel == "share outside the window")
      #expect(chart.series.map(\.name) == ["near", "far", "even"])
      #expect(chart.series[0].points.allSatisfy { $0.y == 0 })
      for point in chart.series[1].points {
        #expect(abs(point.y - 0.02) < 1e-9 && abs((point.low ?? 0) - 0.015) < 1e-9)
        #expect(abs((point.high ?? 0) - 0.025) < 1e-9)
      }
    }
    #expect(charts == 2)
  }

  @Test("a picture says its run and stage in the report, and nothing in the store")
  func signature() throws {
    let fixture = try ReportFixture()
    let plain = try PNGImage(width: 1, height: 1, pixels: [1, 2, 3]).pngData()
    let blocks: [Block] = [
      .picture(name: "a.png", content: plain, stage: "probe[σ=2]", alternative: ""),
      .picture(name: "b.png", content: Data("no PNG".utf8), stage: "b", alternative: ""),
    ]
    let files = MarkdownRenderer(
      blocks, pictureFolder: "p", signature: RunSignature(try fixture.data.run)
    ).files
    #expect(files[0].content.count > plain.count)
    #expect(files[0].content.range(of: Data("run \(fixture.run), stage probe[σ=2]".utf8)) != nil)
    #expect(files[0].content.range(of: Data("Software\0\0\0\0\0Locus 0".utf8)) != nil)
    #expect(files[1].content == Data("no PNG".utf8))
    #expect(MarkdownRenderer(blocks, pictureFolder: "p").files[0].content == plain)
  }

  @Test("what a pipeline has no stage for, its report does not answer")
  func unasked() throws {
    func headings(_ fixture: ReportFixture) throws -> [String] {
      let folder = fixture.folder.appending(path: "reports")
      let url = try Report.write(store: fixture.store, runID: fixture.run, into: folder)
      return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").filter {
        $0.hasPrefix("## ")
      }.map { String($0.dropFirst(3)) }
    }
    let theory = try ReportFixture()
    try theory.theory()
    let answered = try headings(theory)
    #expect(answered.contains("The theorem in finite worlds") && answered.contains("Costs"))
    let asked = ["Length generalization", "Samples", "Locality", "Interventions", "The judge"]
    #expect(Set(answered).isDisjoint(with: asked))
    // One that failed was asked for.
    let failed = try ReportFixture()
    try failed.store.recordStage(
      StageRecord(
        runID: failed.run, name: "probed", kind: "probe", key: nil, status: "failed",
        reason: "never run", executionID: nil))
    #expect(try headings(failed).filter(asked.contains) == ["Locality"])
  }

  @Test("a table that would be wider than GitHub's column may break its names, another one may not")
  func wideTables() {
    func page(_ names: Int) -> String {
      MarkdownRenderer(
        [
          .table(
            columns: (0..<names).map { "c\($0)" },
            rows: [
              Array(repeating: Markdown.name("pixel_masked[mask=placebo,of=both]"), count: names)
            ])
        ], pictureFolder: "p"
      ).text
    }
    #expect(page(2).contains("| `pixel_masked[mask=placebo,of=both]` |"))
    #expect(
      page(3).contains(
        "| <code>pixel_masked\\[<wbr>mask=placebo,<wbr>of=both\\]</code> |"))
    let hash = String(repeating: "0123456789abcdef", count: 4)
    #expect(CodePieces.split(hash) == [hash])
    #expect(CodePieces.split("a[x=1,y=2]").joined() == "a[x=1,y=2]")
    #expect(CodePieces.split("") == [])
  }
}
