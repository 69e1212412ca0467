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
package func kMax(_ outcomes: [Outcome], threshold: Double, seed: UInt64) -> Interval {
  let strata = Strata(outcomes)
  return Bootstrap(seed: seed).interval(
    strata: strata.ranges, count: strata.rows.count, n: strata.rows.count
  ) { strata.largest($0, threshold: threshold) }
}

/// Recall pooled over the K in `counts`, with a bootstrap interval over layouts; `nil` without any.
package func pooledRecall(_ outcomes: [Outcome], counts: Set<Int>, seed: UInt64) -> Interval? {
  let strata = Strata(outcomes.filter { counts.contains($0.k) && $0.requested > 0 })
  if strata.rows.isEmpty { return nil }
  return Bootstrap(seed: seed).interval(
    strata: strata.ranges, count: strata.rows.count, n: strata.rows.count
  ) { weights in
    var found = 0
    var requested = 0
    for i in weights.indices {
      found += weights[i] * strata.rows[i].found
      requested += weights[i] * strata.rows[i].requested
    }
    return Double(found) / Double(max(requested, 1))
  }
}
