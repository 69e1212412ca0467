import Foundation
import Streams

/// What one seed gave of a number, with what its layouts say of it.
package struct SeedValue: Sendable, Hashable {
  package var value: Double
  /// Its standard error over layouts; `nil` where none is known.
  package var error: Double?
  /// The number on resampled layouts. The same draw of two seeds has the same layouts, where they share
  /// them; empty where there are none.
  package var draws: [Double]

  /// With the error by which its own 95 % interval is as wide as it is.
  package init(_ value: Double, low: Double?, high: Double?, draws: [Double] = []) {
    self.value = value
    self.draws = draws
    if draws.count > 1 {
      error = variance(draws).squareRoot()
    } else if let low, let high, high > low {
      error = (high - low) / (2 * normalPoint)
    }
  }
}

/// The mean over seeds.
package struct SeedMean: Sendable, Hashable {
  package var value: Double
  package var low: Double
  package var high: Double
  /// Of the seeds' own values; what layouts add to it is part of it.
  package var deviation: Double
  package var seeds: Int
  /// Two-sided, of a mean of 0, by Student's t.
  package var p: Double
  /// Nothing differs, neither seeds nor what is known of layouts: the width of 0 says that nothing can
  /// be told of the spread, not that there is none.
  package var isDegenerate: Bool

  package var width: Double { high - low }
  /// Of the mean, by which p and, with fewer seeds than are resampled, the interval are.
  package var error: Double
}

/// From so many seeds on they are resampled.
package let seedsToResample = 8

/// The mean over seeds with its 95 % interval: about training runs such as these, not about these alone.
///
/// From 8 seeds on by the hierarchical bootstrap: seeds are drawn with replacement, then layouts within
/// each seed that was drawn (one draw of layouts for all of them where they are the same layouts). Its
/// plain percentiles are too narrow by √((n − 1) / n) and by the normal quantile in Student's place; they
/// are taken further out by both, at Φ(∓ √(n / (n − 1)) t) (Hesterberg 2015, "expanded percentiles").
/// Simulated, the plain ones cover 92 % with 8 and 93 % with 10 seeds that lie further apart than layouts
/// move them, the expanded ones 97 %; where layouts make all of the spread, which both levels then draw,
/// 99 %.
///
/// Below 8 there are too few seeds to draw: with 4 the plain percentiles cover 88 %, and expanded ones
/// would lie beyond the outermost of all draws (all four the same seed: one draw in 64). There it is
/// Student's t of the seeds' means, which covers 95 %. Two things are added that the seeds' means do not
/// show: a floor, the variance by layouts alone, so that seeds that happen to agree are not known exactly;
/// and, where layouts are shared, what these move all seeds by alike.
///
/// - Parameters:
///   - areShared: whether all seeds were measured on the same layouts.
///   - seed: of the draws.
/// - Returns: `nil` for fewer than two seeds.
package func overSeeds(
  _ values: [SeedValue], areShared: Bool, seed: UInt64, draws: Int = 10_000
) -> SeedMean? {
  if values.count < 2 { return nil }
  let count = Double(values.count)
  let own = values.map(\.value)
  let mean = own.reduce(0, +) / count
  let spread = variance(own)
  let drawn = values.map { $0.draws.count }.min() ?? 0
  let isResampled = drawn > 1 && values.allSatisfy { $0.draws.count == drawn }
  let error = varianceOfMean(
    values, spread: spread,
    byLayouts: isResampled
      ? layoutVariance(values, draws: drawn) : layoutVariance(values, areShared: areShared),
    areShared
  ).squareRoot()
  var result = SeedMean(
    value: mean, low: mean, high: mean, deviation: spread.squareRoot(), seeds: values.count,
    p: error > 0 ? studentP(t: mean / error, degrees: values.count - 1) : mean == 0 ? 1 : 0,
    isDegenerate: error == 0, error: error)
  let quantile = studentQuantile(degrees: values.count - 1)
  if isResampled, values.count >= seedsToResample {
    let sorted = hierarchicalDraws(
      values, of: drawn, areShared: areShared, seed: seed, draws: draws
    ).sorted()
    let tail = erfc((count / (count - 1)).squareRoot() * quantile / 2.0.squareRoot()) / 2
    (result.low, result.high) = (percentile(sorted, tail), percentile(sorted, 1 - tail))
  } else {
    (result.low, result.high) = (mean - quantile * error, mean + quantile * error)
  }
  return result
}

/// What layouts alone do to the mean, and the part of it that they do to all seeds alike.
private func layoutVariance(_ values: [SeedValue], draws: Int) -> (whole: Double, common: Double) {
  let count = Double(values.count)
  let whole = variance(
    (0..<draws).map { draw in values.reduce(0) { $0 + $1.draws[draw] } / count })
  let apart = values.reduce(0) { $0 + variance($1.draws) } / (count * count)
  return (whole, max(0, whole - apart) * count / (count - 1))
}

/// The same from the seeds' own errors alone: shared layouts may move all seeds by the whole of them.
private func layoutVariance(_ values: [SeedValue], areShared: Bool) -> (
  whole: Double, common: Double
) {
  let count = Double(values.count)
  let errors = values.map { $0.error ?? 0 }
  let common = errors.reduce(0, +) / count
  let apart = errors.reduce(0) { $0 + $1 * $1 } / (count * count)
  return areShared ? (common * common, common * common) : (apart, 0)
}

private func varianceOfMean(
  _ values: [SeedValue], spread: Double, byLayouts: (whole: Double, common: Double),
  _ areShared: Bool
) -> Double {
  let between = spread / Double(values.count)
  return max(areShared ? between + byLayouts.common : between, byLayouts.whole)
}

/// Means of seeds drawn with replacement, each on layouts drawn with replacement.
private func hierarchicalDraws(
  _ values: [SeedValue], of drawn: Int, areShared: Bool, seed: UInt64, draws: Int
) -> [Double] {
  (0..<draws).map { draw in
    var stream = RandomStream(seed: seed, purpose: .seeds, index: UInt64(draw))
    var layouts = stream.integer(below: drawn)
    var sum = 0.0
    for slot in values.indices {
      if slot > 0, !areShared { layouts = stream.integer(below: drawn) }
      sum += values[stream.integer(below: values.count)].draws[layouts]
    }
    return sum / Double(values.count)
  }
}

private func variance(_ values: [Double]) -> Double {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
}
