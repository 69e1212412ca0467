// Proves that pairs that training held out are told from those it showed by both detectors, on pictures of both.
import Evaluation
import Testing

@testable import Reporting

@Suite("Combinations that training held out")
struct CombinationTests {
  /// Three networks, 48 pictures a side at K = 2: of seen pairs one word in `seen` is missed, of held-out ones one in
  /// `heldOut`.
  private func combination(
    seen: Int, heldOut: Int, background: (seen: Int, heldOut: Int)
  ) throws -> Combination {
    func outcomes(_ miss: Int, _ background: Int) -> [Outcome] {
      (0..<48).map { layout in
        Outcome(
          seed: 1, k: 2, layout: layout, requested: 2, found: layout % miss == 0 ? 1 : 2, drawn: 2,
          foundBackground: layout % background == 0 ? 1 : 2, chance: 0.4, chanceBackground: 0.4)
      }
    }
    let rows = (1...3).flatMap { seed in
      [(AskedRow.AskedFor.seen, "seen"), (.heldOut, "held-out")].map { asked, name in
        AskedRow(
          title: "own[seed=\(seed)]", stage: "pairs[seed=\(seed),asked=\(name)]",
          executionID: name, asked: asked, k: 2, recall: Estimate(value: 0))
      }
    }
    let found = try Combination.all(rows, seed: 1) {
      $0 == "seen"
        ? outcomes(seen, background.seen) : outcomes(heldOut, background.heldOut)
    }
    return try #require(found.first)
  }

  @Test("a loss that both detectors see is shown, and N are pictures")
  func shown() throws {
    let found = try combination(seen: 48, heldOut: 2, background: (48, 2))
    #expect(found.verdict == .heldOutLess)
    // (1 - 25 % of 2 words … ): 0.5 of 2 less 0.4 of chance of 1.6.
    #expect(abs((found.judge.difference?.value ?? 0) - (24.0 - 1) / 48 / 1.6) < 1e-9)
    #expect(found.cells[5] == "48 × 3", "\(found.cells)")
    #expect(found.cells[4].contains(" / "))
  }

  @Test("what one detector alone sees is not shown, and says which")
  func alone() throws {
    #expect(try combination(seen: 48, heldOut: 2, background: (8, 8)).verdict == .byTheJudge)
    #expect(try combination(seen: 8, heldOut: 8, background: (48, 2)).verdict == .byTheBackground)
    #expect(try combination(seen: 8, heldOut: 8, background: (8, 8)).verdict == .open)
  }

  @Test("resampled pictures widen what networks alike would leave without a width")
  func resampled() throws {
    let found = try combination(seen: 6, heldOut: 4, background: (6, 4))
    let difference = try #require(found.judge.difference)
    #expect((difference.high ?? 0) - (difference.low ?? 0) > 0.05)
  }
}
