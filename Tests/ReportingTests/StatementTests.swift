// Proves that what is said of claims together, of masks that leave recall low, and of claims that came late is no
// stronger than what was found.
import Formats
import Testing

@testable import Reporting

@Suite("What claims come to together")
struct StatementTests {
  private typealias Ends = (Double, Double, Double)

  private static func statement(_ side: Claims.Statement.Side) -> Claims.Statement? {
    Claims.Statement(
      .object([side.rawValue: .string("s")]), ["s": "one fails, the other does not"])
  }

  /// One that is said to fail beside one that is said to compose.
  private static func recall(
    _ low: Ends, _ high: Ends, difference: Ends, _ side: Claims.Statement.Side = .supports
  ) -> RecallFinding {
    var finding = RecallFinding(
      claim: Claims.Recall(
        direction: .fails, model: "single", against: "all", statement: statement(side)),
      low: VerdictTests.side(low), high: VerdictTests.side(high))
    finding.counts = [5, 9]
    finding.threshold = 0.9
    finding.difference = Replicates(VerdictTests.estimate(difference))
    return finding
  }

  private static let whole = recall(
    (0.6, 0.55, 0.65), (0.95, 0.93, 0.97), difference: (-0.35, -0.4, -0.3))
  private static let part = recall(
    (0.6, 0.55, 0.65), (0.8, 0.75, 0.85), difference: (-0.2, -0.25, -0.15))
  private static let open = recall(
    (0.8, 0.75, 0.85), (0.8, 0.75, 0.85), difference: (0, -0.05, 0.05))
  private static let against = recall(
    (0.9, 0.88, 0.92), (0.8, 0.75, 0.85), difference: (0.1, 0.05, 0.15))

  private func rendered(_ blocks: [Block]) -> String {
    MarkdownRenderer(blocks, pictureFolder: "p").text
  }

  private func page(_ findings: [RecallFinding]) -> String {
    rendered(
      StatementTable(
        claims: ClaimsTable(verdict: Verdict(recalls: findings)),
        order: findings.compactMap(\.claim.statement?.text).isEmpty
          ? [] : ["one fails, the other does not"]
      ).blocks)
  }

  @Test(
    "all shown in full confirms, a part in part, the opposite contradicts, nothing shows nothing")
  func outcomes() {
    #expect(page([Self.whole]).contains("| **confirmed** |"))
    #expect(page([Self.whole, Self.part]).contains("**confirmed in part**, by 2 of 2"))
    #expect(page([Self.part, Self.open]).contains("**confirmed in part**, by 1 of 2"))
    #expect(page([Self.open]).contains("| not shown |"))
    #expect(page([Self.against, Self.open]).contains("**contradicted** by 1 of 2"))
    #expect(page([Self.whole, Self.against]).contains("**contested**: 1 of 2 for it, 1 against"))
    var refuting = Self.whole
    refuting.claim.statement = Self.statement(.refutes)
    #expect(page([refuting]).contains("**contradicted** by 1 of 1"))
    #expect(page([refuting]).contains("*against it:* "))
    var bare = Self.whole
    bare.claim.statement = nil
    #expect(page([bare]).isEmpty)
  }

  @Test("that the other one is below the threshold as well is said of who is said to compose")
  func bothFail() {
    let verdict = Verdict(recalls: [Self.part])
    #expect(
      rendered(ClaimsTable(verdict: verdict).blocks).contains(
        "**that of `all` is below 0.90, too**"))
    #expect(verdict.sentences[0].contains("That `all` composes is **contradicted**"))
    #expect(!Verdict(recalls: [Self.whole]).sentences[0].contains("contradicted"))
  }

  private func repair(reached: Ends, unequal: Bool = false) -> Verdict {
    var finding = RepairFinding(
      claim: Claims.Repair(mask: "near", of: "single", control: "far"),
      recall: Replicates(VerdictTests.estimate((0.2, 0.15, 0.25))), pHolm: 0.001,
      control: Replicates(VerdictTests.estimate((0.02, 0, 0.04))),
      contrast: Replicates(VerdictTests.estimate((0.18, 0.12, 0.24))))
    finding.reached = Replicates(VerdictTests.estimate(reached))
    finding.threshold = 0.9
    finding.isControlUnequal = unequal
    return Verdict(repairs: [finding])
  }

  @Test("a mask behind which recall stays low repairs in part")
  func repairs() {
    let low = repair(reached: (0.8, 0.75, 0.85))
    let table = rendered(ClaimsTable(verdict: low).blocks)
    #expect(table.contains("**shown in part**: recalls more; it **matters** what it keeps"))
    #expect(table.contains("; behind it 0.80") && table.contains(", below 0.90 |"))
    #expect(low.sentences[0].hasPrefix("**Shown in part:**"))
    #expect(low.sentences[0].contains("Behind it recall is 0.80 [0.75, 0.85], still below 0.90."))
    #expect(Answer(verdict: low).sentence?.hasPrefix("Shown in part: ") == true)
    let whole = repair(reached: (0.95, 0.93, 0.97))
    #expect(whole.sentences[0].hasPrefix("**Shown:**"))
    #expect(Answer(verdict: whole).sentence?.hasPrefix("Shown: ") == true)
  }

  @Test("a control that leaves another number of labels or pixels does not say what matters")
  func confounded() {
    let verdict = repair(reached: (0.95, 0.93, 0.97), unequal: true)
    #expect(verdict.repairs[0].keeping == .confounded)
    let table = rendered(ClaimsTable(verdict: verdict).blocks)
    #expect(
      table.contains("more than its control, which leaves another number of labels or pixels"))
    #expect(!table.contains("matters"))
    #expect(verdict.sentences[0].contains("**Not shown** that it matters what the mask keeps"))
  }

  @Test("a claim that came after its results says so")
  func afterthought() {
    var late = Self.whole
    late.afterthought = Afterthought(known: 10, all: 10)
    #expect(page([late]).contains("*stated after all of its results*"))
    late.afterthought = Afterthought(known: 2, all: 10)
    #expect(page([late]).contains("*stated after 2 of 10 of its results*"))
    var verdict = Verdict(recalls: [Self.whole])
    verdict.groupings["one fails, the other does not"] = Afterthought(known: 3, all: 10)
    #expect(
      rendered(
        StatementTable(
          claims: ClaimsTable(verdict: verdict), order: ["one fails, the other does not"]
        ).blocks
      ).contains("**confirmed**; *put together after 3 of 10 of their results*"))
    late.afterthought = Afterthought(known: 0, all: 10)
    #expect(!page([late]).contains("stated after"))
  }

  @Test(
    "a family that was named after the results of its claims says so, and whom the answer is about")
  func lateFamilies() {
    let told = HeaderSection.late([
      "primary": Afterthought(known: 3, all: 3), "repairs": Afterthought(known: 1, all: 4),
      "beforehand": Afterthought(known: 0, all: 4),
    ])
    #expect(
      told
        == " Which claims are of family `primary` was said after all of their results, and so which one the answer is about."
        + " Which claims are of family `repairs` was said after 1 of 4 of their results.")
  }

  @Test("the number of labels, and pixels, are told in words of their own")
  func kinds() {
    func verdict(_ kind: Claims.Remote.Kind, _ difference: Ends) -> Verdict {
      var finding = RemoteFinding(
        claim: Claims.Remote(
          kind: kind, model: "single", against: kind == .number ? "single" : "all"))
      (finding.count, finding.sigmas) = (9, [1, 8])
      finding.model = Replicates(VerdictTests.estimate((0.4, 0.35, 0.45)))
      finding.against = Replicates(VerdictTests.estimate((0.1, 0.05, 0.15)))
      finding.difference = Replicates(VerdictTests.estimate(difference))
      return Verdict(remotes: [finding])
    }
    let number = verdict(.number, (0.3, 0.25, 0.35))
    #expect(
      number.sentences[0].hasPrefix(
        "**Shown:** for `single` how many remote labels there are counts more than where they are"))
    #expect(
      Answer(verdict: number).sentence?.hasPrefix(
        "Shown: removing the remote labels of `single` counts for more than moving them (K = 9)")
        == true)
    let pixels = verdict(.pixels, (0, -0.05, 0.05))
    #expect(
      pixels.sentences[0].hasPrefix(
        "**Not shown:** `single` depends on pixels outside an object's window no more"))
    var missing = pixels.remotes[0]
    missing.model = Replicates([])
    #expect(
      Verdict(remotes: [missing]).sentences[0]
        == "**Not shown:** that pixels outside its window count for `single` more than for `all` (K = 9) was not probed on both."
    )
  }
}
