import Statistics

/// Of pictures of one K, how far each is from the training picture most like it.
package struct TrainingDistances: Sendable {
  package var drawn: [Double]
  /// Of renders that nobody trained on.
  package var rendered: [Double]

  package init(drawn: [Double], rendered: [Double]) {
    self.drawn = drawn
    self.rendered = rendered
  }
}

/// Share of drawn pictures that are nearer to a training picture than all but the nearest renders of their K
/// are, chosen so that a picture like the renders is among them in 5 % at most; `nil` without any picture.
///
/// With a bootstrap interval over drawn pictures and renders, a K at a time; Wilson's where nearly all
/// resamples agree.
package func nearShare(_ strata: [TrainingDistances], seed: UInt64) -> Interval? {
  let total = strata.reduce(0) { $0 + $1.drawn.count }
  if total == 0 { return nil }
  struct Placed {
    /// In units of a resample: drawn first, then renders in rising order.
    var drawn: Range<Int>
    var rendered: Range<Int>
    /// How many renders are no farther than each drawn picture.
    var below: [Int]
  }
  var first = 0
  let placed = strata.map { stratum in
    let sorted = stratum.rendered.sorted()
    let drawn = first..<first + stratum.drawn.count
    let rendered = drawn.upperBound..<drawn.upperBound + sorted.count
    first = rendered.upperBound
    return Placed(
      drawn: drawn, rendered: rendered,
      below: stratum.drawn.map { own in sorted.count { $0 <= own } })
  }
  let interval = Bootstrap(seed: seed).interval(
    strata: placed.flatMap { [$0.drawn, $0.rendered] }, count: first, n: total
  ) { weights in
    var near = 0
    for stratum in placed {
      // Of n renders and one picture like them, it is before the m-th of them in m / (n + 1).
      let rank = (stratum.rendered.count + 1) / 20
      if rank == 0 { continue }
      var passed = 0
      var limit = 0
      for render in stratum.rendered {
        passed += weights[render]
        if passed >= rank { break }
        limit += 1
      }
      for (slot, below) in zip(stratum.drawn, stratum.below) where below <= limit {
        near += weights[slot]
      }
    }
    return Double(near) / Double(total)
  }
  if interval.low < interval.high { return interval }
  return wilson(successes: Int((interval.value * Double(total)).rounded()), trials: total)
}
