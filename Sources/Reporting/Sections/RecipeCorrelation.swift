import Formats
import Statistics

/// How a number goes with another over models: over recipes, over those of one training range and budget, or over
/// seeds within their recipe.
struct RecipeCorrelation {
  /// Both numbers of a recipe, seed by seed.
  struct Model {
    var index: Replicates
    var recall: Replicates
    /// Of its network; `nil` where it has none.
    var kind: String?
    /// What its numbers are comparable within; `nil` where that is not known.
    var stratum: String?
  }

  private var units: String
  private(set) var correlation: RankCorrelation
  private var leftOut: ClosedRange<Double>?
  /// What is left without the recipes of one kind of network.
  private(set) var withoutKind: [(kind: String, correlation: RankCorrelation)] = []

  static func all(
    _ models: [Model]
  ) -> [RecipeCorrelation] {
    [
      overRecipes(models), withinStrata(models),
      RankCorrelation(
        groups: models.map { model in
          model.index.paired(with: model.recall)
            .map { (x: $0.first.estimate.value, y: $0.second.estimate.value) }
        }
      ).flatMap {
        models.contains { $0.index.values.count > 1 }
          ? RecipeCorrelation(units: "seeds within their recipe", correlation: $0) : nil
      },
    ].compactMap { $0 }
  }

  /// Over recipes, each the mean of its seeds.
  ///
  /// - Returns: `nil` for too few of them.
  static func overRecipes(
    _ models: [Model]
  ) -> RecipeCorrelation? {
    RecipeCorrelation(
      "recipes, each the mean of its seeds",
      models.compactMap { model in
        guard let x = model.index.mean, let y = model.recall.mean else { return nil }
        return (x.value, y.value, model.kind)
      })
  }

  /// Over recipes within those of the same stratum, where there are several.
  private static func withinStrata(_ models: [Model]) -> RecipeCorrelation? {
    let known = models.filter { !$0.index.isEmpty && !$0.recall.isEmpty }
    let strata = distinct(known.compactMap(\.stratum))
    if strata.count < 2 { return nil }
    func correlation(_ models: [Model]) -> RankCorrelation? {
      RankCorrelation(
        groups: strata.map { stratum in
          models.filter { $0.stratum == stratum }.compactMap { model in
            guard let x = model.index.mean, let y = model.recall.mean else { return nil }
            return (x: x.value, y: y.value)
          }
        })
    }
    return correlation(known).map { whole in
      var found = RecipeCorrelation(
        units: "recipes within one training range and budget", correlation: whole)
      found.withoutKind = distinct(known.compactMap(\.kind)).compactMap { kind in
        correlation(known.filter { $0.kind != kind }).map { (kind, $0) }
      }
      return found
    }
  }

  private init(units: String, correlation: RankCorrelation) {
    (self.units, self.correlation) = (units, correlation)
  }

  /// - Parameter points: both numbers of each unit, and the kind of its network.
  /// - Returns: `nil` for too few units.
  init?(_ units: String, _ points: [(x: Double, y: Double, kind: String?)]) {
    let (x, y) = (points.map(\.x), points.map(\.y))
    guard let whole = RankCorrelation(x, y) else { return nil }
    self.init(units: units, correlation: whole)
    leftOut = RankCorrelation.leavingOneOut(x, y)
    withoutKind = distinct(points.compactMap(\.kind)).compactMap { kind in
      let rest = points.filter { $0.kind != kind }
      return RankCorrelation(rest.map(\.x), rest.map(\.y)).map { (kind, $0) }
    }
  }

  static let legend =
    "*Without one*: the least and the largest value when one recipe is left out; *without one kind*: the value "
    + "nearest 0, or beyond it, when all recipes of one kind of network (its type and norm) are."

  /// How many of what it is over.
  var count: Int { correlation.n }

  static let columns = ["over", "ρ [95 %]", "without one", "without one kind", "N"]

  /// Of the kinds that may be left out the one that ρ rests on most.
  var weakest: (kind: String, correlation: RankCorrelation)? {
    let sign = correlation.value < 0 ? -1.0 : 1.0
    return withoutKind.min { $0.correlation.value * sign < $1.correlation.value * sign }
  }

  var cells: [String] {
    [
      units, Self.text(correlation),
      leftOut.map {
        "\(Markdown.number($0.lowerBound)) to \(Markdown.number($0.upperBound))"
      } ?? Markdown.nothing,
      weakest.map { "\(Self.text($0.correlation)) (\(Markdown.escape($0.kind)))" }
        ?? Markdown.nothing,
      "\(correlation.n)",
    ]
  }

  static func text(_ correlation: RankCorrelation) -> String {
    Markdown.interval(correlation.value, correlation.low, correlation.high)
  }
}
