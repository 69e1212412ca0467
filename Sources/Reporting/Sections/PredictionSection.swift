import Formats
import Statistics

/// Which order of denoisers was written down from their probes, and which came out.
struct PredictionSection: Section {
  static let kinds: Set = ["predict"]

  private struct Model {
    /// Without its seed.
    var name: String
    var rank: Double
    var recall: Estimate
    var seed: String?
  }
  private struct Prediction {
    var name: String
    var first: PredictionRow
    /// What was evaluated after it was written.
    var models: [Model]
    /// How many had been evaluated before, and how many never were.
    var before: Int
    var never: Int
  }
  private let predictions: [Prediction]
  private let questions: [Block]

  init(_ data: RunData) throws {
    let run = data.run.id
    let rows = try data.ask(PredictionRow.question(run))
    let beginnings = Dictionary(
      try data.ask(BeginningRow.question(run)).map { ($0.executionID, $0.startedAt) },
      uniquingKeysWith: { first, _ in first })
    predictions = distinct(rows.map(\.prediction)).compactMap { name in
      let own = rows.filter { $0.prediction == name }
      guard let first = own.first else { return nil }
      var prediction = Prediction(name: name, first: first, models: [], before: 0, never: 0)
      for row in own {
        let compared = data.compared.first { $0.evaluated.title == row.title }
        guard let compared, let recall = compared.recallBeyond,
          let began = beginnings[compared.evaluated.executionID]
        else {
          prediction.never += 1
          continue
        }
        // Of one second nobody can tell; times are ISO 8601, which sort as they are.
        if began <= row.writtenAt {
          prediction.before += 1
          continue
        }
        prediction.models.append(
          Model(
            name: Labels.withoutSeed(row.title), rank: row.rank, recall: recall,
            seed: compared.evaluated.seed))
      }
      return prediction
    }
    questions =
      rows.isEmpty
      ? [] : [PredictionRow.question(run).block, BeginningRow.question(run).block]
  }

  var blocks: [Block] {
    let heading = Block.heading("What was predicted")
    if predictions.isEmpty { return [heading, .paragraph("Nothing was predicted.")] }
    return [heading] + predictions.flatMap(blocks) + questions
  }

  private func blocks(_ prediction: Prediction) -> [Block] {
    let first = prediction.first
    var text =
      "\(Markdown.name(prediction.name)) wrote down at \(Markdown.escape(first.writtenAt)), from the remote index at "
      + "K = \(first.k) (\(Markdown.escape(first.inputs)) inputs), which model is to recall more than which: the "
      + "smaller the index, the more. "
    if prediction.before > 0 {
      text +=
        "**\(prediction.before) were evaluated before it was written and do not count.** "
    }
    if prediction.never > 0 { text += "\(prediction.never) were not evaluated. " }
    let recipes = distinct(prediction.models.map(\.name)).map { name in
      let own = prediction.models.filter { $0.name == name }
      return (
        name: name, rank: own.map(\.rank).reduce(0, +) / Double(own.count),
        recall: Replicates(
          own.map { .init(seed: $0.seed, estimate: $0.recall) }, areShared: true
        ).mean, seeds: own.count
      )
    }
    text += told(
      "models", prediction.models.map { (-$0.rank, $0.recall.value) })
    if recipes.count < prediction.models.count {
      text += told(
        "recipes, each the mean of its seeds",
        recipes.compactMap { recipe in recipe.recall.map { (-recipe.rank, $0.value) } })
    }
    if prediction.models.isEmpty { return [.paragraph(text)] }
    return [
      .paragraph(text),
      .table(
        columns: ["model", "predicted place", "recall beyond [95 %]", "seeds"],
        rows: recipes.sorted { $0.rank < $1.rank }.map { recipe in
          [
            Markdown.name(recipe.name), Markdown.number(recipe.rank, digits: 1),
            recipe.recall.map { Markdown.interval($0) } ?? Markdown.nothing, "\(recipe.seeds)",
          ]
        }),
    ]
  }

  private func told(_ units: String, _ pairs: [(Double, Double)]) -> String {
    guard let found = RankCorrelation(pairs.map(\.0), pairs.map(\.1)) else {
      return
        "Over \(pairs.count) \(units) no correlation is told (at least \(RankCorrelation.fewest)). "
    }
    let verdict =
      found.low > 0
      ? "the prediction holds" : found.high < 0 ? "the prediction is reversed" : "not shown"
    return "Over \(found.n) \(units): ρ of the predicted order with the measured one "
      + "\(Markdown.interval(found.value, found.low, found.high)) (1: as predicted), **\(verdict)**. "
  }
}
