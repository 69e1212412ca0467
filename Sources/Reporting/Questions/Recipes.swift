import Evaluation
import Measures

/// What a page shows as one thing: the evaluated models that differ in nothing but their seeds.
struct EvaluatedRecipe {
  /// Without a seed.
  var label: String
  /// At least one; a replicate each.
  var members: [EvaluatedModel]

  /// In the order of the pipeline.
  static func all(_ evaluated: [EvaluatedModel]) -> [EvaluatedRecipe] {
    evaluated.reduce(into: []) { recipes, one in
      let label = Labels.withoutSeed(one.label)
      if let place = recipes.firstIndex(where: { $0.label == label }) {
        recipes[place].members.append(one)
      } else {
        recipes.append(EvaluatedRecipe(label: label, members: [one]))
      }
    }
  }

  var first: EvaluatedModel { members[0] }

  /// What cannot exceed 1.
  private static let shares = Set(
    [Measure.recall, .recallSolid, .recallBackground, .recallChance, .precision, .exact].map(\.name)
  )

  /// A measure by K, over the replicates that all have it.
  func curve(_ measure: Measure, _ curves: Curves) -> [Int: Replicates] {
    let all = members.map { curves[measure, of: $0] }
    let counts = all.dropFirst().reduce(Set((all.first ?? [:]).keys)) { $0.intersection($1.keys) }
    return Dictionary(
      uniqueKeysWithValues: counts.map { k in
        let values = zip(members, all).compactMap { member, curve in
          curve[k].map { Replicates.Value(seed: member.seed, estimate: $0) }
        }
        return (
          k,
          Replicates(
            values, areShared: true, most: Self.shares.contains(measure.name) ? 1 : nil)
        )
      })
  }

  /// Its means over seeds.
  func points(_ measure: Measure, _ curves: Curves) -> [Int: Estimate] {
    curve(measure, curves).compactMapValues(\.mean)
  }
}

extension EvaluatedModel {
  /// `nil` for what all replicates share.
  var seed: String? { Labels.seed(of: title, measuredBy: stage) }
}

/// The comparisons of a recipe.
struct ComparedRecipe {
  /// At least one; a replicate each.
  private(set) var members: [ComparedEvaluation]
  var recipe: EvaluatedRecipe

  /// In the order of the pipeline.
  static func all(_ comparisons: [ComparedEvaluation]) -> [ComparedRecipe] {
    comparisons.reduce(into: []) { recipes, one in
      let label = Labels.withoutSeed(one.label)
      if let place = recipes.firstIndex(where: {
        $0.label == label && $0.first.comparison == one.comparison
      }) {
        recipes[place].members.append(one)
        recipes[place].recipe.members.append(one.evaluated)
      } else {
        recipes.append(
          ComparedRecipe(
            members: [one], recipe: EvaluatedRecipe(label: label, members: [one.evaluated])))
      }
    }
  }

  var label: String { recipe.label }
  var first: ComparedEvaluation { members[0] }
  var model: EvaluatedModel { first.evaluated }

  /// Its recalls, those of replicates that have none left out.
  func recall(_ part: RecallPart) -> Replicates { .recalls(members.compactMap { $0.value(part) }) }

  /// What each replicate says; those that say nothing are left out.
  func replicates(_ part: (ComparedEvaluation) -> Estimate?) -> Replicates {
    Replicates(
      members.compactMap { member in
        part(member).map { .init(seed: member.evaluated.seed, estimate: $0) }
      }, areShared: true)
  }

  /// The replicate's own, or that of mean recall over seeds.
  func kMax(_ curves: Curves) -> Estimate {
    if members.count == 1 { return first.kMax }
    let curve = recipe.curve(.recall, curves).filter { $0.key > 0 }
    let recalls = Dictionary(
      uniqueKeysWithValues: curve.map { k, replicates in
        let draws = members.map { $0.drawsByCount[k] ?? [] }
        // Where one network found all that was asked for its draws say that nothing else could be.
        let vary = draws.allSatisfy { Set($0).count > 1 }
        let values = zip(replicates.values, draws).map { value, draws in
          var value = value
          if vary { value.draws = draws }
          return value.ofSeed
        }
        return (k, values)
      })
    return Estimate(kMaxOverSeeds(recalls, threshold: first.threshold))
  }
}
