import Foundation
import Testing

@testable import Reporting

/// Proves that the first bold sentence follows from the data, and is never stronger than the verdict.
@Suite("The answer in one sentence")
struct AnswerTests {
  private static func answer(_ verdict: Verdict) -> String {
    Answer(verdict: verdict).sentence ?? ""
  }

  private static func repair(
    _ recall: VerdictTests.Triple, p: Double = 0.001,
    control: VerdictTests.Triple? = (0, -0.03, 0.03),
    contrast: VerdictTests.Triple? = (0.18, 0.13, 0.23)
  ) -> RepairFinding {
    var finding = VerdictTests.repair(recall, p: p, control: control, contrast: contrast)
    finding.counts = [5, 7, 9, 12]
    return finding
  }

  @Test(
    "it names the mask, the model, K, N, the decisive contrast with its interval, and whom it is about"
  )
  func whole() {
    #expect(
      Self.answer(VerdictTests.verdict(repairs: [Self.repair((0.2, 0.15, 0.25))]))
        == "Shown: without any training, mask `masked[mask=conditioner]` changes the recall of `single` "
        + "at K = 5, 7, 9, 12 by +0.20 [+0.15, +0.25] (N = 30 layouts), and it matters what the mask keeps: "
        + "its control `masked[mask=sum]` changes it by 0.00 [-0.03, +0.03], a difference of +0.18 "
        + "[+0.13, +0.23] (N = 30); these networks, one seed.")
  }

  @Test(
    "it changes with the data",
    arguments: [
      (repair((0.02, -0.01, 0.05)), "Not shown: without", "but its effect is not above 0"),
      (repair((-0.2, -0.3, -0.1)), "Shown, against the claim: without", "by -0.20 [-0.30, -0.10]"),
      (
        repair((0.2, 0.15, 0.25), control: nil, contrast: nil), "Shown in part: without",
        "not shown: no control was evaluated"
      ),
      (
        repair((0.2, 0.15, 0.25), control: (0.3, 0.2, 0.4), contrast: (-0.1, -0.15, -0.05)),
        "Shown in part: without",
        "what the mask keeps and its control does not is not needed: its control"
      ),
      (
        repair((0.2, 0.15, 0.25), contrast: (0.02, -0.01, 0.05)), "Shown in part: without",
        "is not shown: its control"
      ),
    ] as [(RepairFinding, String, String)])
  func masks(_ finding: RepairFinding, _ lead: String, _ part: String) {
    let answer = Self.answer(VerdictTests.verdict(repairs: [finding]))
    #expect(answer.hasPrefix(lead) && answer.contains(part), "\(answer)")
  }

  @Test(
    "where the model composes there is nothing to repair, and a failed identity leaves nothing to tell"
  )
  func premise() {
    let good = [Self.repair((0.2, 0.15, 0.25))]
    let composing = Self.answer(
      VerdictTests.verdict(fails: VerdictTests.side((0.66, 0.6, 0.72)), repairs: good))
    #expect(composing.hasPrefix("Not shown: "), "\(composing)")
    #expect(
      composing.contains("`single` is not shown to recall less than `all` (0.60 [0.55, 0.65]"))
    let failed = Self.answer(VerdictTests.verdict(repairs: good, identicalShare: 0.99))
    #expect(failed.hasPrefix("Not shown: the identity control failed"))
    var missing = good[0]
    missing.recall = Replicates([])
    missing.missing = "it was not evaluated"
    #expect(
      Self.answer(VerdictTests.verdict(repairs: [missing])).hasPrefix(
        "Not shown: mask `masked[mask=conditioner]` has no effect on `single`"))
  }

  @Test("the first claim decides, and the others are counted")
  func first() {
    let (good, none) = (Self.repair((0.2, 0.15, 0.25)), Self.repair((0.02, -0.01, 0.05)))
    let answer = Self.answer(VerdictTests.verdict(repairs: [none, good, good]))
    #expect(answer.hasPrefix("Not shown: "))
    #expect(answer.contains("; of the 3 masks claimed to repair 2 are shown; these networks"))
  }

  @Test("without masks it is about recall, by both detectors, over seeds where there are some")
  func recalls() {
    var finding = RecallFinding(
      claim: Claims.Recall(direction: .composes, model: "local", against: "single"),
      low: VerdictTests.side((0.6, 0.55, 0.65)), high: VerdictTests.side((0.93, 0.91, 0.95)))
    finding.counts = [5, 9]
    finding.difference = Replicates(VerdictTests.estimate((0.33, 0.3, 0.36)))
    func answer() -> String { Self.answer(Verdict(recalls: [finding])) }
    #expect(
      answer()
        == "Shown in part: `local` recalls more than `single` at K = 5, 9: recall is 0.93 [0.91, 0.95] against "
        + "0.60 [0.55, 0.65], a difference of +0.33 [+0.30, +0.36] (N = 24 layouts); these networks, one "
        + "seed.")
    finding.threshold = 0.9
    #expect(answer().hasPrefix("Shown: `local` composes where `single` fails at K"))
    finding.low.background = finding.high.recall
    finding.high.background = finding.high.recall
    #expect(
      answer().hasPrefix("Not shown: by the judge `local` recalls more than `single` at K = 5, 9"))
    // Nor is the opposite shown by one detector alone.
    let high = finding.high.recall
    finding.high.recall = finding.low.recall
    finding.low.recall = high
    #expect(answer().hasPrefix("Not shown: "), "\(answer())")
    #expect(Verdict(recalls: [finding]).sentences[0].hasPrefix("**Not shown:** by the judge alone"))
    let seeds = Verdict(recalls: [
      ReplicateVerdictTests.finding(
        ReplicateVerdictTests.replicates([0.3, 0.5, 0.7]),
        ReplicateVerdictTests.replicates([0.39, 0.6, 0.81]))
    ])
    #expect(Self.answer(seeds).hasSuffix("; over 3 seeds."))
    let none = Self.answer(VerdictTests.verdict(fails: RecallFinding.Side(), repairs: []))
    #expect(none.hasPrefix("Not shown: `single` cannot be held against `all`: not evaluated"))
  }

  @Test("it is never stronger than the verdict's own sentence", arguments: [true, false])
  func strength(_ hasControl: Bool) {
    for value in stride(from: -0.3, through: 0.3, by: 0.1) {
      for width in [0.05, 0.25] {
        for p in [0.01, 0.2] {
          let triple = (value, value - width, value + width)
          let finding = Self.repair(
            triple, p: p, control: hasControl ? (0, -0.03, 0.03) : nil,
            contrast: hasControl ? triple : nil)
          for high in [0.9, 0.66] {
            let verdict = VerdictTests.verdict(
              fails: VerdictTests.side((high, high - 0.06, high + 0.06)), repairs: [finding])
            let answer = Self.answer(verdict)
            let own = verdict.sentences[3]
            if own.hasPrefix("**Not shown") {
              #expect(answer.hasPrefix("Not shown: "), "\(answer)")
            }
            if own.contains("**Not shown** that it matters") {
              #expect(!answer.hasPrefix("Shown: "), "\(answer)")
            }
          }
        }
      }
    }
  }

  @Test("the page begins with it, and it changes when the data do")
  func page() throws {
    func answer(own: Double, control: Double?) throws -> String {
      let fixture = try ReportFixture.otherModels(
        mask: 0, control: 0, own: own, ownControl: control)
      let url = try Report.write(
        store: fixture.store, runID: fixture.run, into: fixture.folder.appending(path: "reports"))
      let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
      #expect(lines[2].hasPrefix("**") && lines[2].hasSuffix(".**"))
      #expect(lines[3].hasPrefix("![Location recall against"))
      let told = try #require(try Report.verdict(of: url))
      #expect(Markdown.plain(lines[2]) == told)
      return told
    }
    #expect(
      try answer(own: 0.3, control: -0.2).hasPrefix(
        "Shown in part: without any training, mask masked_single[mask=conditioner]"))
    #expect(try answer(own: 0.3, control: -0.2).contains("and it matters what the mask keeps"))
    #expect(try answer(own: 0.3, control: nil).hasPrefix("Shown in part: without"))
    #expect(try answer(own: 0, control: -0.2).hasPrefix("Not shown: without"))
    // The fixture's mask loses as much within the range: nothing is said of what it does beyond.
    let broken = try answer(own: -0.3, control: -0.2)
    #expect(broken.hasPrefix("Not shown: without") && broken.contains("broken there already"))
  }

  @Test("a paragraph's first sentence becomes the answer, and the rest stays")
  func paragraph() {
    #expect(
      Answer.first(of: "**Shown:** a is 0.5. Then **b**.") == (
        "**Shown: a is 0.5.**", "Then **b**."
      ))
    #expect(Answer.first(of: "**Shown:** a.") == ("**Shown: a.**", ""))
  }
}
