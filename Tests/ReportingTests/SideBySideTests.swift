// Proves that what differs in nothing but a setting of the stage that measured it, or of the one that
// compared, is told apart wherever it stands side by side: in views, queries, tables, headings and legends.
import Formats
import Foundation
import Lineage
import Measures
import Testing

@testable import Reporting

@Suite("Side by side")
struct SideBySideTests {
  /// Everything is measured twice, with the very same numbers: only its name can tell it apart.
  private func twice() throws -> ReportFixture {
    let fixture = try ReportFixture(
      source: """
        { question: 'q', claims: {
          fails: [{ model: 'a', against: 'b' }],
          local: [{ model: 'b', against: 'a', objects: 3 }],
          repairs: [{ mask: 'masked', of: 'a', control: 'control' }] } }
        """)
    let scenes = try fixture.scenes()
    let judge = try fixture.judge("judge[renders=1]")
    _ = try fixture.judge("judge[renders=2]")
    let a = try fixture.model("a", labelling: "single", scenes: scenes)
    let b = try fixture.model("b", labelling: "all", scenes: scenes)
    let denoisers = [
      ("a", a), ("b", b),
      ("masked", try fixture.mask("masked", "conditioner", of: a, scenes: scenes)),
      ("control", try fixture.mask("control", "sum", of: a, scenes: scenes)),
      ("identity", try fixture.mask("identity", "identity", of: a, scenes: scenes)),
      ("stray", try fixture.mask("stray", "conditioner", of: b, scenes: scenes, radius: 3)),
      ("machine", try machine(fixture, scenes: scenes)),
    ]
    var compared: [ReportFixture.Compared] = []
    for (name, denoiser) in denoisers {
      for steps in [2, 18] {
        let evaluation = try fixture.evaluation(
          "\(name)_evaluated[steps=\(steps)]", of: denoiser, judge: judge, steps: steps
        ) { _ in 0.5 }
        compared.append(
          ReportFixture.Compared(
            evaluation: evaluation, kMax: 3, beyond: 0.5,
            effect: ["masked", "control", "identity"].contains(name) ? 0.1 : nil))
        try fixture.probe(
          "\(name)_probed[pixels=\(steps)]", of: denoiser, scenes: scenes, share: 0.5)
        try fixture.stage(
          "\(name)_agreed[steps=\(steps)]", "agree",
          inputs: [("denoiser", denoiser), ("reference", b), ("scenes", scenes)],
          files: ["agreement": "\(name) \(steps)"],
          metrics: [0.5, 2].flatMap { sigma in
            [
              Measure.r2(.denoised).row(0.9, .k(3), .sigma(sigma)),
              Measure.r2Centered(.denoised).row(0.9, .k(3), .sigma(sigma)),
            ]
          } + [Measure.r2(.drawn).row(0.7, .k(3))])
      }
    }
    // The identities come first: what the fixture says of pictures, it says of the first.
    let identities = compared[8...9]
    for threshold in [0.8, 0.9] {
      let name = "comparison[threshold=\(threshold)]"
      for (at, steps) in [(0, 2), (1, 18)] {
        let own = compared.enumerated().filter {
          $0.offset % 2 == at && !(8...9).contains($0.offset)
        }
        let first = Array(identities)[at]
        try fixture.comparison(
          [first] + own.map(\.element), identical: 1,
          name: "\(name.dropLast()),steps=\(steps)]", threshold: threshold)
      }
    }
    return fixture
  }

  private func machine(_ fixture: ReportFixture, scenes: ReportFixture.Made) throws
    -> ReportFixture.Made
  {
    try fixture.stage(
      "machine", "analytic",
      [
        "schedule": .string("fixed"), "radius": .integer(6), "label_radius": .integer(-1),
        "places": .string("same"), "labelling": .string("single"),
      ], inputs: [("scenes", scenes)],
      manifest: [
        "type": .string("denoiser"), "format": .integer(1), "form": .string("machine"),
        "labelling": .string("single"), "size": .integer(32), "window": .integer(13),
        "objects": .array([.integer(1), .integer(3)]),
      ], files: ["pixels": "p", "conditioners": "c"],
      metrics: [Measure.pictures.row(100), Measure.windowRadius.row(6, .sigma(2))])
  }

  @Test("no view and no named query has two equal rows")
  func views() throws {
    let fixture = try twice()
    try fixture.store.finishRun(fixture.run, status: "succeeded")
    let latest = Vocabulary.locus.views.map(\.name).filter { !$0.hasPrefix("run_") }
    for sql in latest.map({ "SELECT * FROM \($0)" }) + Vocabulary.locus.queries.map(\.sql) {
      let rows = try fixture.store.queryReadOnly(sql).result.rows
      #expect(Set(rows).count == rows.count, "\(sql)")
    }
    // README's first query, too.
    let rows = try fixture.store.query("SELECT name, comparison, k_max FROM k_max").rows
    #expect(rows.count == 28 && Set(rows).count == 28)
  }

  @Test(
    "no table of the report has two equal rows, no page two equal headings, no chart two equal legends"
  )
  func report() throws {
    let data = try twice().data
    var tables = 0
    var charts = 0
    for section in Report.sections {
      let blocks = Self.flat(try section.init(data).blocks)
      var headings: [String] = []
      for block in blocks {
        switch block {
        case .table(_, let rows):
          tables += 1
          let equal = rows.filter { row in rows.count { $0 == row } > 1 }
          #expect(equal.isEmpty, "\(section): \(equal)")
        case .heading(let title, _): headings.append(title)
        case .chart(let name, let chart, _):
          charts += 1
          let svg = chart.svg(ChartLooks())
          // Whatever begins with a letter and is no axis or title stands there once.
          let legends = svg.matches(
            of: #/>((?:a|b|masked|control|identity|stray|machine)\b[^<]*)</#
          )
          .map { String($0.1) }
          #expect(Set(legends).count == legends.count, "\(section) \(name): \(legends)")
        default: break
        }
      }
      #expect(Set(headings).count == headings.count, "\(section): \(headings)")
    }
    #expect(tables > 20 && charts > 6)
  }

  @Test("a label says what differs and no more; the verdict says which evaluation it rests on")
  func labels() throws {
    let data = try twice().data
    #expect(data.evaluated.prefix(2).map(\.label) == ["a, steps=2", "a, steps=18"])
    #expect(
      data.comparisons.prefix(2).map(\.label)
        == ["a, steps=2, threshold=0.8", "a, steps=2, threshold=0.9"])
    // By the same rule a second time nothing is new.
    let fixture = try twice()
    let before = try fixture.data.comparisons.count
    let made = try #require(fixture.made["a_evaluated[steps=2]"])
    try fixture.comparison(
      [ReportFixture.Compared(evaluation: made, kMax: 3, beyond: 0.5)], name: "again")
    #expect(try fixture.data.comparisons.count == before)
    let sentences = try Findings(data).verdict.sentences
    #expect(
      sentences[0].hasSuffix(
        "Of several evaluations of one denoiser the first counts: `a_evaluated[steps=2]`,"
          + " `b_evaluated[steps=2]`."))
    #expect(sentences[1].contains("the first counts: `b_probed[pixels=2]`, `a_probed[pixels=2]`."))
    #expect(sentences[2].contains("`masked_evaluated[steps=2]`, `control_evaluated[steps=2]`."))
    let labels = Labels([
      Labels.Thing(title: "m", instances: ["quick"]), Labels.Thing(title: "m", instances: ["slow"]),
      Labels.Thing(title: "n", instances: ["quick"]),
    ])
    #expect(labels[Labels.Thing(title: "m", instances: ["quick"])] == "m, quick")
    #expect(labels[Labels.Thing(title: "n", instances: ["quick"])] == "n")
  }

  @Test("a lineage that GitHub would not draw has one box a stage, with its instances' number")
  func largeLineage() throws {
    let fixture = try ReportFixture()
    let made = try fixture.stage("scenes", "generate", files: ["pixels": "p"])
    for seed in 0...Flowchart.mostArrows {
      try fixture.stage(
        "model[seed=\(seed)]", "train", inputs: [("scenes", made)], files: ["w": "\(seed)"])
    }
    let page = MarkdownRenderer(try LineageSection(fixture.data).blocks, pictureFolder: "p").text
    #expect(page.contains("has 501 arrows between 502 boxes"))
    #expect(page.contains("  s0[\"scenes<br/>generate · "))
    #expect(page.contains("\n  s1[\"model × 501<br/>train\"]\n  s0 --> s1\n```"))
  }

  private static func flat(_ blocks: [Block]) -> [Block] {
    blocks.flatMap { block -> [Block] in
      if case .details(_, let inner) = block { return flat(inner) }
      return [block]
    }
  }
}
