import Foundation
import Testing

@testable import Evaluation

@Suite("K_max and paired effects")
struct EffectTests {
  private func outcomes(_ found: [Int], k: Int, requested: Int, drawn: Int? = nil) -> [Outcome] {
    found.enumerated().map {
      Outcome(
        seed: 1, k: k, layout: $0.offset, requested: requested, found: $0.element,
        drawn: drawn ?? $0.element)
    }
  }

  @Test("K_max is the last K before recall first falls below the threshold")
  func kMaxValue() {
    let rows =
      outcomes([1, 1, 1, 1], k: 1, requested: 1) + outcomes([2, 2, 2, 1], k: 2, requested: 2)
      + outcomes([3, 3, 3, 3], k: 4, requested: 4) + outcomes([5, 5, 5, 5], k: 5, requested: 5)
    #expect(kMax(rows, threshold: 0.8, seed: 1).value == 2)
    #expect(kMax(rows, threshold: 0.7, seed: 1).value == 5)
    #expect(kMax(rows, threshold: 0.95, seed: 1).value == 1)
    // K = 2 misses a threshold of 0.8 in resamples with two or more of the bad layout.
    #expect(kMax(rows, threshold: 0.8, seed: 1).low == 1)
    let failing = outcomes([0, 1, 0], k: 1, requested: 1)
    #expect(kMax(failing, threshold: 0.9, seed: 1).value == 0)
  }

  @Test("a paired effect is the difference of pooled recall, with its sign and a small p")
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
