import Formats
import Statistics

/// How a number goes with another over models: over recipes, or over seeds within their recipe.
struct RecipeCorrelation {
  private var units: String
  private(set) var correlation: RankCorrelation
  private var leftOut: ClosedRange<Double>?
  /// What is left without the recipes of one kind of network.
  private(set) var withoutKind: [(kind: String, correlation: RankCorrelation)] = []

  /// - Parameter models: both numbers of each recipe, seed by seed, and the kind of its network.
  static func all(
    _ models: [(index: Replicates, recall: Replicates, kind: String?)]
  ) -> [RecipeCorrelation] {
    [
      overRecipes(models),
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
    _ models: [(index: Replicates, recall: Replicates, kind: String?)]
  ) -> RecipeCorrelation? {
    RecipeCorrelation(
      "recipes, each the mean of its seeds",
      models.compactMap { model in
        guard let x = model.index.mean, let y = model.recall.mean else { return nil }
        return (x.value, y.value, model.kind)
      })
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
