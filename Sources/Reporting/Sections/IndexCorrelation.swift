import Formats
import Statistics

/// Whether models whose index is low recall more: over recipes, within them, and without each of them.
struct IndexCorrelation {
  let models: [ModelIndex]
  /// At what each index was probed, in words.
  let trajectory: String
  let law: String?
  /// What stands against it within the training range.
  var standing: String?

  private typealias Part = KeyPath<ModelIndex, Replicates>

  private enum Detector: String, CaseIterable {
    case judge
    case background

    var recall: Part { self == .judge ? \.recall : \.background }
  }

  private func pairs(_ index: Part, _ detector: Detector) -> [RecipeCorrelation.Model] {
    models.map {
      RecipeCorrelation.Model(
        index: $0[keyPath: index], recall: $0[keyPath: detector.recall], kind: $0.architecture,
        stratum: $0.stratum)
    }
  }

  private func rows(_ index: Part, _ words: String) -> [[String]] {
    Detector.allCases.flatMap { detector in
      RecipeCorrelation.all(pairs(index, detector)).map { [words, detector.rawValue] + $0.cells }
    }
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
          + "on remote labels, or on pixels outside the object's window, the more it recalls. A recipe is a model "
          + "without its seed. \(RecipeCorrelation.legend)"),
      .table(columns: ["index", "recall by"] + RecipeCorrelation.columns, rows: rows),
    ]
      + [
        verdict(\.remote, "a smaller remote index goes with more recall"),
        verdict(\.pixels, "less of pixels outside the window goes with more recall"),
        standing.map(Block.paragraph),
      ].compactMap(\.self)
  }

  /// What both detectors show over recipes, and on which kind of network it rests.
  private func verdict(_ index: Part, _ what: String) -> Block? {
    let found = Detector.allCases.map { RecipeCorrelation.overRecipes(pairs(index, $0)) }
    guard let judge = found[0] else { return nil }
    return .paragraph(
      CorrelationVerdict(judge: judge, background: found[1], what: what, sign: -1).text)
  }
}
