// Proves that nothing is said of composition where the training range was not learned, or where a mask breaks it.
import Foundation
import Testing

@testable import Reporting

@Suite("What was not learned within the training range")
struct UndertrainedTests {
  private static func repair(
    within: VerdictTests.Triple, threshold: Double = 0.95,
    change: VerdictTests.Triple = (0, -0.02, 0.02), recall: VerdictTests.Triple = (0.2, 0.15, 0.25)
  ) -> RepairFinding {
    var finding = VerdictTests.repair(recall)
    finding.threshold = threshold
    finding.within = Replicates(VerdictTests.estimate(within))
    finding.withinChange = Replicates(VerdictTests.estimate(change))
    return finding
  }

  private static let lost = Markdown.unbroken("-0.50 [-0.60, -0.40]")

  private static func row(_ finding: RepairFinding) -> String {
    ClaimsTable(verdict: Verdict(repairs: [finding])).rows[0].judgement
  }

  @Test(
    "a mask of an under-trained model repairs nothing, in the table, the sentence and the answer")
  func undertrained() {
    let finding = Self.repair(within: (0.9, 0.88, 0.92))
    let verdict = Verdict(repairs: [finding, Self.repair(within: (0.99, 0.98, 1))])
    #expect(Self.row(finding) == "not shown: under-trained")
    #expect(
      verdict.sentences[0].hasPrefix("**Not shown:**")
        && verdict.sentences[0].contains("is 0.90 [0.88, 0.92], all of the interval below"))
    #expect(!verdict.sentences[0].contains("does more"))
    let answer = Answer(verdict: verdict).sentence ?? ""
    #expect(answer.hasPrefix("Not shown: ") && answer.contains("under-trained"), "\(answer)")
    #expect(answer.contains("of the 2 masks claimed to repair 1 is shown"), "\(answer)")
    // Neither is the opposite shown of it.
    let worse = Self.repair(within: (0.9, 0.88, 0.92), recall: (-0.3, -0.4, -0.2))
    #expect(worse.judgement == .notShown("under-trained"))
  }

  @Test("what is not below the threshold for certain is not under-trained")
  func open() {
    #expect(Self.repair(within: (0.88, 0.82, 0.94), threshold: 0.9).judgement == .shown)
  }

  @Test("a mask that loses recall within the range is broken there")
  func broken() {
    let finding = Self.repair(
      within: (0.99, 0.98, 1), change: (-0.5, -0.6, -0.4), recall: (-0.3, -0.4, -0.2))
    #expect(finding.judgement == .notShown("broken in range"))
    #expect(Self.row(finding) == "not shown: broken in range: " + Self.lost)
    let both = Self.repair(within: (0.9, 0.88, 0.92), change: (-0.5, -0.6, -0.4))
    #expect(Self.row(both) == "not shown: under-trained; broken in range: " + Self.lost)
    #expect(Verdict(repairs: [both]).sentences[0].contains("broken in range besides"))
    #expect(Verdict(repairs: [finding]).sentences[0].contains("changes recall by -0.50"))
    let held = Self.repair(within: (0.99, 0.98, 1), change: (-0.02, -0.06, 0.02))
    #expect(held.judgement == .shown)
  }

  @Test("what a mask's base recalls within the range is looked up")
  func looked() throws {
    func judgement(within: Double) throws -> Judgement? {
      let fixture = try ReportFixture(
        source: "{ question: 'q', claims: { repairs: [{ mask: 'masked', of: 'a' }] } }")
      let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
      let model = try fixture.model("a", labelling: "single", scenes: scenes)
      let masked = try fixture.mask("masked", "conditioner", of: model, scenes: scenes)
      let plain = try fixture.evaluation("a_evaluated", of: model, judge: judge) { _ in 0.5 }
      let own = try fixture.evaluation("masked_evaluated", of: masked, judge: judge) { _ in 0.8 }
      try fixture.comparison([
        .init(evaluation: plain, kMax: 3, beyond: 0.5, within: within),
        .init(evaluation: own, kMax: 3, beyond: 0.8, effect: 0.3),
      ])
      return try Findings(fixture.data).verdict.repairs.first?.judgement
    }
    #expect(try judgement(within: 0.95) == .shown)
    #expect(try judgement(within: 0.7) == .notShown("under-trained"))
  }

  @Test("how many recipes reach the threshold is said where one is under-trained")
  func recipes() throws {
    func words(_ within: [Double]) throws -> String? {
      let fixture = try ReportFixture()
      let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
      try fixture.comparison(
        within.enumerated().map { place, within in
          let model = try fixture.model("m\(place)", labelling: "all", scenes: scenes)
          return .init(
            evaluation: try fixture.evaluation("e\(place)", of: model, judge: judge) { _ in 0.5 },
            kMax: 1, beyond: 0.5, within: within)
        })
      return WithinRange(try fixture.data.compared).words(within.indices.map { "m\($0)" })
    }
    #expect(try words([0.97, 0.97]) == nil)
    let found = try words([0.97, 0.5, 0.9])
    let text = try #require(found)
    #expect(
      text.contains("Of these 3 recipes 1 reaches the threshold of 0.90")
        && text.contains("and 1 is under-trained"), "\(text)")
  }

  @Test(
    "the ordinary network composes or does not by both detectors, and not where it is under-trained",
    arguments: [
      ((0.9, 0.88, 0.92), [(0.4, 0.3, 0.5), (0.4, 0.3, 0.5)], 0.4, "**not shown: under-trained**"),
      (
        (0.99, 0.98, 1), [(0.4, 0.3, 0.5), (0.4, 0.3, 0.5)], 0,
        "**shown that it does not**, below 0.95"
      ),
      ((0.99, 0.98, 1), [(0.4, 0.3, 0.5), (0.9, 0.8, 0.97)], 0.4, "**not shown**"),
      ((0.96, 0.93, 0.99), [(0.4, 0.3, 0.5), (0.4, 0.3, 0.5)], 0, "**not shown**: below"),
      (
        (0.96, 0.93, 0.99), [(0.4, 0.3, 0.5), (0.4, 0.3, 0.5)], 0.4,
        "**shown that it does not**, below 0.95 and less than within the range; that it reaches"
      ),
      ((0.99, 0.98, 1), [(0.97, 0.96, 0.99), (0.97, 0.96, 0.99)], 0, "**shown**"),
    ] as [(VerdictTests.Triple, [VerdictTests.Triple], Double, String)])
  func composes(
    _ within: VerdictTests.Triple, _ beyond: [VerdictTests.Triple], _ lost: Double,
    _ lead: String
  ) {
    let loss = VerdictTests.estimate((lost, lost - 0.1, lost + 0.1))
    let answer = WordAnswers.answer(
      VerdictTests.estimate(within), beyond.map { VerdictTests.estimate($0) },
      lost: beyond.map { _ in loss }, 0.95)
    #expect(answer.hasPrefix(lead), "\(answer)")
  }
}
