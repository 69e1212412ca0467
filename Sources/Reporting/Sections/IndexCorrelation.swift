import Formats
import Statistics

/// Whether models whose index is low recall more: over recipes, within them, and without each of them.
struct IndexCorrelation {
  let models: [ModelIndex]
  /// At what each index was probed, in words.
  let trajectory: String
  let law: String?

  private struct Row {
    var index: String
    var units: String
    var correlation: RankCorrelation
    var leftOut: ClosedRange<Double>?
  }

  private typealias Part = KeyPath<ModelIndex, Replicates>

  private func rows(_ index: Part, _ words: String) -> [Row] {
    let recipes = models.compactMap { model -> (x: Double, y: Double)? in
      guard let x = model[keyPath: index].mean, let y = model.recall.mean else { return nil }
      return (x.value, y.value)
    }
    let (x, y) = (recipes.map(\.x), recipes.map(\.y))
    let seeds = models.map { model in
      model[keyPath: index].paired(with: model.recall)
        .map { (x: $0.first.estimate.value, y: $0.second.estimate.value) }
    }
    return [
      RankCorrelation(x, y).map {
        Row(
          index: words, units: "recipes, each the mean of its seeds", correlation: $0,
          leftOut: RankCorrelation.leavingOneOut(x, y))
      },
      RankCorrelation(groups: seeds).flatMap {
        seeds.contains { $0.count > 1 }
          ? Row(index: words, units: "seeds within their recipe", correlation: $0) : nil
      },
    ].compactMap { $0 }
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
        columns: ["index", "over", "ρ [95 %]", "without one", "N"],
        rows: rows.map { row in
          let found = row.correlation
          return [
            row.index, row.units, Markdown.interval(found.value, found.low, found.high),
            row.leftOut.map {
              "\(Markdown.number($0.lowerBound)) to \(Markdown.number($0.upperBound))"
            } ?? Markdown.nothing, "\(found.n)",
          ]
        }),
    ]
  }
}
