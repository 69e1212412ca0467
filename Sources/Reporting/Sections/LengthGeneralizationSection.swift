import Formats
import Measures

/// K_max beside the published numbers, and the whole curves that K_max alone hides.
struct LengthGeneralizationSection: Section {
  static let kinds: Set = ["evaluate"]

  private let run: String
  private let isAny: Bool
  /// What was evaluated, but for moments of trainings, which have a section of their own.
  private let evaluated: [EvaluatedRecipe]
  private let recipes: [ComparedRecipe]
  private let curves: Curves
  private let disagreements: [DisagreementRow]
  /// The evaluations whose curves the main figure has.
  private let shown: Set<String>
  private let requested: Requested

  init(_ data: RunData) throws {
    run = data.run.id
    isAny = !data.evaluated.isEmpty
    evaluated = EvaluatedRecipe.all(data.evaluated.filter { $0.training?.isSnapshot != true })
    recipes = ComparedRecipe.all(data.comparisons).filter {
      $0.model.training?.isSnapshot != true
    }
    curves = data.curves
    disagreements = DisagreementRow.overSeeds(
      try data.ask(DisagreementRow.question(run)).labelled())
    requested = data.requested
    shown = try MainFigure(data, ClaimsOfRun(data)).stages
  }

  var blocks: [Block] {
    let heading = Block.heading("Length generalization")
    if !isAny { return [heading, .paragraph("Nothing was evaluated.")] }
    return [heading] + KMaxTable(recipes: recipes, curves: curves).blocks
      + (recipes.isEmpty
        ? [] : [ComparedEvaluation.question(run).block, EvaluatedModel.question(run).block])
      + PublishedTable(recipes, curves).blocks + charts + everyNumber + disagreement
  }

  // MARK: - Curves

  private var charts: [Block] {
    let plain = evaluated.filter(\.first.isPlain)
    let masked = evaluated.filter { !$0.first.isPlain }
    let isShown = plain.allSatisfy { $0.members.allSatisfy { shown.contains($0.stage) } }
    let baselines = plain.filter { model in
      masked.contains { $0.first.model == model.first.model }
    }
    return
      (isShown
      ? []
      : charts(
        "recall-trained", "Recall against K, as trained", plain,
        "\(requested.alternative), for each model"))
      + charts(
        "recall-masked", "Recall against K, behind masks", masked, beside: baselines,
        "\(requested.alternative), for each mask")
  }

  /// - Parameter others: what has a line in each.
  private func charts(
    _ name: String, _ title: String, _ models: [EvaluatedRecipe],
    beside others: [EvaluatedRecipe] = [], _ alternative: String
  ) -> [Block] {
    models.parts.enumerated().map { index, part in
      .chart(
        name: "\(name)\(index == 0 ? "" : "-\(index + 1)").svg", chart(title, others + part),
        alternative: alternative)
    }
  }

  private func chart(_ title: String, _ models: [EvaluatedRecipe]) -> Chart {
    .lines(
      LineChart(
        title: title, xLabel: "K, \(requested.things)", yLabel: requested.recall,
        series: models.map { model in
          LineChart.Series(
            name: model.label,
            points: model.points(.recall, curves).sorted { $0.key < $1.key }.map {
              LineChart.Point(
                x: Double($0.key), y: $0.value.value, low: $0.value.low, high: $0.value.high)
            })
        }, yRange: 0...1,
        marks: Set(models.compactMap(\.first.trainingMaximum)).sorted().map {
          LineChart.Mark(at: Double($0), label: "largest in training")
        },
        levels: Set(recipes.map(\.first.threshold)).sorted().map {
          LineChart.Mark(at: $0, label: "threshold \(ChartNumber.text($0))")
        }))
  }

  private var everyNumber: [Block] {
    let tables = evaluated.flatMap { model -> [Block] in
      let recall = model.points(.recall, curves)
      let solid = model.points(.recallSolid, curves)
      let precision = model.points(.precision, curves)
      let exact = model.points(.exact, curves)
      let drawn = model.points(.drawn, curves)
      let chance = model.points(.recallChance, curves)
      return [
        .heading(Markdown.name(model.label), level: 4),
        .table(
          columns: [
            "K", "recall", "by chance", "solid", "places", "precision", "exact", "drawn", "layouts",
          ],
          rows: drawn.keys.sorted().map { k in
            [
              "\(k)", text(recall[k]), text(chance[k]), text(solid[k]),
              Markdown.count(recall[k]?.n),
              text(precision[k]),
              text(exact[k]), text(drawn[k]), Markdown.count(drawn[k]?.n),
            ]
          }),
      ]
    }
    return [
      .details(
        "Every number: recall, what other layouts would have met by chance, recall by solid finds, precision, exact layouts, objects drawn",
        tables + [
          .paragraph(
            "Under `single` the training pictures hold objects without a label, so more objects than "
              + "requested are in distribution: recall is the primary measure there."),
          Curves.question(run).block,
        ])
    ]
  }

  private func text(_ estimate: Estimate?) -> String {
    estimate.map { Markdown.interval($0) } ?? Markdown.nothing
  }

  // MARK: - The two detectors

  /// Recall by the two detectors may differ by so much, beyond what their calibrations explain.
  private static let margin = 0.05

  private var disagreement: [Block] {
    if disagreements.isEmpty { return [] }
    let query = DisagreementRow.question(run).block
    let large = disagreements.filter { $0.largest > Self.margin }
    if large.isEmpty {
      return [
        .paragraph(
          "The judge and the background-difference detector agree on recall within "
            + "\(Markdown.number(Self.margin)) everywhere, once each one's own recall on renders is "
            + "taken out."), query,
      ]
    }
    return [
      .paragraph(
        "**The two detectors disagree** on recall by more than \(Markdown.number(Self.margin)), beyond "
          + "what their calibrations on renders explain. The plain detector may miss soft or pale "
          + "objects and merge those that touch; the samples show which of the two to believe."),
      .table(
        columns: ["model", "largest difference of recall", "mean over K", "tested K"],
        rows: large.map {
          [
            Markdown.name($0.label), Markdown.number($0.largest), Markdown.number($0.mean),
            "\($0.tested)",
          ]
        }), query,
    ]
  }
}
