import Streams

/// Draws bootstrap resamples: each stratum's members are drawn with replacement within it.
package struct Bootstrap: Sendable {
  package var seed: UInt64
  package var resamples: Int

  package init(seed: UInt64, resamples: Int = 2000) {
    self.seed = seed
    self.resamples = resamples
  }

  /// The values of `statistic` on resampled weights: how often each of `count` units was drawn.
  package func distribution(
    strata: [Range<Int>], count: Int, _ statistic: (_ weights: [Int]) -> Double
  ) -> [Double] { distributions(strata: strata, count: count, statistic) }

  /// The same of anything that is told by weights, such as several numbers of one resample.
  package func distributions<Value>(
    strata: [Range<Int>], count: Int, _ statistic: (_ weights: [Int]) -> Value
  ) -> [Value] {
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
  package func interval(
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

/// The median with a bootstrap 95 % interval over independent units.
package func medianInterval(_ values: [Double], seed: UInt64) -> Interval {
  let order = values.indices.sorted { values[$0] < values[$1] }
  let sorted = order.map { values[$0] }
  return Bootstrap(seed: seed).interval(
    strata: [0..<values.count], count: values.count, n: values.count
  ) { weights in
    // The middle of the resample, from the low and from the high side.
    func at(_ rank: Int) -> Double {
      var seen = 0
      for i in sorted.indices {
        seen += weights[order[i]]
        if seen > rank { return sorted[i] }
      }
      return .nan
    }
    return (at((values.count - 1) / 2) + at(values.count / 2)) / 2
  }
}
