import Formats
import Foundation
import Statistics

/// A point of a picture, in pixels from the upper left corner.
package struct Place: Sendable, Hashable, Codable {
  package var x: Double
  package var y: Double

  package init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }

  func distance(to other: Place) -> Double {
    ((x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)).squareRoot()
  }
}

/// What was found in one generated picture.
package struct Outcome: Sendable, Hashable, Codable {
  package var seed: Int
  package var k: Int
  package var layout: Int
  package var requested: Int
  /// Requested places with an object.
  package var found: Int
  /// Objects in the picture.
  package var drawn: Int
  /// Requested places with an object, as the background detector sees it; `nil` where it was not kept.
  package var foundBackground: Int?
  /// How many places would be found had another layout of the same K been requested: the mean over the
  /// evaluation's others. `nil` where it was not kept.
  package var chance: Double?
  /// The same of what the background detector found.
  package var chanceBackground: Double?
  /// Requested places with an object of opacity ½ or more. `nil` where it was not kept.
  package var foundSolid: Int?

  package init(
    seed: Int, k: Int, layout: Int, requested: Int, found: Int, drawn: Int,
    foundBackground: Int? = nil, chance: Double? = nil, chanceBackground: Double? = nil,
    foundSolid: Int? = nil
  ) {
    self.foundSolid = foundSolid
    self.chanceBackground = chanceBackground
    self.foundBackground = foundBackground
    self.chance = chance
    self.seed = seed
    self.k = k
    self.layout = layout
    self.requested = requested
    self.found = found
    self.drawn = drawn
  }

  /// Just what was asked for, and nothing else.
  package var exact: Bool { found == requested && drawn == requested }
}

package enum EvaluationError: CategorizedError, Hashable, CustomStringConvertible {
  case noCommonLayouts
  /// Arms that were tested at different K, in words, with the K that all have.
  case otherCounts(String)
  /// A mask behind which requests are met no better than by other layouts' pictures.
  case atChance(mask: String, recall: Interval, base: Interval)
  /// A mask's evaluation and its baseline's, drawn by two instruction sets.
  case otherNumerics(mask: String, String, base: String, String)
  case judge(String)
  case setting(name: String, found: String, accepted: String)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .noCommonLayouts:
      "the two evaluations share no layout: give them the same seed and common `counts`"
    case .otherCounts(let words): words
    case .atChance(let mask, let recall, let base):
      "\(mask) draws pictures that do not follow their layouts: its recall beyond chance is"
        + " \(Self.text(recall)), its base's \(Self.text(base)); it can neither repair nor object, take it"
        + " out of the comparison or change it"
    case .otherNumerics(let mask, let own, let base, let theirs):
      "the evaluation of \(mask) was drawn with `\(own)`, that of its base (\(base)) with `\(theirs)`:"
        + " their pictures differ in last bits whatever the mask does, and no effect can be told; make both"
        + " with one (`locus run --force` their stages)"
    case .judge(let reason): "the judge's file: \(reason)"
    case .setting(let name, let found, let accepted):
      "\(name) is \(found), accepted: \(accepted)"
    }
  }
}

extension EvaluationError {
  fileprivate static func text(_ interval: Interval) -> String {
    func short(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
    return "\(short(interval.value)) [\(short(interval.low)), \(short(interval.high))]"
  }
}

/// So many layouts of each K tell what chance would find, however many are drawn: arms of which fewer are drawn
/// than of others are held against the same.
package let chanceLayouts = 24

/// What of a request would be found by chance: the mean over other requests, each held against the same
/// detections; 0 without any other.
package func chanceCount(_ others: [[Place]], detected: [Place], tolerance: Double) -> Double {
  if others.isEmpty { return 0 }
  let found = others.reduce(0) {
    $0 + matchCount(requested: $1, detected: detected, tolerance: tolerance)
  }
  return Double(found) / Double(others.count)
}

/// The same of words: `others` are those of other requests, held against what is true of one picture.
package func chanceCount(_ others: [Set<Int>], seen: Set<Int>) -> Double {
  if others.isEmpty { return 0 }
  return Double(others.reduce(0) { $0 + $1.intersection(seen).count }) / Double(others.count)
}

/// How many of `requested` are found.
package func matchCount(requested: [Place], detected: [Place], tolerance: Double) -> Int {
  matches(requested: requested, detected: detected, tolerance: tolerance).count { $0 }
}

/// Which of `requested` have a detection within `tolerance`.
package func matches(requested: [Place], detected: [Place], tolerance: Double) -> [Bool] {
  assignments(requested: requested, detected: detected, tolerance: tolerance).map { $0 != nil }
}

/// The detection of each of `requested`, one within `tolerance`, each used once: the nearest pairs first.
package func assignments(requested: [Place], detected: [Place], tolerance: Double) -> [Int?] {
  var pairs: [(distance: Double, request: Int, detection: Int)] = []
  for (i, place) in requested.enumerated() {
    for (j, detection) in detected.enumerated() {
      let distance = place.distance(to: detection)
      if distance <= tolerance { pairs.append((distance, i, j)) }
    }
  }
  pairs.sort { ($0.distance, $0.request, $0.detection) < ($1.distance, $1.request, $1.detection) }
  var assigned = [Int?](repeating: nil, count: requested.count)
  var usedDetections = Set<Int>()
  for pair in pairs
  where assigned[pair.request] == nil && !usedDetections.contains(pair.detection) {
    assigned[pair.request] = pair.detection
    usedDetections.insert(pair.detection)
  }
  return assigned
}

/// The measures of one K.
package struct CountSummary: Sendable {
  package var k: Int
  /// Found of requested places. Places of one picture depend on each other, so the interval is a
  /// bootstrap over layouts; Wilson's over places where all layouts agree.
  package var recall: Interval?
  /// Found of drawn objects, with the same kind of interval; `nil` when nothing was drawn.
  package var precision: Interval?
  /// Mean |drawn − K|, bootstrap over layouts.
  package var countError: Interval
  /// Mean objects drawn, bootstrap over layouts.
  package var drawn: Interval
  /// Share of pictures with just the requested objects, Wilson.
  package var exact: Interval
}

/// Found of requested places, with the interval of `CountSummary.recall`; `nil` where none was requested.
package func recall(_ outcomes: [Outcome], seed: UInt64) -> Interval? {
  share(outcomes, seed, of: { $0.requested }, hits: { $0.found })
}

/// The mean over pictures, with a bootstrap interval.
package func mean(_ values: [Double], seed: UInt64) -> Interval {
  Bootstrap(seed: seed).interval(strata: [0..<values.count], count: values.count, n: values.count) {
    zip($0, values).reduce(0) { $0 + Double($1.0) * $1.1 } / Double(max(values.count, 1))
  }
}

/// Summaries for each K that occurs, in order.
package func summarize(_ outcomes: [Outcome], seed: UInt64) -> [CountSummary] {
  let byCount = Dictionary(grouping: outcomes, by: \.k)
  return byCount.keys.sorted().map { k in
    let rows = byCount[k] ?? []
    return CountSummary(
      k: k,
      recall: share(rows, seed, of: { $0.requested }, hits: { $0.found }),
      precision: share(rows, seed, of: { $0.drawn }, hits: { $0.found }),
      countError: mean(rows, seed) { Double(abs($0.drawn - $0.k)) },
      drawn: mean(rows, seed) { Double($0.drawn) },
      exact: wilson(successes: rows.count { $0.exact }, trials: rows.count))
  }
}

private func share(
  _ rows: [Outcome], _ seed: UInt64, of total: (Outcome) -> Int, hits: (Outcome) -> Int
) -> Interval? {
  let totals = rows.map(total)
  let found = rows.map(hits)
  let all = totals.reduce(0, +)
  if all == 0 { return nil }
  let resampled = Bootstrap(seed: seed).interval(
    strata: [0..<rows.count], count: rows.count, n: all
  ) { weights in
    var below = 0
    var above = 0
    for i in weights.indices {
      below += weights[i] * totals[i]
      above += weights[i] * found[i]
    }
    return below == 0 ? 0 : Double(above) / Double(below)
  }
  if !resampled.isDegenerate { return resampled }
  return wilson(successes: found.reduce(0, +), trials: all)
}

private func mean(_ rows: [Outcome], _ seed: UInt64, _ value: (Outcome) -> Double) -> Interval {
  mean(rows.map(value), seed: seed)
}

extension [Outcome] {
  /// The same with what the background detector found; `nil` where that was not kept.
  package var asTheBackgroundSees: [Outcome]? { counting(\.foundBackground, \.chanceBackground) }

  /// The same with the solid finds alone; `nil` where these were not kept.
  package var solid: [Outcome]? { counting(\.foundSolid, nil) }

  private func counting(_ count: KeyPath<Outcome, Int?>, _ chance: KeyPath<Outcome, Double?>?)
    -> [Outcome]?
  {
    var result = self
    for i in indices {
      guard let found = self[i][keyPath: count] else { return nil }
      result[i].found = found
      result[i].chance = chance.flatMap { self[i][keyPath: $0] }
    }
    return result
  }

  /// Whether it is known of each what chance would find, by either detector.
  package var haveChance: Bool { allSatisfy { $0.chance != nil && $0.chanceBackground != nil } }
}
