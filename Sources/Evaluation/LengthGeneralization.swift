import Foundation
import Statistics

/// Outcomes sorted into strata: layouts are resampled within their seed and K.
struct Strata {
  var rows: [Outcome]
  /// By K and seed.
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

  /// The rows of each K.
  var levels: [Range<Int>] {
    zip(ranges, counts).reduce(into: [(k: Int, rows: Range<Int>)]()) { levels, next in
      if let last = levels.last, last.k == next.1 {
        levels[levels.count - 1].rows = last.rows.lowerBound..<next.0.upperBound
      } else {
        levels.append((next.1, next.0))
      }
    }.map(\.rows)
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
  return ThresholdTest.largest(levels, n: levels.reduce(0) { $0 + $1.n })
}

/// One K against the threshold.
struct ThresholdTest {
  var k: Int
  /// Layouts, or seeds.
  var n: Int
  var isReached: Bool
  /// One-sided p of "not above" and of "not below".
  var above: Double
  var below: Double

  /// The largest K up to which all reach the threshold, with the interval that inverts the tests.
  ///
  /// - Parameter levels: by rising K.
  static func largest(_ levels: [ThresholdTest], n: Int) -> Interval {
    func last(_ holds: (Int) -> Bool) -> Double {
      Double(levels.indices.prefix(while: holds).last.map { levels[$0].k } ?? 0)
    }
    let below = holm(levels.map(\.below))
    return Interval(
      value: last { levels[$0].isReached }, low: last { levels[$0].above <= 0.025 },
      high: last { below[$0] > 0.025 }, n: n)
  }
}

extension ThresholdTest {
  /// Of one network's layouts.
  fileprivate init(k: Int, rows: [Outcome], threshold: Double) {
    self.k = k
    n = rows.count
    let shares = rows.map { Double($0.found) / Double(max($0.requested, 1)) }
    let count = Double(shares.count)
    let mean = shares.reduce(0, +) / count
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
    // Sums of the same shares in another order differ in the last bits.
    isReached = mean >= threshold - 1e-12
    if variance > 1e-24, rows.count > 1 {
      let t = (mean - threshold) / (variance / count).squareRoot()
      let tail = studentP(t: t, degrees: count - 1) / 2
      (above, below) = t > 0 ? (tail, 1 - tail) : (1 - tail, tail)
    } else {
      let bounds = wilson(
        successes: rows.reduce(0) { $0 + $1.found }, trials: rows.reduce(0) { $0 + $1.requested })
      (above, below) = (bounds.low >= threshold ? 0 : 1, bounds.high < threshold ? 0 : 1)
    }
  }
}

/// Recall over the K in `counts`: (found − chance) / (requested − chance) at each, averaged over them, so that
/// no K counts for more than another, and drawing objects everywhere for nothing. With a bootstrap interval
/// over layouts; `nil` without any, or where chance was not kept.
package func recallBeyondChance(_ outcomes: [Outcome], counts: Set<Int>, seed: UInt64) -> Interval?
{
  guard let recall = AveragedRecall(outcomes, counts, isBeyondChance: true) else { return nil }
  return recall.interval(seed)
}

/// The same on resampled layouts, draw by draw: of two evaluations of as many layouts a K, the same draw
/// has the same layouts.
package func recallBeyondChanceDraws(_ outcomes: [Outcome], counts: Set<Int>, seed: UInt64)
  -> [Double]
{
  AveragedRecall(outcomes, counts, isBeyondChance: true)?.draws(seed) ?? []
}

/// Recall beyond chance averaged over some K less that over others, with what it is on resampled layouts, draw by draw;
/// `nil` where there is nothing of the one or the other.
package func recallContrast(
  _ outcomes: [Outcome], over counts: Set<Int>, less others: Set<Int>, seed: UInt64
) -> (interval: Interval, draws: [Double])? {
  let both = outcomes.filter { counts.contains($0.k) || others.contains($0.k) }
  guard let recall = AveragedRecall(both, counts.union(others), isBeyondChance: true),
    let first = recall.only(counts), let second = recall.only(others)
  else { return nil }
  let value = { (weights: [Int]) in first.value(weights) - second.value(weights) }
  return (recall.interval(seed, value), recall.draws(seed, value))
}

/// Recall as it is, averaged over the K in `counts`; `nil` without any.
package func averagedRecall(_ outcomes: [Outcome], counts: Set<Int>, seed: UInt64) -> Interval? {
  AveragedRecall(outcomes, counts, isBeyondChance: false)?.interval(seed)
}

/// The same on resampled layouts, draw by draw, as `recallBeyondChanceDraws`.
package func averagedRecallDraws(_ outcomes: [Outcome], counts: Set<Int>, seed: UInt64) -> [Double]
{
  AveragedRecall(outcomes, counts, isBeyondChance: false)?.draws(seed) ?? []
}

private struct AveragedRecall {
  private let strata: Strata
  private let parts: [(hits: Double, total: Double)]
  private let ratio: AveragedRatio

  init?(_ outcomes: [Outcome], _ counts: Set<Int>, isBeyondChance: Bool) {
    strata = Strata(outcomes.filter { counts.contains($0.k) && $0.requested > 0 })
    if strata.rows.isEmpty { return nil }
    if isBeyondChance, strata.rows.contains(where: { $0.chance == nil }) { return nil }
    parts = strata.rows.map { row in
      let chance = isBeyondChance ? row.chance ?? 0 : 0
      return (Double(row.found) - chance, Double(row.requested) - chance)
    }
    ratio = AveragedRatio(parts, levels: strata.levels)
  }

  /// Of some of the K alone, on the layouts of all; `nil` where there is none of them.
  func only(_ counts: Set<Int>) -> AveragedRatio? {
    let levels = strata.levels.filter { counts.contains(strata.rows[$0.lowerBound].k) }
    return levels.isEmpty ? nil : AveragedRatio(parts, levels: levels)
  }

  func interval(_ seed: UInt64) -> Interval { interval(seed, ratio.value) }

  func interval(_ seed: UInt64, _ value: ([Int]) -> Double) -> Interval {
    Bootstrap(seed: seed).interval(
      strata: strata.ranges, count: strata.rows.count, n: strata.rows.count, value)
  }

  func draws(_ seed: UInt64) -> [Double] { draws(seed, ratio.value) }

  func draws(_ seed: UInt64, _ value: ([Int]) -> Double) -> [Double] {
    Bootstrap(seed: seed).distribution(
      strata: strata.ranges, count: strata.rows.count, value)
  }
}

/// Ratios of sums over layouts, one a K, averaged over the K.
struct AveragedRatio {
  private let parts: [(hits: Double, total: Double)]
  private let levels: [Range<Int>]

  /// - Parameter levels: the layouts of each K.
  init(_ parts: [(hits: Double, total: Double)], levels: [Range<Int>]) {
    self.parts = parts
    self.levels = levels
  }

  /// - Parameter weights: how often each layout counts.
  func value(_ weights: [Int]) -> Double {
    var sum = 0.0
    for level in levels {
      var (hits, total) = (0.0, 0.0)
      for i in level where weights[i] > 0 {
        hits += Double(weights[i]) * parts[i].hits
        total += Double(weights[i]) * parts[i].total
      }
      // Without a denominator (nothing drawn, or any layout would be found as well) there is nothing to tell.
      if total > 0 { sum += hits / total }
    }
    return sum / Double(max(levels.count, 1))
  }
}
