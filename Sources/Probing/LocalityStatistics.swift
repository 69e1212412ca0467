import Foundation
import Statistics
import Streams

/// Turns sums by ring into shares by window, with intervals over pictures.
func profile(
  _ sigma: Double, _ k: Int, _ pixels: [[Int]], _ radial: RadialSums, _ sensitivity: [[Double]],
  _ map: [Double], _ knockOuts: [[Double]], _ labels: [[Double]], seed: UInt64
) throws -> LocalityProfile {
  let size = radial.size
  let windows = (0..<size).map { 2 * $0 + 1 }
  guard sensitivity.contains(where: { $0.contains { $0 > 0 && $0.isFinite } }) else {
    throw ProbeError.insensitive(sigma: sigma)
  }
  var even = [Double](repeating: 0, count: size)
  for pixel in pixels.flatMap({ $0 }) {
    for (ring, share) in radial.area(around: pixel).enumerated() { even[ring] += share }
  }
  let pixelShares = shares(sensitivity, seed: seed)
  let hasKnockOuts = knockOuts.contains { $0.contains { $0 > 0 } }
  let conditionerShares = hasKnockOuts ? shares(knockOuts, seed: seed) : nil
  let labelShares = labels.contains { $0.contains { $0 > 0 } } ? shares(labels, seed: seed) : nil
  let total = map.reduce(0, +)
  return LocalityProfile(
    sigma: sigma, k: k, windows: windows, pixel: pixelShares, conditioner: conditionerShares,
    label: labelShares,
    isotropic: cumulative(even), pixelSides: sides(pixelShares, windows),
    conditionerSides: conditionerShares.map { sides($0, windows) }, map: map.map { $0 / total })
}

/// Running sums as shares of the whole.
func cumulative(_ rings: [Double]) -> [Double] {
  let total = rings.reduce(0, +)
  var sum = 0.0
  return rings.map { ring in
    sum += ring
    return total > 0 ? sum / total : 0
  }
}

func sides(_ shares: [Interval], _ windows: [Int]) -> [Int] {
  LocalityProfile.sideShares.map { share in
    zip(shares, windows).first { $0.0.value >= share }?.1 ?? windows.last ?? 0
  }
}

/// Each picture counts with its whole sensitivity; the interval resamples pictures.
func shares(_ pictures: [[Double]], seed: UInt64) -> [Interval] {
  let count = pictures.count
  let size = pictures[0].count
  func pooled(_ chosen: some Sequence<Int>) -> [Double] {
    var rings = [Double](repeating: 0, count: size)
    for n in chosen {
      for i in 0..<size { rings[i] += pictures[n][i] }
    }
    return cumulative(rings)
  }
  let value = pooled(0..<count)
  var resamples: [[Double]] = []
  for resample in 0..<1000 {
    var stream = RandomStream(seed: seed, purpose: .probeBootstrap, index: UInt64(resample))
    resamples.append(pooled((0..<count).map { _ in stream.integer(below: count) }))
  }
  return (0..<size).map { i in
    let sorted = resamples.map { $0[i] }.sorted()
    return Interval(
      value: value[i], low: percentile(sorted, 0.025), high: percentile(sorted, 0.975), n: count)
  }
}
