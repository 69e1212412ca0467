import Testing

@testable import Reporting

@Suite("Families of claims")
struct FamilyTests {
  /// A claim about recall whose difference is so many standard errors of 0.01 above 0.
  private static func finding(_ errors: Double, family: String?) -> RecallFinding {
    var finding = RecallFinding(
      claim: Claims.Recall(
        direction: .composes, model: "local", against: "single", family: family),
      low: VerdictTests.side((0.6, 0.55, 0.65)), high: VerdictTests.side((0.93, 0.91, 0.95)))
    finding.counts = [5, 9]
    let value = 0.01 * errors
    finding.difference = Replicates(
      VerdictTests.estimate((value, value - 0.0196, value + 0.0196)))
    return finding
  }

  @Test("a difference that stands alone is shown; one of four that may be chance is not")
  func corrected() {
    #expect(Verdict(recalls: [Self.finding(2.3, family: nil)]).recalls[0].judgement == .shown)
    let four = Verdict(recalls: [2.3, 0.5, 0.1, 0.7].map { Self.finding($0, family: "rest") })
    #expect(four.recalls[0].judgement == .notShown("not after Holm's correction"))
    #expect(four.recalls[0].test?.size == 4)
    #expect(four.recalls[0].test.map { abs($0.pHolm - 4 * 0.02145) < 1e-4 } == true)
    #expect(four.sentences[0].contains("Holm p = 0.0858 over the 4 claims of the family `rest`."))
    #expect(four.recalls[1].judgement == .notShown("not separated"))
    // By the other detector it is less sure.
    var unsure = Self.finding(5, family: "rest")
    unsure.backgroundDifference = Self.finding(1.8, family: nil).difference
    let both = Verdict(recalls: [unsure, Self.finding(0.5, family: "rest")])
    #expect(both.recalls[0].test.map { abs($0.pHolm - 2 * 0.07186) < 1e-3 } == true)
    // Others' families do not count.
    let apart = Verdict(
      recalls: [(2.3, "one"), (0.5, "rest"), (0.1, "rest")].map {
        Self.finding($0.0, family: $0.1)
      })
    #expect(apart.recalls[0].judgement == .shown && apart.recalls[0].test?.size == 1)
  }

  @Test("what one detector alone shows is told as such, whatever its family makes of the other's p")
  func alone() {
    var finding = Self.finding(5, family: "rest")
    (finding.low.background, finding.high.background) = (finding.low.recall, finding.low.recall)
    finding.backgroundDifference = Self.finding(0.5, family: nil).difference
    #expect(
      Verdict(recalls: [finding]).recalls[0].judgement == .notShown("by the judge alone"))
    finding.backgroundDifference = Self.finding(2.1, family: nil).difference
    let four = Verdict(
      recalls: [finding] + [0.5, 0.1, 0.7].map { Self.finding($0, family: "rest") })
    #expect(four.recalls[0].judgement == .notShown("not after Holm's correction"))
  }

  @Test("what one mask of many does beyond its control may be chance")
  func contrasts() {
    func repair(_ errors: Double) -> RepairFinding {
      var finding = RepairFinding(
        claim: Claims.Repair(mask: "near", of: "single", control: "far"),
        recall: Replicates(VerdictTests.estimate((0.2, 0.1, 0.3))), pHolm: 0.001)
      finding.control = finding.recall
      let value = 0.01 * errors
      finding.contrast = Replicates(
        VerdictTests.estimate((value, value - 0.0196, value + 0.0196)))
      return finding
    }
    #expect(Verdict(repairs: [repair(2.3)]).repairs[0].keeping == .matters)
    let four = Verdict(repairs: [2.3, 0.5, 0.1, -5].map(repair)).repairs
    #expect(four.map(\.keeping) == [.open, .open, .open, .refuted])
  }

  @Test("claims of several kinds are one family")
  func mixed() {
    var remote = RemoteFinding(
      claim: Claims.Remote(model: "single", against: "local", family: "rest"), count: 9)
    remote.difference = Replicates(VerdictTests.estimate((0.023, 0.0034, 0.0426)))
    remote.model = remote.difference
    remote.against = Replicates(VerdictTests.estimate((0, 0, 0)))
    let verdict = Verdict(
      recalls: [Self.finding(0.5, family: "rest"), Self.finding(0.2, family: "rest")],
      remotes: [remote])
    #expect(verdict.remotes[0].test?.size == 3)
    #expect(verdict.remotes[0].judgement == .notShown("not after Holm's correction"))
    #expect(Verdict(remotes: [remote]).remotes[0].judgement == .shown)
  }

  @Test("the answer is about the first claim of the family `primary`, masks or not")
  func primary() throws {
    let mask = RepairFinding(
      claim: Claims.Repair(mask: "masked", of: "single"),
      recall: Replicates(VerdictTests.estimate((0.2, 0.1, 0.3))), pHolm: 0.001)
    let recalls = [Self.finding(0.1, family: "rest"), Self.finding(4, family: "primary")]
    func answer(_ recalls: [RecallFinding]) throws -> String {
      try #require(Answer(verdict: Verdict(recalls: recalls, repairs: [mask])).sentence)
    }
    #expect(try answer(recalls).hasPrefix("Shown in part: `local` recalls more than `single`"))
    #expect(try answer([recalls[0]]).contains("mask `masked`"))
  }
}
