import Formats
import Statistics

/// Whether models whose index is low recall more: over recipes, within them, and without each of them.
struct IndexCorrelation {
  let models: [ModelIndex]
  /// At what each index was probed, in words.
  let trajectory: String
  let law: String?

  private typealias Part = KeyPath<ModelIndex, Replicates>

  private func rows(_ index: Part, _ words: String) -> [(index: String, RecipeCorrelation)] {
    RecipeCorrelation.all(models.map { ($0[keyPath: index], $0.recall) }).map { (words, $0) }
  }

  /// Nothing for too few models.
  var blocks: [Block] {
    let rows =
      rows(\.remote, trajectory) + (law.map { self.rows(\.law, $0) } ?? [])
      + rows(\.pixels, "pixels outside, \(trajectory)")
    if rows.isEmpty { return [] }
    return [
      .paragraph(
        "Spearman's rank correlation between an index and recall beyond the training range, over the "
          + "models of the table, with Bonett and Wright's 95 % interval; below 0: the less a model depends "
          + "on remote labels, or on pixels outside the object's window, the more it recalls. A recipe is a model without its seed. *Without one*: the "
          + "least and the largest value when one recipe is left out."),
      .table(
        columns: ["index"] + RecipeCorrelation.columns,
        rows: rows.map { [$0.index] + $0.1.cells }),
    ]
  }
}

/// How a number goes with another over models: over recipes, or over seeds within their recipe.
struct RecipeCorrelation {
  private var units: String
  private var correlation: RankCorrelation
  private var leftOut: ClosedRange<Double>?

  /// - Parameter models: both numbers of each recipe, seed by seed.
  static func all(_ models: [(index: Replicates, recall: Replicates)]) -> [RecipeCorrelation] {
    let recipes = models.compactMap { model -> (x: Double, y: Double)? in
      guard let x = model.index.mean, let y = model.recall.mean else { return nil }
      return (x.value, y.value)
    }
    let (x, y) = (recipes.map(\.x), recipes.map(\.y))
    let seeds = models.map { model in
      model.index.paired(with: model.recall)
        .map { (x: $0.first.estimate.value, y: $0.second.estimate.value) }
    }
    return [
      RankCorrelation(x, y).map {
        RecipeCorrelation(
          units: "recipes, each the mean of its seeds", correlation: $0,
          leftOut: RankCorrelation.leavingOneOut(x, y))
      },
      RankCorrelation(groups: seeds).flatMap {
        seeds.contains { $0.count > 1 }
          ? RecipeCorrelation(units: "seeds within their recipe", correlation: $0) : nil
      },
    ].compactMap { $0 }
  }

  static let columns = ["over", "ρ [95 %]", "without one", "N"]

  var cells: [String] {
    [
      units, Markdown.interval(correlation.value, correlation.low, correlation.high),
      leftOut.map {
        "\(Markdown.number($0.lowerBound)) to \(Markdown.number($0.upperBound))"
      } ?? Markdown.nothing, "\(correlation.n)",
    ]
  }
}
