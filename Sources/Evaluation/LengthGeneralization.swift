import Foundation

/// Per (seed, K): how many places were requested and found in each layout.
private struct Strata {
  var rows: [Outcome]
  var ranges: [Range<Int>] = []
  /// K of each range.
  var counts: [Int] = []

  init(_ outcomes: [Outcome]) {
    rows = outcomes.sorted { ($0.k, $0.seed, $0.layout) < ($1.k, $1.seed, $1.layout) }
    var start = 0
    for i in rows.indices {
      let isLast = i + 1 == rows.count
      if isLast || rows[i + 1].k != rows[i].k || rows[i + 1].seed != rows[i].seed {
        ranges.append(start..<i + 1)
        counts.append(rows[i].k)
        start = i + 1
      }
    }
  }

  /// The largest tested K at which recall is at least the threshold, and at all tested below it.
  func largest(_ weights: [Int], threshold: Double) -> Double {
    var largest = 0
    for k in Set(counts).sorted() where k > 0 {
      var requested = 0
      var found = 0
      for (range, count) in zip(ranges, counts) where count == k {
        for i in range {
          requested += weights[i] * rows[i].requested
          found += weights[i] * rows[i].found
        }
      }
      if requested == 0 || Double(found) < threshold * Double(requested) { break }
      largest = k
    }
    return Double(largest)
  }
}

/// K_max: the largest number of labels at which the model still extrapolates, recall ≥ `threshold`
/// for every tested 1 ≤ K′ ≤ K, with a bootstrap interval over layouts within seeds; 0 when K = 1
/// fails.
public func kMax(_ outcomes: [Outcome], threshold: Double, seed: UInt64) -> Interval {
  let strata = Strata(outcomes)
  return Bootstrap(seed: seed).interval(
    strata: strata.ranges, count: strata.rows.count, n: strata.rows.count
  ) { strata.largest($0, threshold: threshold) }
}

/// An average causal effect: treated less baseline on the same layouts and noise.
public struct PairedEffect: Sendable {
  public var effect: Interval
  /// Two-sided, by flipping the signs of the layouts' differences.
  public var p: Double
}

/// What an effect is measured on.
public enum EffectMeasure: Sendable {
  /// Found of requested places, pooled.
  case recall
  /// Share of exact pictures.
  case exact
}

/// The effect over the layouts that both have and whose K is in `counts`.
///
/// - Throws: `EvaluationError.noCommonLayouts`.
public func pairedEffect(
  treated: [Outcome], baseline: [Outcome], counts: Set<Int>, measure: EffectMeasure, seed: UInt64
) throws(EvaluationError) -> PairedEffect {
  struct Key: Hashable {
    var seed: Int
    var k: Int
    var layout: Int
  }
  let others = Dictionary(
    baseline.map { (Key(seed: $0.seed, k: $0.k, layout: $0.layout), $0) },
    uniquingKeysWith: { first, _ in first })
  let strata = Strata(treated.filter { counts.contains($0.k) })
  var differences: [Double] = []
  var sizes: [Double] = []
  var ranges: [Range<Int>] = []
  for range in strata.ranges {
    let start = differences.count
    for row in strata.rows[range] {
      guard let other = others[Key(seed: row.seed, k: row.k, layout: row.layout)] else { continue }
      switch measure {
      case .recall:
        differences.append(Double(row.found - other.found))
        sizes.append(Double(row.requested))
      case .exact:
        differences.append((row.exact ? 1 : 0) - (other.exact ? 1 : 0))
        sizes.append(1)
      }
    }
    ranges.append(start..<differences.count)
  }
  if differences.isEmpty { throw .noCommonLayouts }
  let interval = Bootstrap(seed: seed).interval(
    strata: ranges, count: differences.count, n: differences.count
  ) { weights in
    var above = 0.0
    var below = 0.0
    for i in weights.indices {
      above += Double(weights[i]) * differences[i]
      below += Double(weights[i]) * sizes[i]
    }
    return below == 0 ? 0 : above / below
  }
  return PairedEffect(effect: interval, p: signFlipP(differences, seed: seed))
}
