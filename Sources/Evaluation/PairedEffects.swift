import Foundation
import Statistics
import Streams

/// An average causal effect: treated less baseline on the same layouts and noise.
package struct PairedEffect: Sendable {
  package var effect: Interval
  /// Two-sided, by exchanging treated and baseline within layouts.
  package var p: Double
}

/// What an effect is measured on; each is a ratio of sums over layouts at each K, averaged over the K.
package enum EffectMeasure: String, Sendable, CaseIterable {
  /// Found of requested places, beyond what other layouts would have met.
  case recall
  /// Share of exact pictures.
  case exact
  /// Found of drawn objects: what drawing everywhere costs.
  case precision
  /// Recall beyond chance as the background detector sees it.
  case background

  fileprivate func parts(_ outcome: Outcome) -> (hits: Double, total: Double) {
    switch self {
    case .recall: beyondChance(outcome, outcome.found, outcome.chance)
    case .exact: (outcome.exact ? 1 : 0, 1)
    case .precision: (Double(outcome.found), Double(outcome.drawn))
    case .background:
      beyondChance(outcome, outcome.foundBackground ?? 0, outcome.chanceBackground)
    }
  }

  private func beyondChance(_ outcome: Outcome, _ found: Int, _ chance: Double?) -> (
    hits: Double, total: Double
  ) {
    (Double(found) - (chance ?? 0), Double(outcome.requested) - (chance ?? 0))
  }
}

private struct LayoutKey: Hashable {
  var seed: Int
  var k: Int
  var layout: Int
}

/// The layouts that two arms have in common.
private struct CommonLayouts {
  private(set) var treated: [(hits: Double, total: Double)] = []
  private(set) var baseline: [(hits: Double, total: Double)] = []
  /// Of one seed and K each.
  private(set) var ranges: [Range<Int>] = []
  /// Of one K each.
  private(set) var levels: [Range<Int>] = []

  var count: Int { treated.count }

  /// - Throws: `EvaluationError.noCommonLayouts`.
  init(
    treated: [Outcome], baseline: [Outcome], counts: Set<Int>, measure: EffectMeasure
  ) throws(EvaluationError) {
    let others = Dictionary(
      baseline.map { (LayoutKey(seed: $0.seed, k: $0.k, layout: $0.layout), $0) },
      uniquingKeysWith: { first, _ in first })
    func other(_ row: Outcome) -> Outcome? {
      others[LayoutKey(seed: row.seed, k: row.k, layout: row.layout)]
    }
    let strata = Strata(treated.filter { counts.contains($0.k) && other($0) != nil })
    if strata.rows.isEmpty { throw .noCommonLayouts }
    (ranges, levels) = (strata.ranges, strata.levels)
    self.treated = strata.rows.map(measure.parts)
    self.baseline = strata.rows.compactMap(other).map(measure.parts)
  }

  /// What treated exceeds baseline by, given how often each layout counts.
  var difference: ([Int]) -> Double {
    let own = AveragedRatio(treated, levels: levels)
    let other = AveragedRatio(baseline, levels: levels)
    return { own.value($0) - other.value($0) }
  }

  func interval(_ seed: UInt64) -> Interval {
    Bootstrap(seed: seed).interval(strata: ranges, count: count, n: count, difference)
  }
}

/// The effect over the layouts that both have and whose K is in `counts`.
///
/// - Throws: `EvaluationError.noCommonLayouts`.
package func pairedEffect(
  treated: [Outcome], baseline: [Outcome], counts: Set<Int>, measure: EffectMeasure, seed: UInt64
) throws(EvaluationError) -> PairedEffect {
  let common = try CommonLayouts(
    treated: treated, baseline: baseline, counts: counts, measure: measure)
  return PairedEffect(effect: common.interval(seed), p: exchangeP(common, seed: seed))
}

/// The same without a test of whether it is 0.
///
/// - Throws: `EvaluationError.noCommonLayouts`.
package func pairedDifference(
  treated: [Outcome], baseline: [Outcome], counts: Set<Int>, measure: EffectMeasure, seed: UInt64
) throws(EvaluationError) -> Interval {
  try CommonLayouts(treated: treated, baseline: baseline, counts: counts, measure: measure)
    .interval(seed)
}

/// The effect on resampled layouts, draw by draw: of two effects over as many layouts a K, the same draw has
/// the same layouts.
///
/// - Throws: `EvaluationError.noCommonLayouts`.
package func pairedEffectDraws(
  treated: [Outcome], baseline: [Outcome], counts: Set<Int>, measure: EffectMeasure, seed: UInt64
) throws(EvaluationError) -> [Double] {
  let common = try CommonLayouts(
    treated: treated, baseline: baseline, counts: counts, measure: measure)
  return Bootstrap(seed: seed).distribution(
    strata: common.ranges, count: common.count, common.difference)
}

/// The p of the hypothesis that the arms are exchangeable within each layout, by exchanging them at
/// random: (1 + as extreme) / (1 + exchanges).
private func exchangeP(_ common: CommonLayouts, seed: UInt64, exchanges: Int = 9999) -> Double {
  typealias Sums = (hits: Double, total: Double)
  func ratio(_ sums: Sums) -> Double { sums.total > 0 ? sums.hits / sums.total : 0 }
  /// - Parameter isExchanged: of each layout, in order.
  func difference(_ isExchanged: () -> Bool) -> Double {
    var result = 0.0
    for level in common.levels {
      var (own, other): (Sums, Sums) = ((0, 0), (0, 0))
      for i in level {
        let (a, b) =
          isExchanged()
          ? (common.baseline[i], common.treated[i]) : (common.treated[i], common.baseline[i])
        own = (own.hits + a.hits, own.total + a.total)
        other = (other.hits + b.hits, other.total + b.total)
      }
      result += ratio(own) - ratio(other)
    }
    return result
  }
  // Sums in another order differ in the last bits; those must not count as less extreme.
  let threshold = abs(difference { false }) - 1e-12
  var extreme = 0
  for exchange in 0..<exchanges {
    var stream = RandomStream(seed: seed, purpose: .permutation, index: UInt64(exchange))
    var (bits, left): (UInt32, Int) = (0, 0)
    let exchanged = difference {
      if left == 0 { (bits, left) = (stream.nextUInt32(), 32) }
      defer { (bits, left) = (bits >> 1, left - 1) }
      return bits & 1 != 0
    }
    if abs(exchanged) >= threshold { extreme += 1 }
  }
  return Double(1 + extreme) / Double(1 + exchanges)
}
