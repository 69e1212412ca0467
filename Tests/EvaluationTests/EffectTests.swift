import Foundation
import Statistics
import Streams
import Testing

@testable import Evaluation

@Suite("K_max and paired effects")
struct EffectTests {
  private func outcomes(_ found: [Int], k: Int, requested: Int, drawn: Int? = nil) -> [Outcome] {
    found.enumerated().map {
      Outcome(
        seed: 1, k: k, layout: $0.offset, requested: requested, found: $0.element,
        drawn: drawn ?? $0.element, chance: 0)
    }
  }

  @Test("K_max is the last K before recall first falls below the threshold")
  func kMaxValue() {
    let rows =
      outcomes([1, 1, 1, 1], k: 1, requested: 1) + outcomes([2, 2, 2, 1], k: 2, requested: 2)
      + outcomes([3, 3, 3, 3], k: 4, requested: 4) + outcomes([5, 5, 5, 5], k: 5, requested: 5)
    #expect(kMax(rows, threshold: 0.8).value == 2)
    #expect(kMax(rows, threshold: 0.7).value == 5)
    #expect(kMax(rows, threshold: 0.95).value == 1)
    // Four layouts tell nothing for certain, in either direction.
    #expect(kMax(rows, threshold: 0.8).low == 0 && kMax(rows, threshold: 0.8).high == 5)
    let failing = outcomes([0, 1, 0], k: 1, requested: 1)
    #expect(kMax(failing, threshold: 0.9).value == 0)
  }

  /// Recall at K, by which found places of a layout are drawn: half of a layout's own, which moves it by up
  /// to 0.08, so that places of one layout depend on each other.
  private static let laws: [(name: String, recall: @Sendable (Int) -> Double, kMax: Double)] = [
    ("flat .92", { _ in 0.92 }, 12), ("flat .95", { _ in 0.95 }, 12),
    ("a step at 4", { $0 <= 4 ? 0.96 : 0.7 }, 4),
    ("a slow decline", { 0.98 - 0.012 * Double($0) }, 6),
  ]

  private static func sample(
    _ recall: (Int) -> Double, counts: [Int], law: Int, trial: Int
  ) -> [Outcome] {
    var stream = RandomStream(seed: UInt64(law), purpose: .test, index: UInt64(trial))
    var rows: [Outcome] = []
    for k in counts {
      for layout in 0..<layoutsNeeded(k: k) {
        let spread = min(0.08, 1 - recall(k))
        let own = recall(k) + stream.uniform(-spread, spread)
        let found = (0..<k).reduce(0) { sum, _ in sum + (stream.uniform() < own ? 1 : 0) }
        rows.append(
          Outcome(seed: 1, k: k, layout: layout, requested: k, found: found, drawn: found))
      }
    }
    return rows
  }

  @Test(
    "K_max's interval holds the truth in 93 % of 400 data sets at least", arguments: laws.indices)
  func coverage(law: Int) {
    let (name, recall, truth) = Self.laws[law]
    var covered = 0
    for trial in 0..<400 {
      let rows = Self.sample(recall, counts: Array(1...12), law: law, trial: trial)
      let interval = kMax(rows, threshold: 0.9)
      if interval.low <= truth, truth <= interval.high { covered += 1 }
    }
    #expect(covered >= 372, "\(name): \(covered) of 400")
  }

  @Test(
    "the fitted curve's interval holds the truth in 93 % of 400 data sets at least, with all K and with six",
    arguments: laws.indices, [Array(1...12), [1, 3, 5, 7, 9, 12]])
  func fittedCoverage(law: Int, counts: [Int]) throws {
    let (name, recall, truth) = Self.laws[law]
    var covered = 0
    for trial in 0..<400 {
      let rows = Self.sample(recall, counts: counts, law: law, trial: trial)
      let interval = try #require(fittedKMax(rows, threshold: 0.9))
      if interval.low <= truth, truth <= interval.high { covered += 1 }
    }
    #expect(covered >= 372, "\(name): \(covered) of 400")
  }

  @Test("the fitted curve crosses where it was made to, and says nothing of two K")
  func fitted() throws {
    func value(_ recall: (Int) -> Double) throws -> Interval {
      let rows = (1...12).flatMap { k in
        (0..<40).map { layout in
          // As many as the law says over all layouts, spread evenly.
          let places = Double(k * layout) * recall(k)
          let found = Int((places + Double(k) * recall(k)).rounded()) - Int(places.rounded())
          return Outcome(
            seed: 1, k: k, layout: layout, requested: k, found: min(found, k), drawn: found)
        }
      }
      return try #require(fittedKMax(rows, threshold: 0.9))
    }
    let step = try value { $0 <= 4 ? 0.97 : 0.6 }
    #expect((step.value, step.low, step.high) == (4, 4, 4) && step.n == 480)
    let line = try value { 0.98 - 0.012 * Double($0) }
    #expect(line.value == 6 && line.low <= 6 && line.high >= 6)
    let flat = try value { _ in 0.97 }
    #expect((flat.value, flat.low, flat.high) == (12, 12, 12))
    let failing = try value { _ in 0.5 }
    #expect((failing.value, failing.low, failing.high) == (0, 0, 0))
    let two = outcomes([1, 1], k: 1, requested: 1) + outcomes([2, 2], k: 2, requested: 2)
    #expect(fittedKMax(two, threshold: 0.9) == nil)
  }

  @Test("where all layouts agree, Wilson's bounds decide")
  func agreement() {
    let few = outcomes([1, 1, 1], k: 1, requested: 1)
    #expect(kMax(few, threshold: 0.9).low == 0)
    let many = outcomes([Int](repeating: 1, count: 60), k: 1, requested: 1)
    #expect(kMax(many, threshold: 0.9).low == 1)
    let none = outcomes([Int](repeating: 0, count: 60), k: 1, requested: 1)
    #expect(kMax(none, threshold: 0.9) == Interval(value: 0, low: 0, high: 0, n: 60))
  }

  @Test(
    "recall over some K less that over others, with an interval of two independent sets of layouts")
  func contrast() throws {
    // Each layout meets its one request or not; the standard error of a share is known.
    func rows(_ k: Int, met: Int, of n: Int) -> [Outcome] {
      (0..<n).map {
        Outcome(
          seed: 1, k: k, layout: $0, requested: 1, found: $0 < met ? 1 : 0, drawn: 1, chance: 0)
      }
    }
    let all = rows(1, met: 90, of: 100) + rows(2, met: 70, of: 100) + rows(5, met: 50, of: 100)
    let found = recallContrast(all, over: [1, 2], less: [5], seed: 4)
    let (interval, draws) = try #require(found)
    #expect(abs(interval.value - 0.3) < 1e-12)
    let variance = (0.9 * 0.1 + 0.7 * 0.3) / 100 / 4 + 0.5 * 0.5 / 100
    let half = 1.96 * variance.squareRoot()
    #expect(abs(interval.low - (0.3 - half)) < 0.02 && abs(interval.high - (0.3 + half)) < 0.02)
    let mean = draws.reduce(0, +) / Double(draws.count)
    let spread =
      draws.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(draws.count - 1)
    #expect(abs(mean - 0.3) < 0.005 && abs(spread / variance - 1) < 0.1)
    #expect(recallContrast(all, over: [1], less: [7], seed: 3) == nil)
    #expect(recallContrast(all, over: [], less: [5], seed: 3) == nil)
  }

  @Test("recall beyond chance is 0 where any layout is met as well, and 1 where all is found")
  func corrected() throws {
    func rows(_ found: Int, chance: Double?) -> [Outcome] {
      (0..<20).map {
        Outcome(
          seed: 1, k: 4, layout: $0, requested: 4, found: found, drawn: 4, chance: chance)
      }
    }
    #expect(recallBeyondChance(rows(1, chance: 1), counts: [4], seed: 1)?.value == 0)
    #expect(recallBeyondChance(rows(4, chance: 1), counts: [4], seed: 1)?.value == 1)
    #expect(
      recallBeyondChance(rows(2, chance: 1), counts: [4], seed: 1).map {
        abs($0.value - 1 / 3.0) < 1e-12
      } == true)
    #expect(recallBeyondChance(rows(2, chance: nil), counts: [4], seed: 1) == nil)
    // Each K counts the same, however many layouts it has.
    let two =
      rows(4, chance: 0) + [
        Outcome(seed: 1, k: 5, layout: 0, requested: 5, found: 0, drawn: 0, chance: 0)
      ]
    #expect(recallBeyondChance(two, counts: [4, 5], seed: 1)?.value == 0.5)
    #expect(averagedRecall(rows(2, chance: 1), counts: [4], seed: 1)?.value == 0.5)
    #expect(averagedRecall(two, counts: [4, 5], seed: 1)?.value == 0.5)
    #expect(averagedRecall(two, counts: [7], seed: 1) == nil)
  }

  @Test("chance holds other requests against the same objects")
  func chance() {
    let a = [Place(x: 0, y: 0), Place(x: 10, y: 0)]
    let b = [Place(x: 0, y: 1), Place(x: 30, y: 0)]
    let c = [Place(x: 50, y: 0), Place(x: 60, y: 0)]
    #expect(chanceCount([b, c], detected: a, tolerance: 2) == 0.5)
    #expect(chanceCount([[Place]](), detected: a, tolerance: 2) == 0)
  }

  @Test("each K counts the same in an effect, and what chance finds is no effect")
  func averaged() throws {
    func rows(_ k: Int, _ count: Int, found: Int, chance: Double) -> [Outcome] {
      (0..<count).map {
        Outcome(
          seed: 1, k: k, layout: $0, requested: k, found: found, drawn: k, foundBackground: found,
          chance: chance, chanceBackground: 0)
      }
    }
    // At K = 4 from 0 to 1 on one layout, at K = 6 nothing on eleven: half on average, 4 / 70 pooled.
    let baseline = rows(4, 1, found: 0, chance: 0) + rows(6, 11, found: 3, chance: 0)
    let treated = rows(4, 1, found: 4, chance: 0) + rows(6, 11, found: 3, chance: 0)
    let effect = try pairedEffect(
      treated: treated, baseline: baseline, counts: [4, 6], measure: .recall, seed: 1)
    #expect(effect.effect.value == 0.5 && effect.effect.n == 12)
    // Three of four found where chance finds two: (3 − 2) / (4 − 2); by the other detector 3 / 4.
    let lucky = rows(4, 8, found: 3, chance: 2)
    let none = rows(4, 8, found: 2, chance: 2)
    func value(_ measure: EffectMeasure) throws -> Double {
      try pairedEffect(treated: lucky, baseline: none, counts: [4], measure: measure, seed: 1)
        .effect.value
    }
    #expect(try value(.recall) == 0.5)
    #expect(try value(.background) == 0.25)
  }

  @Test("a paired effect is the difference of recall, with its sign and a small p")
  func effect() throws {
    let baseline = outcomes([Int](repeating: 2, count: 30), k: 4, requested: 4)
    let treated = outcomes((0..<30).map { 3 + $0 % 2 }, k: 4, requested: 4)
    let effect = try pairedEffect(
      treated: treated, baseline: baseline, counts: [4], measure: .recall, seed: 1)
    #expect(abs(effect.effect.value - 0.375) < 1e-12)
    #expect(effect.effect.low > 0.3 && effect.effect.high < 0.45)
    #expect(effect.p < 0.001)
    let reverse = try pairedEffect(
      treated: baseline, baseline: treated, counts: [4], measure: .recall, seed: 1)
    #expect(abs(reverse.effect.value + 0.375) < 1e-12)
    let none = try pairedEffect(
      treated: treated, baseline: treated, counts: [4], measure: .recall, seed: 1)
    #expect(none.effect.value == 0 && none.p == 1 && none.effect.isDegenerate)
  }

  @Test("drawing everywhere costs precision")
  func precision() throws {
    let baseline = outcomes([2, 2, 3, 2], k: 4, requested: 4)
    let treated = outcomes([4, 4, 4, 4], k: 4, requested: 4, drawn: 20)
    let effect = try pairedEffect(
      treated: treated, baseline: baseline, counts: [4], measure: .precision, seed: 1)
    #expect(abs(effect.effect.value + 0.8) < 1e-12)
  }

  @Test("evaluations without a common layout are an error")
  func noCommonLayouts() {
    #expect(throws: EvaluationError.noCommonLayouts) {
      try pairedEffect(
        treated: outcomes([1], k: 1, requested: 1), baseline: outcomes([2], k: 2, requested: 2),
        counts: [1], measure: .recall, seed: 1)
    }
  }

  /// Two arms on the same layouts, each found place drawn anew; a layout's own difficulty is shared.
  private func arms(_ trial: Int, effect: Double, layouts: Int) -> (
    treated: [Outcome], baseline: [Outcome]
  ) {
    var stream = RandomStream(seed: 77, purpose: .test2, index: UInt64(trial))
    var (treated, baseline): ([Outcome], [Outcome]) = ([], [])
    for k in [5, 7, 9, 12] {
      for layout in 0..<layouts {
        let share = 0.7 + stream.uniform(-0.15, 0.15)
        func drawn(_ share: Double) -> Outcome {
          let found = (0..<k).reduce(0) { sum, _ in sum + (stream.uniform() < share ? 1 : 0) }
          return Outcome(seed: 1, k: k, layout: layout, requested: k, found: found, drawn: k)
        }
        treated.append(drawn(share + effect))
        baseline.append(drawn(share))
      }
    }
    return (treated, baseline)
  }

  /// As the verdict has it: the interval above 0, and p below 0.05.
  private func isShown(_ trial: Int, effect: Double, layouts: Int) throws -> Bool {
    let (treated, baseline) = arms(trial, effect: effect, layouts: layouts)
    let found = try pairedEffect(
      treated: treated, baseline: baseline, counts: [5, 7, 9, 12], measure: .recall,
      seed: UInt64(trial))
    return found.effect.low > 0 && found.p < 0.05
  }

  @Test(
    "of 200 masks that do nothing at most 5 % are shown to repair; of 50 that add 0.1, at least 80 %"
  )
  func verdicts() throws {
    let none = try (0..<200).count { try isShown($0, effect: 0, layouts: 8) }
    #expect(none <= 10, "\(none) of 200")
    // 16 layouts a K, as the quickstart's label masks have.
    let some = try (1000..<1050).count { try isShown($0, effect: 0.1, layouts: 16) }
    #expect(some >= 40, "\(some) of 50")
  }

  /// Under the null, p is uniform: of 200 tests about 5 % are below 0.05.
  @Test("p is uniform when nothing differs")
  func uniformP() throws {
    var below = 0
    for test in 0..<200 {
      let a = (0..<20).map { (layout: Int) in Int(abs(sin(Double(test * 100 + layout)) * 5)) }
      let b = (0..<20).map { (layout: Int) in Int(abs(sin(Double(test * 100 + layout) + 0.5) * 5)) }
      let effect = try pairedEffect(
        treated: outcomes(a, k: 5, requested: 5), baseline: outcomes(b, k: 5, requested: 5),
        counts: [5], measure: .recall, seed: UInt64(test))
      if effect.p < 0.05 { below += 1 }
    }
    // Five standard deviations of a binomial of 200 at 0.05.
    #expect(below <= 10 + 5 * 4)
  }
}
