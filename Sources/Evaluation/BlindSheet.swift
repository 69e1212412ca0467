import Foundation
import Statistics
import Streams

/// What the detectors say of one requested place.
package enum PlaceStanding: String, Sendable, CaseIterable {
  /// Both find a solid object.
  case agreed
  /// The judge finds a faint one.
  case faint
  /// The judge alone finds a solid one: mostly objects that touch, which are one piece to the plain detector.
  case merged
  /// The judge finds none.
  case missed

  /// Whether the judge finds an object.
  package var isFound: Bool { self != .missed }
}

/// A requested place of one evaluation's pictures.
package struct JudgedPlace: Sendable, Hashable {
  /// Number of the picture, and of the place in its request.
  package var picture: Int
  package var place: Int
  package var standing: PlaceStanding

  package init(picture: Int, place: Int, standing: PlaceStanding) {
    self.picture = picture
    self.place = place
    self.standing = standing
  }
}

/// Places that a person looks at without knowing what the detectors said: of each evaluation as many, of
/// each standing as many as there are, up to an equal share.
package struct BlindSheet: Sendable {
  package struct Tile: Sendable, Hashable {
    /// Number of the evaluation.
    package var arm: Int
    package var place: JudgedPlace
  }

  /// In the order in which they are shown: of all arms and standings in turn, by chance.
  package let tiles: [Tile]
  /// By arm, how many places there are of each standing.
  package let places: [[PlaceStanding: Int]]

  /// - Parameters:
  ///   - arms: the places of each evaluation, in an order that is always the same.
  ///   - count: of tiles, as many as places at most.
  package init(arms: [[JudgedPlace]], count: Int, seed: UInt64) {
    places = arms.map { Dictionary(grouping: $0, by: \.standing).mapValues(\.count) }
    var chosen: [Tile] = []
    for (arm, all) in arms.enumerated() {
      let share = count * (arm + 1) / arms.count - count * arm / arms.count
      var quotas = Self.quotas(share, places[arm])
      var stream = RandomStream(seed: seed, purpose: .blindTiles, index: UInt64(arm + 1))
      var shuffled = all
      stream.shuffle(&shuffled)
      for place in shuffled where quotas[place.standing, default: 0] > 0 {
        quotas[place.standing, default: 0] -= 1
        chosen.append(Tile(arm: arm, place: place))
      }
    }
    var stream = RandomStream(seed: seed, purpose: .blindTiles, index: 0)
    stream.shuffle(&chosen)
    tiles = chosen
  }

  /// Equal shares, and what one standing has too few places for goes to the others.
  private static func quotas(_ count: Int, _ places: [PlaceStanding: Int])
    -> [PlaceStanding: Int]
  {
    var quotas: [PlaceStanding: Int] = [:]
    var left = min(count, places.values.reduce(0, +))
    while left > 0 {
      for standing in PlaceStanding.allCases where left > 0 {
        if quotas[standing, default: 0] < places[standing, default: 0] {
          quotas[standing, default: 0] += 1
          left -= 1
        }
      }
    }
    return quotas
  }

  /// What a person's answers say of one arm; `nil` without any of it.
  package struct Result: Sendable {
    /// Share of requested places with an object, as the person would find over all of them.
    package var recall: Interval
    /// The judge's share of the same places.
    package var judgeRecall: Double
    /// Cohen's kappa of person and judge over all places; `nil` where one of them always says the same.
    package var kappa: Interval?
    /// By standing: tiles, and those with an object as the person says.
    package var answers: [PlaceStanding: (tiles: Int, objects: Int)]
  }

  /// - Parameter answers: whether there is an object at each tile's place; `nil` where nobody said.
  package func result(arm: Int, answers: [Bool?], seed: UInt64) -> Result? {
    // Sorted by standing, which is what strata are.
    let rows = zip(tiles, answers).compactMap { tile, answer -> (PlaceStanding, Bool)? in
      tile.arm == arm ? answer.map { (tile.place.standing, $0) } : nil
    }
    var strata: [(standing: PlaceStanding, share: Double, answers: [Bool])] = []
    let total = Double(places[arm].values.reduce(0, +))
    for standing in PlaceStanding.allCases {
      let own = rows.filter { $0.0 == standing }.map(\.1)
      let count = places[arm][standing] ?? 0
      if count == 0 { continue }
      // A standing of which nothing is known leaves the whole unknown.
      if own.isEmpty { return nil }
      strata.append((standing, Double(count) / total, own))
    }
    if strata.isEmpty { return nil }
    let judged = strata.filter { $0.standing.isFound }.reduce(0) { $0 + $1.share }
    return Result(
      recall: Self.pooled(strata.map { ($0.share, $0.answers) }), judgeRecall: judged,
      kappa: Self.kappa(strata, seed: seed),
      answers: Dictionary(
        uniqueKeysWithValues: strata.map {
          ($0.standing, ($0.answers.count, $0.answers.count { $0 }))
        }))
  }

  /// Σ share · p, whose interval takes Wilson's ends of each stratum together (Zou & Donner 2008): equal
  /// answers are not certainty.
  private static func pooled(_ strata: [(share: Double, answers: [Bool])]) -> Interval {
    var (value, below, above) = (0.0, 0.0, 0.0)
    for (share, answers) in strata {
      let own = wilson(successes: answers.count { $0 }, trials: answers.count)
      value += share * own.value
      below += share * share * (own.value - own.low) * (own.value - own.low)
      above += share * share * (own.high - own.value) * (own.high - own.value)
    }
    return Interval(
      value: value, low: max(0, value - below.squareRoot()),
      high: min(1, value + above.squareRoot()), n: strata.reduce(0) { $0 + $1.answers.count })
  }

  private static func kappa(
    _ strata: [(standing: PlaceStanding, share: Double, answers: [Bool])], seed: UInt64
  ) -> Interval? {
    var ranges: [Range<Int>] = []
    for stratum in strata {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + stratum.answers.count)
    }
    let count = ranges.last?.upperBound ?? 0
    let judge = strata.filter { $0.standing.isFound }.reduce(0) { $0 + $1.share }
    func kappa(_ weights: [Int]) -> Double? {
      var (agree, person) = (0.0, 0.0)
      for (stratum, range) in zip(strata, ranges) {
        let yes = zip(range, stratum.answers).reduce(0) { $0 + ($1.1 ? weights[$1.0] : 0) }
        let share = Double(yes) / Double(range.count)
        person += stratum.share * share
        agree += stratum.share * (stratum.standing.isFound ? share : 1 - share)
      }
      let chance = judge * person + (1 - judge) * (1 - person)
      return chance < 1 ? (agree - chance) / (1 - chance) : nil
    }
    guard kappa([Int](repeating: 1, count: count)) != nil else { return nil }
    return Bootstrap(seed: seed).interval(strata: ranges, count: count, n: count) {
      kappa($0) ?? 1
    }
  }
}
