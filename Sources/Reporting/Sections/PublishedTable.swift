import Formats

/// The published table beside ours, a row a model of each kind and training range.
struct PublishedTable {
  private struct Row {
    var published: PublishedKMax
    var recipe: ComparedRecipe
  }
  private let rows: [Row]
  private let recipes: [ComparedRecipe]
  private let curves: Curves

  init(_ recipes: [ComparedRecipe], _ curves: Curves) {
    (self.recipes, self.curves) = (recipes, curves)
    rows = recipes.compactMap { recipe in
      PublishedKMax(of: recipe.model).map { Row(published: $0, recipe: recipe) }
    }
  }

  /// - Parameter all: the recipes among which are those of its kind with smaller windows.
  static func own(
    _ recipe: ComparedRecipe, among all: [ComparedRecipe], _ curves: Curves
  ) -> PublishedKMax.Own {
    func training(_ model: EvaluatedModel) -> [String?] {
      [
        model.network, model.labelling, model.training.map { "\($0.pictures)" },
        model.trainingMaximum.map(String.init),
      ]
    }
    return PublishedKMax.Own(
      kMax: recipe.kMax(curves), recallBeyond: recipe.recall(.beyond).mean,
      recallWithin: recipe.recall(.within).mean, threshold: recipe.first.threshold,
      last: recipe.recipe.points(.recall, curves).keys.max(),
      background: recipe.recall(.background).mean,
      ofSmallWindows: all.filter {
        $0.model.isPlain && $0.model.isOfOneTraining && $0.model.reach == .local
          && training($0.model) == training(recipe.model)
      }.compactMap { small in
        small.recall(.beyond).mean.map { ($0, small.recall(.background).mean) }
      })
  }

  /// Nothing for fewer than two training ranges: the table of K_max says it then.
  var blocks: [Block] {
    if Set(rows.map(\.published.trainedUpTo)).count < 2 { return [] }
    return [
      .heading("The published table", level: 3),
      .paragraph(
        "Bradley et al. 2025 (arXiv 2509.16447): the largest K to which each kind of model extrapolates, told "
          + "by eye, tested to K = 12; here by the judge. \(PublishedKMax.rule) Every network of a kind is "
          + "listed: *ordinary U-Net* was published without its details."),
      .table(
        columns: [
          "experiment", "trained on", "published", "model", "K_max [95 %]", "recall within",
          "recall beyond", "seeds", "verdict",
        ], rows: ordered),
    ]
  }

  private var ordered: [[String]] {
    PublishedKMax.Experiment.allCases.flatMap { experiment in
      PublishedKMax.ranges.flatMap { trained -> [[String]] in
        guard let published = PublishedKMax(experiment, trainedUpTo: trained) else { return [] }
        let own = rows.filter { $0.published == published }
        return own.isEmpty
          ? [cells(published) + ["not evaluated"] + Array(repeating: Markdown.nothing, count: 5)]
          : own.map { cells(published) + cells($0) }
      }
    }
  }

  private func cells(_ published: PublishedKMax) -> [String] {
    let (experiment, trained) = (published.experiment, published.trainedUpTo)
    let told =
      switch published.told {
      case .kMax(let k): "\(k)"
      case .succeeds: "succeeds"
      case .fails: "fails again"
      }
    return [
      "\(experiment.rawValue): \(experiment.about)", trained == 1 ? "1" : "1–\(trained)", told,
    ]
  }

  private func cells(_ row: Row) -> [String] {
    let own = Self.own(row.recipe, among: recipes, curves)
    func text(_ estimate: Estimate?) -> String {
      estimate.map { Markdown.interval($0) } ?? Markdown.nothing
    }
    return [
      Markdown.name(row.recipe.label), KMaxTable.text(own.kMax), text(own.recallWithin),
      text(own.recallBeyond), "\(row.recipe.members.count)",
      row.published.agreement(with: own).text,
    ]
  }
}
