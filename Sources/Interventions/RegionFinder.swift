import Diffusion
import Streams

/// Finds where the entries of a conditioner act, by the base itself and without training.
///
/// An entry has no place of its own. Of an input x with noise on it, D(x, σ, c) is noised anew; there the entry's
/// region is the fewest places, summed over noises and channels, that hold the share of the squared change of D when it
/// is told no longer. What x's own noise makes of a place has no part in it. Costs 1 + noises · (1 + told) passes.
struct RegionFinder: Sendable {
  let region: RegionMask
  let keep: MaskSpecification.Keep
  let seed: UInt64
  let planner: PassPlanner
  let order: ValueOrder
  let height: Int
  let width: Int

  typealias Pass = (_ x: [Float], _ sigma: [Float], _ labels: [Float]) throws -> [Float]

  /// Passes that go to the base at a time.
  private static let chunk = 256

  /// A plan for each picture, or none where nothing is told or the mask does not hold.
  ///
  /// - Parameters:
  ///   - x: (N, …), as `order` says.
  ///   - labels: (N, entries).
  func plans(
    _ x: [Float], _ sigma: [Float], _ labels: [Float], applies: (Float) -> Bool, denoise: Pass
  ) throws -> [PassPlan?] {
    let entries = labels.count / max(sigma.count, 1)
    let told = sigma.indices.map { n in
      // A gradient's many cotangents ask about one input.
      applies(sigma[n]) && !isAsBefore(n, x, sigma, labels)
        ? planner.told(labels[n * entries..<(n + 1) * entries]) : []
    }
    var plans = [PassPlan?](repeating: nil, count: sigma.count)
    // As many pictures at a time as their knock-outs are passes.
    var start = 0
    while start < sigma.count {
      var end = start
      var passes = 0
      repeat {
        passes += region.noises * (1 + told[end].count)
        end += 1
      } while end < sigma.count
        && passes + region.noises * (1 + told[end].count) <= Self.chunk
      let some = (start..<end).filter { !told[$0].isEmpty }
      if !some.isEmpty {
        let found = try regions(some, told, x, sigma, labels, denoise)
        for (n, regions) in zip(some, found) {
          plans[n] = planner.plan(
            labels: labels[n * entries..<(n + 1) * entries], draw: 0,
            regions: kept(regions))
        }
      }
      start = end
    }
    for n in sigma.indices where isAsBefore(n, x, sigma, labels) { plans[n] = plans[n - 1] }
    return plans
  }

  private func isAsBefore(_ n: Int, _ x: [Float], _ sigma: [Float], _ labels: [Float]) -> Bool {
    func isSame(_ values: [Float], _ size: Int) -> Bool {
      values[n * size..<(n + 1) * size].elementsEqual(values[(n - 1) * size..<n * size])
    }
    return n > 0 && sigma[n] == sigma[n - 1] && isSame(labels, labels.count / sigma.count)
      && isSame(x, order.count)
  }

  /// Of each of some pictures and each entry that is told of it: the places of its region.
  private func regions(
    _ some: [Int], _ told: [[Int]], _ x: [Float], _ sigma: [Float], _ labels: [Float],
    _ denoise: Pass
  ) throws -> [[[Int]]] {
    let count = order.count
    let entries = labels.count / sigma.count
    func own(_ n: Int) -> ArraySlice<Float> { labels[n * entries..<(n + 1) * entries] }
    let clean = try checked(
      denoise(
        some.flatMap { x[$0 * count..<($0 + 1) * count] }, some.map { sigma[$0] },
        some.flatMap(own)), some.count)
    var batch: (x: [Float], sigma: [Float], labels: [Float]) = ([], [], [])
    for (place, n) in some.enumerated() {
      for noise in 0..<region.noises {
        var stream = RandomStream(seed: seed, purpose: .regionNoise, index: UInt64(noise))
        let noised = clean[place * count..<(place + 1) * count].map {
          $0 + sigma[n] * stream.gaussian()
        }
        for shown in knockOuts(told[n]) {
          batch.x += noised
          batch.sigma.append(sigma[n])
          let all = Array(own(n))
          var row = [Float](repeating: 0, count: entries)
          for entry in shown { row[entry] = all[entry] }
          batch.labels += row
        }
      }
    }
    let values = try checked(denoise(batch.x, batch.sigma, batch.labels), batch.sigma.count)
    var first = 0
    return some.map { n in
      var squares = told[n].map { _ in [Double](repeating: 0, count: order.places) }
      for _ in 0..<region.noises {
        for k in told[n].indices { add(values, first, first + 1 + k, to: &squares[k]) }
        first += 1 + told[n].count
      }
      return squares.map { fewestPlaces(holding: region.share, of: $0) }
    }
  }

  /// What is told in the pass that the others are held against, and in that of each entry.
  private func knockOuts(_ told: [Int]) -> [[Int]] {
    switch region.knockOut {
    case .among: [told] + told.map { entry in told.filter { $0 != entry } }
    case .alone: [[]] + told.map { [$0] }
    }
  }

  /// Adds the squared differences of two passes, summed over channels.
  private func add(_ values: [Float], _ a: Int, _ b: Int, to squares: inout [Double]) {
    for place in 0..<order.places {
      for c in 0..<order.channels {
        let i = place * order.placeStride + c * order.channelStride
        let change = Double(values[a * order.count + i]) - Double(values[b * order.count + i])
        squares[place] += change * change
      }
    }
  }

  /// Where each entry is told in the end.
  private func kept(_ regions: [[Int]]) -> [[Bool]] {
    regions.indices.map { k in
      var isThere = [Bool](repeating: false, count: order.places)
      switch keep {
      case .near: for place in regions[k] { isThere[place] = true }
      case .far: for place in regions[(k + 1) % regions.count] { isThere[place] = true }
      case .random:
        // The same way for the entry's place among those that are told, wherever it acts: not by what is seen.
        var stream = RandomStream(seed: seed, purpose: .movedRegions, index: UInt64(k))
        let by = 1 + stream.integer(below: max(order.places - 1, 1))
        for place in regions[k] {
          let row = (place / width + by / width) % height
          isThere[row * width + (place + by) % width] = true
        }
      }
      return isThere
    }
  }

  private func checked(_ values: [Float], _ pictures: Int) throws(MaskError) -> [Float] {
    if values.count == pictures * order.count { return values }
    throw .baseResult(found: values.count, expected: pictures * order.count)
  }
}
