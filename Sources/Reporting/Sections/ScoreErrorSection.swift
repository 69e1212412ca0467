import Formats
import Workflow

/// How far scores are from the exact ones, where training had such conditions and where it had not.
struct ScoreErrorSection: Section {
  static let kinds: Set = ["score-error"]

  private let run: String
  private let rows: [ScoreErrorRow]
  private let levels: [ScoreErrorLevelRow]
  private let posteriors: [PosteriorRow]
  private let recalls: [String: Replicates]
  /// By the model's name.
  private let architectures: [String: String]

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(ScoreErrorRow.question(run))
    levels = try data.ask(ScoreErrorLevelRow.question(run)).labelled()
    posteriors = try data.ask(PosteriorRow.question(run))
    var recalls: [String: Replicates] = [:]
    var architectures: [String: String] = [:]
    for compared in data.compared {
      let title = compared.evaluated.title
      guard let recall = compared.value(.beyond) else { continue }
      var own = recalls[Findings.withoutSeed(title)] ?? .recalls([])
      if !own.values.contains(where: { $0.seed == recall.seed }) { own.values.append(recall) }
      recalls[Findings.withoutSeed(title)] = own
      architectures[Findings.withoutSeed(title)] = compared.evaluated.architecture
    }
    (self.recalls, self.architectures) = (recalls, architectures)
  }

  var blocks: [Block] {
    if levels.isEmpty { return [] }
    return [
      .heading("Error of the score"),
      .paragraph(
        "Is a model that does not compose one whose score is wrong where training had no such conditions? Each "
          + "denoiser D is held against the exact posterior mean D* of the law that it was trained on, at the same "
          + "noised renders: ‖D − D*‖² over ‖D* − m‖², m the mean training picture, so that 0 is exact and 1 is "
          + "as far off as the mean picture. D* is a mean over renders of the law on the condition of the asked "
          + "cells, weighted by how near each is; two halves of them give two estimates, by whose product their "
          + "own noise drops out of the error (a small one may come out below 0). *On training*: conditioners of K "
          + "labels that training has, renders of its law. *Off*: more labels than that, renders of exactly the "
          + "objects that are asked for. The mean is over the noise levels at which no K has more than half of "
          + "its inputs left out for too few renders near them."),
      .paragraph(
        "This is the error at noised renders, not at a model's own states, and squared over the whole picture, "
          + "not objects counted. Off training the exact score is that of what was asked for, which nothing in "
          + "training says: an error there says that the two differ, not why. Of a model that is told of one "
          + "object and shown more, the law that it learned has further objects beside those it is told of."
      ),
    ] + table + details
  }

  // MARK: - Over seeds

  private struct Model {
    var name: String
    var on = Replicates([])
    var off = Replicates([])
    var counts: [Int: Replicates] = [:]
    var countsOn: Set<Int> = []
  }

  /// Each without its seed, in the order of their first rows.
  private var models: [Model] {
    var models: [Model] = []
    for name in distinct(rows.map { Findings.withoutSeed($0.model) }) {
      let own = rows.filter { Findings.withoutSeed($0.model) == name }
      let areShared = Set(own.map(\.posterior)).count == 1
      func replicates(_ isIncluded: (ScoreErrorRow) -> Bool) -> Replicates {
        var values: [Replicates.Value] = []
        for row in own where isIncluded(row) {
          let seed = StageReference(row.model)?.seed
          if values.contains(where: { $0.seed == seed }) { continue }
          values.append(.init(seed: seed, estimate: row.error))
        }
        return Replicates(values, areShared: areShared)
      }
      var model = Model(name: name)
      model.on = replicates { $0.k == nil && $0.isOnTraining }
      model.off = replicates { $0.k == nil && !$0.isOnTraining }
      for k in Set(own.compactMap(\.k)) { model.counts[k] = replicates { $0.k == k } }
      model.countsOn = Set(own.filter(\.isOnTraining).compactMap(\.k))
      models.append(model)
    }
    return models
  }

  private static func text(_ replicates: Replicates?, digits: Int = 3) -> String {
    replicates?.mean.map { Markdown.interval($0, digits: digits) } ?? Markdown.nothing
  }

  private var table: [Block] {
    let models = models
    if models.isEmpty {
      return [
        .paragraph("At no noise level were enough inputs kept of every K; see each level below.")
      ]
    }
    return [
      .table(
        columns: ["model", "K on", "on training", "K off", "off training", "recall", "N layouts"],
        rows: models.map { model in
          func counts(_ isOn: Bool) -> String {
            let own = model.counts.keys.filter { model.countsOn.contains($0) == isOn }.sorted()
            return own.isEmpty ? Markdown.nothing : own.map(String.init).joined(separator: ", ")
          }
          return [
            Markdown.name(model.name), counts(true), Self.text(model.on), counts(false),
            Self.text(model.off), Self.text(recalls[model.name], digits: 2),
            Markdown.count((model.off.mean ?? model.on.mean)?.n),
          ]
        }),
      .paragraph(
        "95 % intervals: of one network by bootstrap over layouts, which are few; over seeds where there are "
          + "several. *Recall*: beyond the training range. N is the number of layouts off training, of all seeds."
      ),
    ] + correlation(models) + [
      .details(
        "The same at each number of labels",
        [
          .table(
            columns: ["model", "K", "training", "error [95 %]", "N layouts"],
            rows: models.flatMap { model in
              model.counts.sorted { $0.key < $1.key }.map { k, error in
                [
                  Markdown.name(model.name), "\(k)", model.countsOn.contains(k) ? "on" : "off",
                  Self.text(error), Markdown.count(error.mean?.n),
                ]
              }
            })
        ]), ScoreErrorRow.question(run).block,
    ]
  }

  /// Nothing for too few models.
  private func correlation(_ models: [Model]) -> [Block] {
    let found = RecipeCorrelation.all(
      models.map { model in
        RecipeCorrelation.Model(
          index: model.off, recall: recalls[model.name] ?? Replicates([]),
          kind: architectures[model.name])
      })
    if found.isEmpty { return [] }
    return [
      .paragraph(
        "Spearman's rank correlation between the error off training and recall beyond the training range, with "
          + "Bonett and Wright's 95 % interval; below 0: the smaller the error, the more a model recalls. "
          + RecipeCorrelation.legend),
      .table(columns: RecipeCorrelation.columns, rows: found.map(\.cells)),
    ]
  }

  // MARK: - Level by level

  private var details: [Block] {
    func share(_ value: Double?) -> String {
      value.map { Markdown.number($0) } ?? Markdown.nothing
    }
    return [
      .details(
        "The same at each noise level",
        [
          .table(
            columns: ["model", "K", "σ", "error [95 %]", "at objects", "left out", "N layouts"],
            rows: levels.map { row in
              [
                Markdown.name(row.label), "\(row.k)", ChartNumber.text(row.sigma),
                Markdown.interval(row.error, digits: 3), share(row.atObjects), share(row.leftOut),
                Markdown.count(row.error.n),
              ]
            }), ScoreErrorLevelRow.question(run).block,
        ]),
      .details(
        "What the exact answers rest on",
        [
          .paragraph(
            "*Effective renders*: (Σw)² / Σw² of the lesser half, median over inputs. *Noise*: the squared "
              + "distance between the halves' answers, on the scale of the errors."),
          .table(
            columns: ["posterior", "K", "σ", "effective renders", "left out", "noise"],
            rows: posteriors.map { row in
              [
                Markdown.name(row.stage), "\(row.k)", ChartNumber.text(row.sigma),
                ChartNumber.text(row.effective.rounded()), share(row.leftOut), share(row.noise),
              ]
            }), PosteriorRow.question(run).block,
        ]),
    ]
  }
}
