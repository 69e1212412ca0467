import Foundation
import Statistics

/// Outcomes sorted into strata: layouts are resampled within their seed and K.
struct Strata {
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
}

/// K_max: the largest number of labels at which the model still extrapolates, recall ≥ `threshold` for every
/// tested 1 ≤ K′ ≤ K; 0 when K = 1 fails.
///
/// The 95 % interval inverts tests of each K's recall against the threshold, by Student's t over layouts
/// (Wilson's bounds where all layouts agree). Lower end: the largest K up to which every K′ is above, each
/// at 2.5 %: all of them have to be, so that no correction is due. Upper end: the last K before the first
/// that is below, at 2.5 % by Holm over all K: one of them is enough.
package func kMax(_ outcomes: [Outcome], threshold: Double) -> Interval {
  let levels = Dictionary(grouping: outcomes.filter { $0.k > 0 }, by: \.k).sorted {
    $0.key < $1.key
  }
  .map { ThresholdTest(k: $0.key, rows: $0.value, threshold: threshold) }
  func last(_ holds: (Int) -> Bool) -> Double {
    Double(levels.indices.prefix(while: holds).last.map { levels[$0].k } ?? 0)
  }
  let below = holm(levels.map(\.below))
  return Interval(
    value: last { levels[$0].isReached }, low: last { levels[$0].above <= 0.025 },
    high: last { below[$0] > 0.025 }, n: levels.reduce(0) { $0 + $1.layouts })
}

/// One K against the threshold.
private struct ThresholdTest {
  var k: Int
  var layouts: Int
  var isReached: Bool
  /// One-sided p of "not above" and of "not below".
  var above: Double
  var below: Double

  init(k: Int, rows: [Outcome], threshold: Double) {
    self.k = k
    layouts = rows.count
    let shares = rows.map { Double($0.found) / Double(max($0.requested, 1)) }
    let count = Double(shares.count)
    let mean = shares.reduce(0, +) / count
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
    // Sums of the same shares in another order differ in the last bits.
    isReached = mean >= threshold - 1e-12
    if variance > 1e-24, rows.count > 1 {
      let t = (mean - threshold) / (variance / count).squareRoot()
      let tail = studentP(t: t, degrees: rows.count - 1) / 2
      (above, below) = t > 0 ? (tail, 1 - tail) : (1 - tail, tail)
    } else {
      let bounds = wilson(
        successes: rows.reduce(0) { $0 + $1.found }, trials: rows.reduce(0) { $0 + $1.requested })
      (above, below) = (bounds.low >= threshold ? 0 : 1, bounds.high < threshold ? 0 : 1)
    }
  }
}

/// Recall pooled over the K in `counts`, with a bootstrap interval over layouts; `nil` without any.
package func pooledRecall(_ outcomes: [Outcome], counts: Set<Int>, seed: UInt64) -> Interval? {
  let pool = RecallPool(outcomes, counts)
  let rows = pool.strata.rows.count
  if rows == 0 { return nil }
  return Bootstrap(seed: seed).interval(
    strata: pool.strata.ranges, count: rows, n: rows, pool.recall)
}

/// The same on resampled layouts, draw by draw: of two evaluations of as many layouts a K, the same draw
/// has the same layouts.
package func pooledRecallDraws(_ outcomes: [Outcome], counts: Set<Int>, seed: UInt64) -> [Double] {
  let pool = RecallPool(outcomes, counts)
  return Bootstrap(seed: seed).distribution(
    strata: pool.strata.ranges, count: pool.strata.rows.count, pool.recall)
}

private struct RecallPool {
  let strata: Strata

  init(_ outcomes: [Outcome], _ counts: Set<Int>) {
    strata = Strata(outcomes.filter { counts.contains($0.k) && $0.requested > 0 })
  }

  func recall(_ weights: [Int]) -> Double {
    var found = 0
    var requested = 0
    for i in weights.indices {
      found += weights[i] * strata.rows[i].found
      requested += weights[i] * strata.rows[i].requested
    }
    return Double(found) / Double(max(requested, 1))
  }
}

/// Recall beyond chance, (found − chance) / (requested − chance), averaged over the K in `counts`, with a
/// bootstrap interval over layouts; `nil` without any, or where chance was not kept.
package func correctedRecall(_ outcomes: [Outcome], counts: Set<Int>, seed: UInt64) -> Interval? {
  let strata = Strata(outcomes.filter { counts.contains($0.k) && $0.requested > 0 })
  if strata.rows.isEmpty || strata.rows.contains(where: { $0.chance == nil }) { return nil }
  let levels = Set(strata.counts).sorted()
  return Bootstrap(seed: seed).interval(
    strata: strata.ranges, count: strata.rows.count, n: strata.rows.count
  ) { weights in
    var sum = 0.0
    for k in levels {
      var (above, below) = (0.0, 0.0)
      for (range, count) in zip(strata.ranges, strata.counts) where count == k {
        for i in range {
          let (row, weight) = (strata.rows[i], Double(weights[i]))
          above += weight * (Double(row.found) - (row.chance ?? 0))
          below += weight * (Double(row.requested) - (row.chance ?? 0))
        }
      }
      // Nothing can be told where any layout would be found as well.
      if below > 0 { sum += above / below }
    }
    return sum / Double(levels.count)
  }
}
