import Evaluation
import Lineage
import Measures

/// A recall that a comparison stored of each evaluation, averaged over some of its K, beyond chance.
enum RecallPart: CaseIterable {
  /// Over the compared K of the training range.
  case within
  /// Over those beyond it.
  case beyond
  /// The latter as the background detector sees it.
  case background

  fileprivate var estimate: KeyPath<ComparedEvaluation, Estimate?> {
    switch self {
    case .within: \.recallWithin
    case .beyond: \.recallBeyond
    case .background: \.recallBackground
    }
  }
}

extension ComparedEvaluation {
  /// As a replicate's; `nil` where it was not kept.
  func value(_ part: RecallPart) -> Replicates.Value? {
    self[keyPath: part.estimate].map {
      Replicates.Value(seed: evaluated.seed, estimate: $0, draws: draws[part] ?? [])
    }
  }

  /// With what resampled layouts make of each recall, where there are several seeds: so that it has one interval
  /// wherever it stands on the page.
  static func drawn(_ all: [ComparedEvaluation], _ store: Store) throws -> [ComparedEvaluation] {
    let several = Dictionary(grouping: all) { Labels.withoutSeed($0.evaluated.title) }
      .filter { Set($0.value.map(\.evaluated.seed)).count > 1 }
    return try all.map { one in
      guard several[Labels.withoutSeed(one.evaluated.title)] != nil else { return one }
      let outcomes = try Outcome.question(one.evaluated.executionID).rows(store)
      var one = one
      for part in RecallPart.allCases where one[keyPath: part.estimate] != nil {
        let counts = Set(outcomes.map(\.k)).filter {
          one.isCompared($0)
            && ($0 > one.evaluated.trainingMaximum ?? 0) == (part != .within)
        }
        let seen = part == .background ? outcomes.asTheBackgroundSees : outcomes
        one.draws[part] = seen.map {
          recallBeyondChanceDraws($0, counts: counts, seed: one.seed)
        }
      }
      for k in Set(outcomes.map(\.k)) where k > 0 {
        one.drawsByCount[k] = averagedRecallDraws(outcomes, counts: [k], seed: one.seed)
      }
      return one
    }
  }
}

extension Replicates {
  /// Of recalls, none of which is more than 1.
  static func recalls(_ values: [Value], areShared: Bool = true) -> Replicates {
    Replicates(values, areShared: areShared, most: 1)
  }
}
