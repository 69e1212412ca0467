import Foundation
import Tensors

/// An estimate with its 95 % interval.
public struct Interval: Sendable, Hashable {
  public var value: Double
  public var low: Double
  public var high: Double
  /// The number of independent units behind it.
  public var n: Int
  /// Every resample gave the same value: the spread of the data is exactly 0, which says that they
  /// are few or alike, not that the value is certain.
  public var isDegenerate: Bool

  public init(value: Double, low: Double, high: Double, n: Int, isDegenerate: Bool = false) {
    self.value = value
    self.low = low
    self.high = high
    self.n = n
    self.isDegenerate = isDegenerate
  }
}

/// The two-sided 97.5 % point of the normal distribution.
private let normalPoint = 1.959963984540054

/// Wilson's score interval (Wilson 1927) for a share of independent trials; [0, 1] without any.
public func wilson(successes: Int, trials: Int) -> Interval {
  if trials == 0 { return Interval(value: 0, low: 0, high: 1, n: 0) }
  let n = Double(trials)
  let p = Double(successes) / n
  let z2 = normalPoint * normalPoint
  let middle = (p + z2 / (2 * n)) / (1 + z2 / n)
  let half = normalPoint / (1 + z2 / n) * (p * (1 - p) / n + z2 / (4 * n * n)).squareRoot()
  return Interval(value: p, low: max(0, middle - half), high: min(1, middle + half), n: trials)
}

/// Draws bootstrap resamples: each stratum's members are drawn with replacement within it.
public struct Bootstrap: Sendable {
  public var seed: UInt64
  public var resamples: Int

  public init(seed: UInt64, resamples: Int = 2000) {
    self.seed = seed
    self.resamples = resamples
  }

  /// The values of `statistic` on resampled weights: how often each of `count` units was drawn.
  public func distribution(
    strata: [Range<Int>], count: Int, _ statistic: (_ weights: [Int]) -> Double
  ) -> [Double] {
    var weights = [Int](repeating: 0, count: count)
    return (0..<resamples).map { resample in
      var stream = RandomStream(seed: seed, purpose: .bootstrap, index: UInt64(resample))
      for i in weights.indices { weights[i] = 0 }
      for stratum in strata where !stratum.isEmpty {
        for _ in stratum { weights[stratum.lowerBound + stream.integer(below: stratum.count)] += 1 }
      }
      return statistic(weights)
    }
  }

  /// The percentile interval of a statistic (Efron 1979).
  public func interval(
    strata: [Range<Int>], count: Int, n: Int, _ statistic: (_ weights: [Int]) -> Double
  ) -> Interval {
    let value = statistic([Int](repeating: 1, count: count))
    let sorted = distribution(strata: strata, count: count, statistic).sorted()
    guard let first = sorted.first, let last = sorted.last else {
      return Interval(value: value, low: value, high: value, n: n, isDegenerate: true)
    }
    return Interval(
      value: value, low: percentile(sorted, 0.025), high: percentile(sorted, 0.975), n: n,
      isDegenerate: first == last)
  }
}

extension RandomPurpose {
  static let bootstrap = RandomPurpose(0x4001)
  static let permutation = RandomPurpose(0x4002)
  static let layouts = RandomPurpose(0x4003)
  static let noise = RandomPurpose(0x4004)
  static let judgeScenes = RandomPurpose(0x4005)
  static let judgeHeldOut = RandomPurpose(0x4006)
  static let judgeCalibration = RandomPurpose(0x4007)
  static let judgeTraining = RandomPurpose(0x4008)
  static let judgeWeights = RandomPurpose(0x4009)
  static let judgeBackground = RandomPurpose(0x400A)
}

/// Linear between order statistics, as NumPy's default.
func percentile(_ sorted: [Double], _ fraction: Double) -> Double {
  guard let last = sorted.indices.last else { return .nan }
  let place = fraction * Double(last)
  let below = Int(place)
  let above = min(below + 1, last)
  return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
}

/// Holm's step-down adjustment (Holm 1979), in the order given.
public func holm(_ p: [Double]) -> [Double] {
  let order = p.indices.sorted { p[$0] < p[$1] }
  var adjusted = p
  var largest = 0.0
  for (rank, index) in order.enumerated() {
    largest = max(largest, min(1, p[index] * Double(p.count - rank)))
    adjusted[index] = largest
  }
  return adjusted
}
