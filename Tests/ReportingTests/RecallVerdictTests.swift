import Evaluation
import Statistics
import Streams
import Testing

@testable import Reporting

/// Proves by simulation that the verdict on two models is seldom wrong, and not blind.
@Suite("The verdict on two models, simulated")
struct RecallVerdictTests {
  private static let counts = [5, 7, 9, 12]

  /// Two networks that recall `share` and `share` + `effect`, drawn for the same layouts with other noise: a
  /// layout's own difficulty is shared, as is what both detectors see of an object.
  private func finding(_ trial: Int, effect: Double, layouts: Int) -> RecallFinding {
    var stream = RandomStream(seed: 78, purpose: .test2, index: UInt64(trial))
    var (low, high): ([Outcome], [Outcome]) = ([], [])
    for k in Self.counts {
      for layout in 0..<layouts {
        let share = 0.7 + stream.uniform(-0.15, 0.15)
        func drawn(_ share: Double) -> Outcome {
          let (found, seen) = (0..<k).reduce((0, 0)) { sum, _ in
            let isFound = stream.uniform() < share
            let isSeen = isFound && stream.uniform() < 0.8
            return (sum.0 + (isFound ? 1 : 0), sum.1 + (isSeen ? 1 : 0))
          }
          return Outcome(
            seed: 1, k: k, layout: layout, requested: k, found: found, drawn: k,
            foundBackground: seen,
            chance: 0.2 * Double(k), chanceBackground: 0.1 * Double(k))
        }
        low.append(drawn(share))
        high.append(drawn(share + effect))
      }
    }
    func recall(_ outcomes: [Outcome]) -> Replicates {
      Replicates(
        [
          recallBeyondChance(outcomes, counts: Set(Self.counts), seed: UInt64(trial)).map {
            Replicates.Value(estimate: Estimate($0))
          }
        ].compactMap { $0 })
    }
    func side(_ outcomes: [Outcome]) -> RecallFinding.Side {
      RecallFinding.Side(
        recall: recall(outcomes),
        kMax: Estimate(value: 3, low: 1, high: 5, n: outcomes.count),
        background: recall(outcomes.asTheBackgroundSees ?? []))
    }
    func difference(_ measure: EffectMeasure) -> Replicates {
      Replicates(
        [
          Estimate.difference(
            low, high, counts: Set(Self.counts), measure, seed: UInt64(trial)
          ).map { Replicates.Value(estimate: $0) }
        ].compactMap { $0 })
    }
    var finding = RecallFinding(
      claim: Claims.Recall(direction: .fails, model: "one", against: "other"), low: side(low),
      high: side(high))
    finding.difference = difference(.recall)
    finding.backgroundDifference = difference(.background)
    return finding
  }

  @Test(
    "of 200 pairs of equal networks at most 5 % are shown to differ; of 50 that differ by 0.1, at least 80 %"
  )
  func simulated() {
    let none = (0..<200).count {
      let judgement = finding($0, effect: 0, layouts: 8).judgement
      return judgement == .shown || judgement == .against
    }
    #expect(none <= 10, "\(none) of 200")
    // As many layouts a K as the plain evaluations of the quickstart have at least.
    let some = (1000..<1050).count {
      finding($0, effect: 0.1, layouts: 24).judgement == .shown
    }
    #expect(some >= 40, "\(some) of 50")
  }
}
