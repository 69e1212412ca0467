import Statistics

/// The attributes of the objects found in one picture, each with its place.
package struct ObjectsFound: Sendable {
  package var places: [Place]
  package var attributes: [ObjectAttributes]

  package init(places: [Place], attributes: [ObjectAttributes]) {
    self.places = places
    self.attributes = attributes
  }

  /// Each object with the one nearest to it; a pair that is nearest both ways counts once.
  fileprivate var pairs: [(Int, Int)] {
    let nearest = places.indices.map { own in
      places.indices.filter { $0 != own }.min {
        (places[own].distance(to: places[$0]), $0) < (places[own].distance(to: places[$1]), $1)
      }
    }
    return nearest.indices.compactMap { own in
      guard let other = nearest[own] else { return nil }
      if nearest[other] == own, other < own { return nil }
      return (own, other)
    }
  }
}

/// How much more often neighbours have the same value of an attribute than objects drawn anew from all
/// pictures have: 0 where they are independent, as objects of a training scene are.
///
/// The expected share is that of pairs of values that are drawn independently from those found: what
/// shuffling the pairs gives on average. With a bootstrap interval over pictures; `nil` without pairs.
package func neighbourDependence(
  _ pictures: [ObjectsFound], _ kind: ObjectAttributes.Kind, seed: UInt64
) -> Interval? {
  struct Counts {
    var pairs = 0
    var equal = 0
    var values: [Int]
  }
  let counts = pictures.map { picture in
    var own = Counts(values: [Int](repeating: 0, count: kind.count))
    for (a, b) in picture.pairs {
      let (left, right) = (picture.attributes[a][kind], picture.attributes[b][kind])
      own.pairs += 1
      if left == right { own.equal += 1 }
      own.values[left] += 1
      own.values[right] += 1
    }
    return own
  }.filter { $0.pairs > 0 }
  if counts.isEmpty { return nil }
  return Bootstrap(seed: seed).interval(
    strata: [0..<counts.count], count: counts.count, n: counts.count
  ) { weights in
    var (pairs, equal) = (0, 0)
    var values = [Int](repeating: 0, count: kind.count)
    for (weight, own) in zip(weights, counts) where weight > 0 {
      pairs += weight * own.pairs
      equal += weight * own.equal
      for i in values.indices { values[i] += weight * own.values[i] }
    }
    let total = Double(max(2 * pairs, 1))
    let expected = values.reduce(0) { $0 + Double($1) * Double($1) / total / total }
    return Double(equal) / Double(max(pairs, 1)) - expected
  }
}

/// How far the law of an attribute among objects found is from that among objects of renders, both as the
/// examples tell them: half the sum of differences, 0 for the same law to 1 for laws that share no value.
/// `nil` without objects.
package func lawDistance(
  _ pictures: [ObjectsFound], _ kind: ObjectAttributes.Kind, renders: [Int], seed: UInt64
) -> Interval? {
  let counts = pictures.map { picture in
    var own = [Int](repeating: 0, count: kind.count)
    for attributes in picture.attributes { own[attributes[kind]] += 1 }
    return own
  }
  let known = Double(renders.reduce(0, +))
  guard known > 0, counts.contains(where: { $0.contains { $0 > 0 } }) else { return nil }
  return Bootstrap(seed: seed).interval(
    strata: [0..<counts.count], count: counts.count, n: counts.count
  ) { weights in
    var values = [Int](repeating: 0, count: kind.count)
    for (weight, own) in zip(weights, counts) where weight > 0 {
      for i in values.indices { values[i] += weight * own[i] }
    }
    let total = Double(max(values.reduce(0, +), 1))
    return values.indices.reduce(0) {
      $0 + abs(Double(values[$1]) / total - Double(renders[$1]) / known) / 2
    }
  }
}
