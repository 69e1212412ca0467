import Foundation
import Statistics

/// K_max by the crossing of a fitted curve: the last K before a falling curve through recall at all tested
/// K meets the threshold, 0 where it begins below it; the largest tested K where it does not fall so far,
/// which says "so many at least".
///
/// The curve is b + (a − b) / (1 + exp((K − m) / w)), 1 ≥ a ≥ b ≥ 0: logistic in K, with free levels
/// above and below, so that a constant, a step and nearly a straight line are among its members. It is
/// fitted by weighted least squares; the layouts of one K vary as a beta-binomial, with one correlation of
/// the places of a layout for all K. The 95 % interval has every K that some curve gives whose sum of
/// squares is at most t² above the least (profile likelihood ratio). It draws on the K beside each
/// other, where `kMax` takes each K alone: it is narrower, and it assumes a law of this shape.
///
/// - Returns: `nil` with fewer than three tested K, which show no curve.
package func fittedKMax(_ outcomes: [Outcome], threshold: Double) -> Interval? {
  let levels = RecallLevel.all(outcomes)
  if levels.count < 3 { return nil }
  let fit = DecliningFit(levels, threshold: threshold)
  let layouts = levels.reduce(0) { $0 + $1.layouts }
  let quantile = studentQuantile(degrees: Double(layouts - levels.count))
  let within = fit.least.indices.filter { fit.least[$0] - fit.best <= quantile * quantile }
  return Interval(
    value: Double(fit.kMax), low: Double(min(within.first ?? 0, fit.kMax)),
    high: Double(max(within.last ?? fit.kMax, fit.kMax)),
    n: layouts)
}

/// Recall at one K, with the weight that its layouts give it.
private struct RecallLevel {
  var k: Int
  var layouts: Int
  var recall: Double
  /// Of the shares of its layouts.
  var spread: Double
  /// One over the variance of `recall`.
  var weight = 0.0

  static func all(_ outcomes: [Outcome]) -> [RecallLevel] {
    var levels = Dictionary(grouping: outcomes.filter { $0.k > 0 && $0.requested > 0 }, by: \.k)
      .sorted { $0.key < $1.key }.map { RecallLevel(k: $0.key, rows: $0.value) }
    // What recall that cannot rise would be, away from the ends, where no variance would be left.
    let smooth = falling(levels).map { min(max($0, 0.02), 0.98) }
    var (excess, whole) = (0.0, 0.0)
    for (level, mean) in zip(levels, smooth) where level.k > 1 {
      let degrees = Double(level.layouts - 1)
      let binomial = mean * (1 - mean)
      excess += degrees * (level.spread - binomial / Double(level.k))
      whole += degrees * binomial * (1 - 1 / Double(level.k))
    }
    let correlation = whole > 0 ? min(max(excess / whole, 0), 1) : 0
    for i in levels.indices {
      let k = Double(levels[i].k)
      let variance = smooth[i] * (1 - smooth[i]) * (1 + (k - 1) * correlation) / k
      levels[i].weight = Double(levels[i].layouts) / variance
    }
    return levels
  }

  private init(k: Int, rows: [Outcome]) {
    self.k = k
    layouts = rows.count
    let shares = rows.map { Double($0.found) / Double($0.requested) }
    let mean = shares.reduce(0, +) / Double(shares.count)
    recall = mean
    spread =
      shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(shares.count - 1, 1))
  }

  /// Isotonic regression, by pooling adjacent violators.
  private static func falling(_ levels: [RecallLevel]) -> [Double] {
    var blocks: [(mean: Double, weight: Double, count: Int)] = []
    for level in levels {
      blocks.append((level.recall, Double(level.layouts * level.k), 1))
      while blocks.count > 1, blocks[blocks.count - 2].mean < blocks[blocks.count - 1].mean {
        let last = blocks.removeLast()
        let before = blocks.removeLast()
        let weight = last.weight + before.weight
        blocks.append(
          (
            (last.mean * last.weight + before.mean * before.weight) / weight, weight,
            last.count + before.count
          ))
      }
    }
    return blocks.flatMap { [Double](repeating: $0.mean, count: $0.count) }
  }
}

/// Where and how steeply a curve falls. Levels above and below are fitted; these are tried one by one.
private struct FittedCurve {
  var middle: Double
  var width: Double

  /// From long before the first K to long after the last, from a step to a line.
  static func all(upTo last: Int) -> [FittedCurve] {
    let steps = 4 * (last + 16)
    return (0...steps).flatMap { step in
      [0.05, 0.15, 0.4, 0.8, 1.5, 3, 6, 12].map {
        FittedCurve(middle: -4 + Double(step) / 4, width: $0)
      }
    }
  }

  /// How much of the way down it is at K.
  func fall(_ k: Double) -> Double { 1 / (1 + exp((middle - k) / width)) }
}

/// The best of all curves, and the best of those that give each K_max.
private struct DecliningFit {
  /// Least sum of squares, of all and by K_max from 0 to the largest tested K.
  private(set) var best = Double.infinity
  private(set) var kMax = 0
  private(set) var least: [Double]

  init(_ levels: [RecallLevel], threshold: Double) {
    let last = levels.last?.k ?? 0
    least = [Double](repeating: .infinity, count: last + 1)
    for curve in FittedCurve.all(upTo: last) {
      let points = CurvePoints(levels, curve)
      let free = points.free()
      let reached =
        (1...last).first { free.upper - free.drop * curve.fall(Double($0)) < threshold }
        .map { $0 - 1 } ?? last
      take(free.squares, reached)
      // Those that meet the threshold just at K are the limit of both neighbours.
      for k in 1...last {
        let squares = points.squares(crossing: threshold, at: curve.fall(Double(k)))
        least[k] = min(least[k], squares)
        least[k - 1] = min(least[k - 1], squares)
      }
    }
  }

  private mutating func take(_ squares: Double, _ reached: Int) {
    least[reached] = min(least[reached], squares)
    if squares < best { (best, kMax) = (squares, reached) }
  }
}

/// Recall beside how far down one curve is, and the sums that least squares need.
private struct CurvePoints {
  private var weight: [Double]
  private var recall: [Double]
  private var fall: [Double]

  init(_ levels: [RecallLevel], _ curve: FittedCurve) {
    weight = levels.map(\.weight)
    recall = levels.map(\.recall)
    fall = levels.map { curve.fall(Double($0.k)) }
  }

  /// The best levels: recall ≈ upper − drop · fall, 0 ≤ drop ≤ upper ≤ 1.
  func free() -> (upper: Double, drop: Double, squares: Double) {
    var (w, wf, wff, wr, wrf) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for i in weight.indices {
      w += weight[i]
      wf += weight[i] * fall[i]
      wff += weight[i] * fall[i] * fall[i]
      wr += weight[i] * recall[i]
      wrf += weight[i] * recall[i] * fall[i]
    }
    let determinant = w * wff - wf * wf
    var drop = determinant > 1e-9 * w * w ? max(0, (wf * wr - w * wrf) / determinant) : 0
    var upper = (wr + drop * wf) / w
    if upper > 1 {
      upper = 1
      drop = wff > 0 ? (wf - wrf) / wff : 0
    }
    drop = min(max(drop, 0), upper)
    return (upper, drop, squares(upper, drop))
  }

  /// The least sum of squares of the curves that meet `threshold` where they are `place` down.
  func squares(crossing threshold: Double, at place: Double) -> Double {
    // upper − (upper − threshold) · fall / place, linear in `upper` alone.
    if place < 1e-9 { return .infinity }
    var (above, below) = (0.0, 0.0)
    for i in weight.indices {
      let share = fall[i] / place
      above += weight[i] * (recall[i] - threshold * share) * (1 - share)
      below += weight[i] * (1 - share) * (1 - share)
    }
    // The lower level is no less than 0.
    let most = place < 1 - 1e-12 ? min(1, threshold / (1 - place)) : 1
    let upper = min(max(below > 0 ? above / below : threshold, threshold), max(most, threshold))
    return squares(upper, (upper - threshold) / place)
  }

  private func squares(_ upper: Double, _ drop: Double) -> Double {
    var sum = 0.0
    for i in weight.indices {
      let residual = recall[i] - upper + drop * fall[i]
      sum += weight[i] * residual * residual
    }
    return sum
  }
}
