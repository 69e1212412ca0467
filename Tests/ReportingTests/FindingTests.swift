// Proves that a claim is held against what was measured of it: the right replicates, under the same
// conditions, over the same K, with a control that can object.
import Formats
import Foundation
import Lineage
import Measures
import Testing

@testable import Reporting

@Suite("What a run has of its claims")
struct FindingTests {
  typealias Compared = ReportFixture.Compared

  private func sentences(_ fixture: ReportFixture) throws -> [String] {
    try Findings(fixture.data).verdict.sentences
  }

  private static func stated(_ claims: String) -> String {
    "{ question: 'q', claims: { \(claims) } }"
  }

  @Test("what replicates share counts by each replicate's own evaluation of it")
  func shared() throws {
    let fixture = try ReportFixture(
      source: Self.stated("fails: [{ model: 'fixed', against: 'baseline' }]"))
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    let fixed = try fixture.model("fixed", labelling: "single", scenes: scenes)
    var compared: [Compared] = []
    for (index, recall) in [0.3, 0.4, 0.5].enumerated() {
      let seed = index + 1
      let model = try fixture.model(
        "baseline[seed=\(seed)]", labelling: "all", scenes: scenes, seed: UInt64(seed))
      for (name, made, beyond) in [("fixed", fixed, recall), ("baseline", model, recall + 0.4)] {
        let evaluation = try fixture.evaluation(
          "\(name)_evaluated[seed=\(seed)]", of: made, judge: judge, seed: UInt64(seed)
        ) { _ in beyond }
        compared.append(Compared(evaluation: evaluation, kMax: 1, beyond: beyond, seed: seed))
      }
    }
    try fixture.comparison(compared)
    let sentence = try #require(sentences(fixture).first)
    // Mean 0.4, Student's half-width 4.30265 · 0.1 / √3 = 0.248.
    #expect(sentence.contains("recall there is 0.40 [0.15, 0.65]"), "\(sentence)")
    #expect(sentence.contains("Over 3 seeds, paired."))
    #expect(sentence.contains("layouts of 3 seeds, SD over seeds 0.10)"), "\(sentence)")
  }

  @Test("eight seeds on the same layouts: what these move all seeds by is in the interval")
  func crossed() throws {
    // Recall of a seed hardly differs from another's; of layouts, half find all and half nothing.
    func width(sharesLayouts: Bool) throws -> Double {
      let fixture = try ReportFixture(
        source: Self.stated("fails: [{ model: 'a', against: 'b' }]"))
      let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
      var compared: [Compared] = []
      for seed in 1...8 {
        for (name, recall) in [("a", 0.5), ("b", 1.0)] {
          let model = try fixture.model(
            "\(name)[seed=\(seed)]", labelling: "all", scenes: scenes, seed: UInt64(seed))
          let evaluation = try fixture.evaluation(
            "\(name)_evaluated[seed=\(seed)]", of: model, judge: judge, counts: [9],
            seed: sharesLayouts ? 1 : UInt64(seed), isAllOrNothing: true
          ) { _ in recall }
          compared.append(Compared(evaluation: evaluation, kMax: 1, beyond: recall, seed: seed))
        }
      }
      try fixture.comparison(compared)
      let page = MarkdownRenderer(try HeaderSection(fixture.data).blocks, pictureFolder: "p").text
      // Of the networks, whatever the layouts' seeds are.
      #expect(page.contains("There are 8 seeds (1, 2, 3, 4, 5, 6, 7, 8)"))
      let finding = try #require(try Findings(fixture.data).verdict.recalls.first)
      #expect(finding.low.recall.areShared == sharesLayouts)
      #expect(finding.low.recall.values.allSatisfy { $0.draws.count == 2000 })
      return try #require(finding.low.recall.overSeeds).width
    }
    let (apart, shared) = (try width(sharesLayouts: false), try width(sharesLayouts: true))
    // An error of 0.18 of each seed; of the mean of eight a third of it, unless all have the same layouts.
    #expect(apart > 0.1 && apart < 0.5)
    #expect(shared > 0.68)
  }

  /// Two models, the second evaluated under other conditions or at other K.
  private func pair(
    _ claims: String, low: Double, high: Double, steps: Int = 18,
    counts: [Int] = ReportFixture.counts, within: Double = 0.95
  ) throws -> ReportFixture {
    let fixture = try ReportFixture(source: Self.stated(claims))
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    let a = try fixture.evaluation(
      "a_evaluated", of: try fixture.model("a", labelling: "single", scenes: scenes), judge: judge
    ) { _ in low }
    let b = try fixture.evaluation(
      "b_evaluated", of: try fixture.model("b", labelling: "all", scenes: scenes), judge: judge,
      steps: steps, counts: counts
    ) { _ in high }
    try fixture.comparison([
      Compared(evaluation: a, kMax: 3, beyond: low, within: within),
      Compared(evaluation: b, kMax: 3, beyond: high),
    ])
    return fixture
  }

  @Test("what is shown against a claim is no lack of evidence", arguments: ["fails", "composes"])
  func reversed(_ direction: String) throws {
    let claim =
      direction == "fails" ? "{ model: 'a', against: 'b' }" : "{ model: 'b', against: 'a' }"
    let sentence = try #require(
      sentences(pair("\(direction): [\(claim)]", low: 0.9, high: 0.5)).first)
    #expect(sentence.hasPrefix("**Shown, against the claim:** `a` recalls more"), "\(sentence)")
  }

  @Test("what has not learned the training range says nothing of what lies beyond it")
  func undertrained() throws {
    let claim = "fails: [{ model: 'a', against: 'b' }]"
    let learned = try #require(sentences(pair(claim, low: 0.4, high: 0.9)).first)
    #expect(
      learned.hasPrefix("**Shown in part:**") && !learned.contains("under-trained"), "\(learned)")
    #expect(learned.contains("Within the training range it is 0.9"), "\(learned)")
    let fixture = try pair(claim, low: 0.4, high: 0.9, within: 0.5)
    let short = try #require(sentences(fixture).first)
    #expect(short.hasPrefix("**Not shown:** `a` recalls less"), "\(short)")
    #expect(
      short.contains("`a` is under-trained, all of the interval below the threshold there already"),
      "\(short)")
    let answer = try #require(Answer(verdict: Findings(fixture.data).verdict).sentence)
    #expect(answer.hasPrefix("Not shown: `a`") && answer.contains("(under-trained)"), "\(answer)")
  }

  @Test("evaluations of other conditions are not compared, and of other K only at those of both")
  func conditions() throws {
    let claim = "fails: [{ model: 'a', against: 'b' }]"
    let other = try #require(sentences(pair(claim, low: 0.4, high: 0.9, steps: 12)).first)
    #expect(other.hasPrefix("**Not shown:**") && other.contains("steps 18 against 12"))
    let few = try #require(
      sentences(pair(claim, low: 0.4, high: 0.9, counts: [1, 9])).first)
    #expect(
      few.hasPrefix("**Shown in part:**") && few.contains("at K = 9, tested for both,"), "\(few)")
    #expect(!few.contains("K_max"))
  }

  @Test(
    "a control that cannot object says nothing of what a mask keeps",
    arguments: [
      ("identity", 7.0, "could not object"), ("pixel", 7, "differs from the mask in more"),
      ("conditioner", 3, "differs from the mask in more"), ("conditioner", 7, "is the same mask"),
      ("sum", 7, nil),
    ] as [(String, Double, String?)])
  func control(_ mask: String, _ radius: Double, _ objection: String?) throws {
    let fixture = try ReportFixture(
      source: Self.stated("repairs: [{ mask: 'masked', of: 'a', control: 'control' }]"))
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    let model = try fixture.model("a", labelling: "single", scenes: scenes)
    let masked = try fixture.mask("masked", "conditioner", of: model, scenes: scenes)
    let control = try fixture.mask("control", mask, of: model, scenes: scenes, radius: radius)
    var compared: [Compared] = []
    for (name, made, beyond, effect) in [
      ("a", model, 0.5, nil), ("masked", masked, 0.8, 0.3), ("control", control, 0.5, 0.001),
    ] as [(String, ReportFixture.Made, Double, Double?)] {
      let evaluation = try fixture.evaluation("\(name)_evaluated", of: made, judge: judge) { _ in
        beyond
      }
      compared.append(
        Compared(evaluation: evaluation, kMax: 3, beyond: beyond, effect: effect))
    }
    try fixture.comparison(compared)
    let sentence = try #require(sentences(fixture).first)
    #expect(sentence.hasPrefix("**Shown in part:** without any training"), "\(sentence)")
    #expect(sentence.contains("still below 0.90"), "\(sentence)")
    #expect(sentence.contains("**Not shown** that it matters") == (objection != nil), "\(sentence)")
    #expect(sentence.contains(objection ?? "a difference of +0.30"), "\(sentence)")
  }

  @Test("a claim about locality alone is answered, for a model behind a mask too")
  func locality() throws {
    let fixture = try ReportFixture(
      source: Self.stated("local: [{ model: 'masked', against: 'a', objects: 3 }]"))
    let scenes = try fixture.scenes()
    let model = try fixture.model("a", labelling: "single", scenes: scenes)
    let masked = try fixture.mask("masked", "conditioner", of: model, scenes: scenes)
    try fixture.probe("a_locality", of: model, scenes: scenes, share: 0.6)
    try fixture.probe("masked_locality", of: masked, scenes: scenes, share: 0.9)
    let header = try HeaderSection(fixture.data)
    let page = MarkdownRenderer(header.blocks, pictureFolder: "pictures").text
    #expect(page.contains("**Shown:** the score of `a` is less local than that of `masked`"))
  }

  @Test("equal stages are one execution, shown once, whichever of their names a claim has")
  func equal() throws {
    let fixture = try ReportFixture(
      source: Self.stated("fails: [{ model: 'copy', against: 'b' }]"))
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    let a = try fixture.model("a", labelling: "single", scenes: scenes)
    let b = try fixture.model("b", labelling: "all", scenes: scenes)
    let first = try fixture.evaluation("a_evaluated", of: a, judge: judge) { _ in 0.5 }
    let second = try fixture.evaluation("b_evaluated", of: b, judge: judge) { _ in 0.9 }
    for (copy, of) in [("copy", "a"), ("copy_evaluated", "a_evaluated")] {
      try fixture.alias(copy, of: of)
    }
    try fixture.comparison([
      Compared(evaluation: first, kMax: 3, beyond: 0.5),
      Compared(evaluation: second, kMax: 3, beyond: 0.9),
    ])
    let data = try fixture.data
    #expect(data.compared.map(\.evaluated.title) == ["a", "b"])
    #expect(try sentences(fixture)[0].hasPrefix("**Shown in part:** `copy` recalls less"))
    let graph = MarkdownRenderer(try LineageSection(data).blocks, pictureFolder: "pictures").text
    #expect(graph.contains("[\"a<br/>copy<br/>train"))
    #expect(graph.components(separatedBy: " --> ").count == 1 + 8)
  }

  @Test("a picture that is not what its hash says is not shown")
  func damagedPicture() throws {
    let fixture = try ReportFixture()
    let made = try fixture.stage("a_evaluated", "evaluate", files: ["grid": "a picture"])
    func page() throws -> String {
      MarkdownRenderer(try SampleSection(fixture.data).blocks, pictureFolder: "p").text
    }
    #expect(try page().contains("samples-1.png"))
    let object = fixture.store.objectURL(made("grid"))
    try FileManager.default.removeItem(at: object)
    try Data("b picture".utf8).write(to: object)
    #expect(try page().contains("Missing or damaged") && !page().contains("samples-1.png"))
  }

  @Test("an agreement with any denoiser is told, whatever made it")
  func agreement() throws {
    let fixture = try ReportFixture()
    let scenes = try fixture.scenes()
    let trained = try fixture.model("trained", labelling: "all", scenes: scenes)
    let imported = try fixture.model("theirs", labelling: "all", kind: "import", scenes: scenes)
    let masked = try fixture.mask("masked", "conditioner", of: trained, scenes: scenes)
    for (name, reference) in [("i", imported), ("m", masked), ("t", trained)] {
      try fixture.stage(
        "\(name)_agreed", "agree",
        inputs: [("denoiser", trained), ("reference", reference), ("scenes", scenes)],
        files: ["agreement": name], metrics: [Measure.r2(.drawn).row(0.7, .k(3))])
    }
    #expect(
      try fixture.store.texts("SELECT reference FROM run_agreement ORDER BY 1")
        == ["masked", "theirs", "trained"])
  }
}
