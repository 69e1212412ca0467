import Foundation
import Statistics
import Streams

/// An average causal effect: treated less baseline on the same layouts and noise.
package struct PairedEffect: Sendable {
  package var effect: Interval
  /// Two-sided, by exchanging treated and baseline within layouts.
  package var p: Double
}

/// What an effect is measured on; each is a ratio of sums over layouts.
package enum EffectMeasure: String, Sendable, CaseIterable {
  /// Found of requested places.
  case recall
  /// Share of exact pictures.
  case exact
  /// Found of drawn objects: what drawing everywhere costs.
  case precision
  /// Found of requested places as the background detector sees it.
  case background

  fileprivate func parts(_ outcome: Outcome) -> (hits: Double, total: Double) {
    switch self {
    case .recall: (Double(outcome.found), Double(outcome.requested))
    case .exact: (outcome.exact ? 1 : 0, 1)
    case .precision: (Double(outcome.found), Double(outcome.drawn))
    case .background: (Double(outcome.foundBackground ?? 0), Double(outcome.requested))
    }
  }
}

/// One layout as both arms saw it.
private struct Pair {
  var treated: (hits: Double, total: Double)
  var baseline: (hits: Double, total: Double)
}

private struct LayoutKey: Hashable {
  var seed: Int
  var k: Int
  var layout: Int
}

/// The layouts that two arms have in common.
private struct CommonLayouts {
  var pairs: [Pair] = []
  /// Of one seed and K each.
  var ranges: [Range<Int>] = []

  /// - Throws: `EvaluationError.noCommonLayouts`.
  init(
    treated: [Outcome], baseline: [Outcome], counts: Set<Int>, measure: EffectMeasure
  ) throws(EvaluationError) {
    let others = Dictionary(
      baseline.map { (LayoutKey(seed: $0.seed, k: $0.k, layout: $0.layout), $0) },
      uniquingKeysWith: { first, _ in first })
    let strata = Strata(treated.filter { counts.contains($0.k) })
    for range in strata.ranges {
      let start = pairs.count
      for row in strata.rows[range] {
        let key = LayoutKey(seed: row.seed, k: row.k, layout: row.layout)
        guard let other = others[key] else { continue }
        pairs.append(Pair(treated: measure.parts(row), baseline: measure.parts(other)))
      }
      ranges.append(start..<pairs.count)
    }
    if pairs.isEmpty { throw .noCommonLayouts }
  }

  func difference(_ weights: [Int]) -> Double {
    var sums = Sums()
    for i in weights.indices where weights[i] > 0 {
      sums.add(pairs[i].treated, pairs[i].baseline, times: Double(weights[i]))
    }
    return sums.difference
  }

  func interval(_ seed: UInt64) -> Interval {
    Bootstrap(seed: seed).interval(
      strata: ranges, count: pairs.count, n: pairs.count, difference)
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
  return PairedEffect(effect: common.interval(seed), p: exchangeP(common.pairs, seed: seed))
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
    strata: common.ranges, count: common.pairs.count, common.difference)
}

private struct Sums {
  var treated = (hits: 0.0, total: 0.0)
  var baseline = (hits: 0.0, total: 0.0)

  mutating func add(
    _ a: (hits: Double, total: Double), _ b: (hits: Double, total: Double), times: Double
  ) {
    treated.hits += times * a.hits
    treated.total += times * a.total
    baseline.hits += times * b.hits
    baseline.total += times * b.total
  }

  /// A ratio without a denominator (nothing drawn at all) counts as 0.
  var difference: Double {
    (treated.total > 0 ? treated.hits / treated.total : 0)
      - (baseline.total > 0 ? baseline.hits / baseline.total : 0)
  }
}

/// The p of the hypothesis that the arms are exchangeable within each layout, by exchanging them at
/// random: (1 + as extreme) / (1 + exchanges).
private func exchangeP(_ pairs: [Pair], seed: UInt64, exchanges: Int = 9999) -> Double {
  var observed = Sums()
  for pair in pairs { observed.add(pair.treated, pair.baseline, times: 1) }
  // Sums in another order differ in the last bits; those must not count as less extreme.
  let threshold = abs(observed.difference) - 1e-12
  var extreme = 0
  for exchange in 0..<exchanges {
    var stream = RandomStream(seed: seed, purpose: .permutation, index: UInt64(exchange))
    var sums = Sums()
    var bits: UInt32 = 0
    for (i, pair) in pairs.enumerated() {
      if i % 32 == 0 { bits = stream.nextUInt32() }
      if bits & 1 == 0 {
        sums.add(pair.treated, pair.baseline, times: 1)
      } else {
        sums.add(pair.baseline, pair.treated, times: 1)
      }
      bits >>= 1
    }
    if abs(sums.difference) >= threshold { extreme += 1 }
  }
  return Double(1 + extreme) / Double(1 + exchanges)
}
