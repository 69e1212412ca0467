import Statistics

/// K_max of networks such as these: the largest K up to which mean recall over training seeds is ≥
/// `threshold`; 0 when the smallest fails.
///
/// The 95 % interval inverts tests of each K's mean over seeds (`overSeeds`): as `kMax` does for one network,
/// the lower end is the largest K up to which every K′ is above at 2.5 %, the upper the last K before the first
/// that is below at 2.5 % by Holm over all K.
///
/// - Parameter recalls: by K > 0, a value a seed, of two seeds or more.
package func kMaxOverSeeds(_ recalls: [Int: [SeedValue]], threshold: Double) -> Interval {
  let levels = recalls.sorted { $0.key < $1.key }.map { k, values in
    ThresholdTest(k: k, seeds: values, threshold: threshold)
  }
  return ThresholdTest.largest(levels, n: levels.map(\.n).min() ?? 0)
}

extension ThresholdTest {
  fileprivate init(k: Int, seeds values: [SeedValue], threshold: Double) {
    self.k = k
    n = values.count
    let excess = values.map { value in
      var value = value
      value.value -= threshold
      value.draws = value.draws.map { $0 - threshold }
      return value
    }
    guard let mean = overSeeds(excess, areShared: true) else {
      let value = values.first?.value ?? 0
      (isReached, above, below) = (value >= threshold - 1e-12, 1, 1)
      return
    }
    isReached = mean.value >= -1e-12
    let tail = mean.p / 2
    (above, below) = mean.value > 0 ? (tail, 1 - tail) : (1 - tail, tail)
  }
}
