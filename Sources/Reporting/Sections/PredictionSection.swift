import Formats
import Statistics

/// Which order of denoisers was written down from their probes, and which came out.
struct PredictionSection: Section {
  static let kinds: Set = ["predict"]

  private struct Model {
    /// Without its seed.
    var name: String
    var rank: Double
    /// Beyond the training range.
    var recall: Replicates.Value
    /// As the background detector sees it.
    var background: Replicates.Value?
    /// The kind of its network; `nil` where it has none.
    var kind: String?
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
        guard let compared, let recall = compared.value(.beyond),
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
            background: compared.value(.background), kind: compared.evaluated.architecture))
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
    if prediction.models.isEmpty { return [.paragraph(text)] }
    let recipes = distinct(prediction.models.map(\.name)).map { name in
      Recipe(name: name, models: prediction.models.filter { $0.name == name })
    }
    let (judge, background) = (found(recipes, \.recall), found(recipes, \.background))
    if let own = judge.last {
      text +=
        CorrelationVerdict(
          judge: own, background: background.last,
          what: "recall falls in the order that was predicted", sign: 1
        ).text
    } else {
      text +=
        "Of \(recipes.count) recipes no correlation is told (at least \(RankCorrelation.fewest))."
    }
    let rows =
      judge.map { ["judge"] + $0.cells } + background.map { ["background"] + $0.cells }
    return [
      .paragraph(text),
      .paragraph(
        "ρ of the predicted order with the measured one, 1: as predicted. \(RecipeCorrelation.legend)"
      ),
      .table(columns: ["recall by"] + RecipeCorrelation.columns, rows: rows),
      .table(
        columns: [
          "model", "predicted place", "recall beyond (judge)", "recall beyond (background)",
          "seeds",
        ],
        rows: recipes.sorted { $0.rank < $1.rank }.map { recipe in
          [
            Markdown.name(recipe.name), Markdown.number(recipe.rank, digits: 1),
            interval(recipe.recall), interval(recipe.background), "\(recipe.models.count)",
          ]
        }),
    ]
  }

  private func interval(_ recall: Replicates) -> String {
    recall.mean.map { Markdown.interval($0) } ?? Markdown.nothing
  }

  /// Models without their seed.
  private struct Recipe {
    var name: String
    var models: [Model]

    /// The mean place of its seeds.
    var rank: Double { models.map(\.rank).reduce(0, +) / Double(models.count) }
    var recall: Replicates { .recalls(models.map(\.recall)) }
    var background: Replicates { .recalls(models.compactMap(\.background)) }
  }

  /// Over models and, where some have several seeds, over recipes, which come last; of too few nothing.
  private func found(_ recipes: [Recipe], _ recall: KeyPath<Recipe, Replicates>)
    -> [RecipeCorrelation]
  {
    let models = recipes.flatMap { recipe in
      zip(recipe.models, recipe[keyPath: recall].values).map {
        (x: -$0.rank, y: $1.estimate.value, kind: $0.kind)
      }
    }
    let means = recipes.compactMap { recipe in
      recipe[keyPath: recall].mean.map {
        (x: -recipe.rank, y: $0.value, kind: recipe.models.first?.kind)
      }
    }
    return [
      models.count > recipes.count ? RecipeCorrelation("models", models) : nil,
      RecipeCorrelation("recipes, each the mean of its seeds", means),
    ].compactMap(\.self)
  }
}
