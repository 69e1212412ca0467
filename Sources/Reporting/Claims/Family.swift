import Foundation
import Statistics

/// Where a claim stands among those that its pipeline file names as one family: Holm's correction over them.
struct FamilyTest: Hashable {
  var family: String
  /// Claims of the family that have a number.
  var size: Int
  var pHolm: Double

  var isRejected: Bool { pHolm < 0.05 }

  var words: String {
    " Holm p \(pHolm < 1e-4 ? "< 0.0001" : "= " + Markdown.number(pHolm, digits: 4)) over the "
      + "\(size == 1 ? "one claim" : "\(size) claims") of the family `\(Markdown.escape(family))`."
  }

  /// The family whose first claim the report's first sentence is about.
  static let primary = "primary"
}

extension Replicates {
  /// Two-sided, of 0: over seeds by Student's t; of one network by its interval's width, as if normal.
  var p: Double? {
    if let overSeeds { return overSeeds.p }
    guard let estimate = values.first?.estimate, let low = estimate.low, let high = estimate.high
    else { return nil }
    if high <= low { return estimate.value == 0 ? 1 : 0 }
    let error = (high - low) / (2 * 1.96)
    return erfc(abs(estimate.value) / error / 2.0.squareRoot())
  }
}

extension Replicates {
  /// p of the two one-sided tests that it lies within ± `bound`, as `p` is of 0.
  func equivalenceP(within bound: Double) -> Double? {
    if let overSeeds {
      return Statistics.equivalenceP(
        mean: overSeeds.value, error: overSeeds.error, degrees: overSeeds.degrees, bound: bound)
    }
    guard let estimate = values.first?.estimate, let low = estimate.low, let high = estimate.high
    else { return nil }
    return Statistics.equivalenceP(
      mean: estimate.value, error: (high - low) / (2 * 1.96), degrees: nil, bound: bound)
  }
}

extension Verdict {
  /// What both detectors have to show is as sure as the less sure of them.
  private static func lessSure(_ judge: Double?, _ background: Double?) -> Double? {
    judge.map { max($0, background ?? 0) }
  }

  /// Corrects what masks do beyond their controls over all of these, or over those of the claims' family.
  mutating func correctContrasts() {
    let tested = repairs.indices.compactMap { i in
      Self.lessSure(repairs[i].contrast.p, repairs[i].contrastBackground.p).map {
        (place: i, family: repairs[i].claim.family, p: $0)
      }
    }
    for own in Dictionary(grouping: tested, by: \.family).values {
      for (test, adjusted) in zip(own, holm(own.map(\.p))) {
        repairs[test.place].contrastHolm = adjusted
      }
    }
  }

  /// Corrects every claim that names a family over all claims of it, of whichever kind.
  mutating func correctFamilies() {
    /// Where a claim's test stands, and what becomes of it.
    struct Place {
      var family: String
      var p: Double
      var write: (inout Verdict, FamilyTest) -> Void
    }
    var places: [Place] = []
    func add(
      _ family: String?, _ p: Double?, _ write: @escaping (inout Verdict, FamilyTest) -> Void
    ) {
      guard let family, let p else { return }
      places.append(Place(family: family, p: p, write: write))
    }
    for (i, finding) in recalls.enumerated() {
      add(finding.claim.family, Self.lessSure(finding.difference.p, finding.backgroundDifference.p))
      {
        $0.recalls[i].test = $1
      }
    }
    for (i, finding) in remotes.enumerated() {
      add(finding.claim.family, finding.difference.p) { $0.remotes[i].test = $1 }
    }
    for (i, finding) in repairs.enumerated() {
      add(finding.claim.family, Self.lessSure(finding.p ?? finding.recall.p, finding.background.p))
      {
        $0.repairs[i].test = $1
        $0.repairs[i].pHolm = $1.pHolm
      }
    }
    for own in Dictionary(grouping: places, by: \.family).values {
      for (place, adjusted) in zip(own, holm(own.map(\.p))) {
        place.write(
          &self, FamilyTest(family: place.family, size: own.count, pHolm: adjusted))
      }
    }
  }
}
