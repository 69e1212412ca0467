import Foundation

/// What one seed gave of a number, with what its layouts say of it.
package struct SeedValue: Sendable, Hashable {
  package var value: Double
  /// Its standard error over layouts; `nil` where none is known.
  package var error: Double?
  /// The number on resampled layouts. The same draw of two seeds has the same layouts, where they share
  /// them; empty where there are none.
  package var draws: [Double]
  /// How many layouts it was measured on; `nil` where it is not told.
  package var layouts: Int?

  /// With the error by which its own 95 % interval is as wide as it is.
  package init(
    _ value: Double, low: Double?, high: Double?, draws: [Double] = [], layouts: Int? = nil
  ) {
    self.value = value
    self.draws = draws
    self.layouts = layouts
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
  /// Of the mean, by which p and the interval are.
  package var error: Double
  /// Of Student's t, by which p and the interval are; not whole.
  package var degrees: Double
  /// Two-sided, of a mean of 0.
  package var p: Double
  /// How wide the interval would be with the same layouts and any number of seeds: what layouts move all seeds
  /// by alike. Where only the seeds' own errors are known, at most so wide.
  package var widthByLayouts: Double
  /// Nothing differs, neither seeds nor what is known of layouts: the width of 0 says that nothing can
  /// be told of the spread, not that there is none.
  package var isDegenerate: Bool { error == 0 }

  package var width: Double { high - low }
}

/// The mean over seeds with its 95 % interval and p: about training runs such as these, not about these alone.
///
/// Seeds and layouts are both samples, and crossed where all seeds are measured on the same layouts. The variance
/// of the mean is that of the seeds' means over their number, plus what shared layouts move all of them by
/// alike; never less than layouts alone make it, so that seeds that happen to agree are not known exactly.
/// Student's t has the degrees of this sum by Satterthwaite (1946), as in the quasi-F test of two random
/// factors (Clark 1973): of the seeds' part one less than seeds, of the layouts' part one less than layouts.
///
/// Simulated (Tests/StatisticsTests/OverSeedsTests.swift), its p is at most .05 in 5 % of studies of nothing,
/// wherever the spread comes from, in fewer where layouts matter and are not shared. With one less than seeds for
/// the whole sum, it is in .5 % where layouts make most of the spread, and never passes a correction over twenty
/// claims.
///
/// - Parameter areShared: whether all seeds were measured on the same layouts.
/// - Returns: `nil` for fewer than two seeds.
package func overSeeds(_ values: [SeedValue], areShared: Bool) -> SeedMean? {
  if values.count < 2 { return nil }
  let count = Double(values.count)
  let own = values.map(\.value)
  let mean = own.reduce(0, +) / count
  let spread = variance(own)
  let drawn = values.map { $0.draws.count }.min() ?? 0
  let byLayouts =
    drawn > 1 && values.allSatisfy { $0.draws.count == drawn }
    ? layoutVariance(values, draws: drawn, areShared: areShared)
    : layoutVariance(values, areShared: areShared)
  let error = max(spread / count + byLayouts.common, byLayouts.whole).squareRoot()
  let degrees = degrees(bySeeds: spread / count, byLayouts: byLayouts.common, values)
  let quantile = studentQuantile(degrees: degrees)
  return SeedMean(
    value: mean, low: mean - quantile * error, high: mean + quantile * error,
    deviation: spread.squareRoot(), seeds: values.count, error: error, degrees: degrees,
    p: error > 0 ? studentP(t: mean / error, degrees: degrees) : mean == 0 ? 1 : 0,
    widthByLayouts: 2 * normalPoint * byLayouts.common.squareRoot())
}

/// Satterthwaite's degrees of a sum of two variances.
private func degrees(bySeeds: Double, byLayouts: Double, _ values: [SeedValue]) -> Double {
  let least = Double(values.count - 1)
  // Of unknown many layouts no more is known than of seeds.
  let layouts = max(least, Double((values.map { $0.layouts ?? 0 }.min() ?? 0) - 1))
  let sum = bySeeds + byLayouts
  let squares =
    bySeeds * bySeeds / least + byLayouts * byLayouts / layouts
  // Where neither is known the least.
  return squares > 0 ? max(least, sum * sum / squares) : least
}

/// What layouts alone do to the mean, and the part of it that they do to all seeds alike.
private func layoutVariance(_ values: [SeedValue], draws: Int, areShared: Bool) -> (
  whole: Double, common: Double
) {
  let count = Double(values.count)
  let apart = values.reduce(0) { $0 + variance($1.draws) } / (count * count)
  // The same draw of other layouts says nothing of what they have in common.
  if !areShared { return (apart, 0) }
  let whole = variance(
    (0..<draws).map { draw in values.reduce(0) { $0 + $1.draws[draw] } / count })
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

private func variance(_ values: [Double]) -> Double {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
}
