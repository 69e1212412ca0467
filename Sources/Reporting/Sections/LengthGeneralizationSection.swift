import Formats
import Measures

/// K_max beside the published numbers, and the whole curves that K_max alone hides.
struct LengthGeneralizationSection: Section {
  static let kinds: Set = ["evaluate"]

  private let run: String
  private let evaluated: [EvaluatedModel]
  private let comparisons: [ComparedEvaluation]
  private let trainingMaximum: Int?
  private let curves: Curves
  private let disagreements: [DisagreementRow]
  /// The evaluations whose curves the main figure has.
  private let shown: Set<String>

  init(_ data: RunData) throws {
    run = data.run.id
    evaluated = data.evaluated
    comparisons = data.comparisons
    trainingMaximum = data.trainingMaximum
    curves = Curves(try data.ask(Curves.question(run)))
    disagreements = try data.ask(DisagreementRow.question(run)).labelled()
    shown = try MainFigure(data, ClaimsOfRun(data)).stages
  }

  var blocks: [Block] {
    let heading = Block.heading("Length generalization")
    if evaluated.isEmpty { return [heading, .paragraph("Nothing was evaluated.")] }
    return [heading] + kMaxTable + charts + everyNumber + disagreement
  }

  private var thresholds: [Double] { Set(comparisons.map(\.threshold)).sorted() }

  private var kMaxTable: [Block] {
    if thresholds.isEmpty {
      return [.paragraph("K_max was not computed: no `compare` stage finished.")]
    }
    return [
      .paragraph(
        "Trained on up to \(trainingMaximum.map(String.init) ?? "?") objects; recall threshold "
          + "\(thresholds.map { Markdown.number($0) }.joined(separator: ", ")). λ is the window load: how many labels one window "
          + "holds on average; a local model stays in distribution while λ is near what training showed. "
          + "With few tested K, K_max is the largest tested one that passes: its interval inverts a test of each K "
          + "and assumes no law. Beside it stands the last K before a fitted curve meets the threshold, which "
          + "assumes that recall falls like a logistic curve between two levels; ≥ is said where it may not fall "
          + "so far within the tested K. A model *agrees* with a published value that lies in an interval of K_max "
          + "at most \(PublishedKMax.widest) wide, and *differs* from one below the interval, or above one that ends before the largest tested K; "
          + "otherwise it is left open.\(fewPlaces)"
      ),
      .table(
        columns: [
          "model", "labelling", "mask", "K_max [95 %]", "by a fitted curve", "published",
          "N layouts", "tested K",
          "λ at K_max / largest K",
        ], rows: comparisons.map(row)),
      ComparedEvaluation.question(run).block, EvaluatedModel.question(run).block,
    ]
  }

  /// A K_max of 0 says no more than the places at the smallest K do.
  private var fewPlaces: String {
    let failing = comparisons.filter { $0.kMax.value == 0 }.compactMap { compared -> String? in
      let recall = curves[.recall, of: compared.evaluated]
      guard let k = recall.keys.filter({ $0 > 0 }).min(), let first = recall[k] else { return nil }
      return "\(Markdown.name(compared.label)) (\(Markdown.count(first.n)) at K = \(k))"
    }
    if failing.isEmpty { return "" }
    return " A K_max of 0 rests on the places requested at the smallest K: "
      + failing.joined(separator: ", ") + "."
  }

  private func row(_ compared: ComparedEvaluation) -> [String] {
    let model = compared.evaluated
    let k = compared.kMax
    let loads = curves[.windowLoad, of: model]
    let tested = curves[.recall, of: model].keys.sorted()
    func load(_ k: Int?) -> String {
      k.flatMap { loads[$0] }.map { Markdown.number($0.value, digits: 1) } ?? Markdown.nothing
    }
    return [
      Markdown.name(compared.label), model.labelling ?? "?", model.arm,
      "\(Int(k.value)) [\(Int(k.low ?? k.value)), \(Int(k.high ?? k.value))]",
      compared.kMaxFitted.map { fitted($0, upTo: tested.last) } ?? Markdown.nothing,
      published(compared, upTo: tested.last), Markdown.count(k.n),
      tested.map(String.init).joined(separator: " "),
      "\(load(Int(k.value))) / \(load(tested.last))",
    ]
  }

  /// `6 [4, 8]`; `≥ 12 [9, ≥ 12]` of tests up to 12.
  private func fitted(_ k: Estimate, upTo last: Int?) -> String {
    func text(_ value: Double) -> String {
      (Int(value) == last ? "≥ " : "") + "\(Int(value))"
    }
    return "\(text(k.value)) [\(text(k.low ?? k.value)), \(text(k.high ?? k.value))]"
  }

  private func published(_ compared: ComparedEvaluation, upTo last: Int?) -> String {
    guard let trainingMaximum,
      let published = PublishedKMax(of: compared.evaluated, trainedUpTo: trainingMaximum)
    else { return Markdown.nothing }
    return published.text(beside: compared.kMax, testedUpTo: last)
  }

  // MARK: - Curves

  private var charts: [Block] {
    let plain = evaluated.filter(\.isPlain)
    let masked = evaluated.filter { !$0.isPlain }
    var blocks: [Block] = []
    if !plain.allSatisfy({ shown.contains($0.stage) }) {
      blocks.append(
        .chart(
          name: "recall-trained.svg", chart("Recall against K, as trained", plain),
          alternative: "Location recall against the number of requested places, for each model"))
    }
    if !masked.isEmpty {
      let baselines = plain.filter { model in masked.contains { $0.model == model.model } }
      blocks.append(
        .chart(
          name: "recall-masked.svg",
          chart("Recall against K, behind masks", baselines + masked),
          alternative: "Location recall against the number of requested places, for each mask"))
    }
    return blocks
  }

  private func chart(_ title: String, _ models: [EvaluatedModel]) -> Chart {
    .lines(
      LineChart(
        title: title, xLabel: "K, requested places", yLabel: "location recall",
        series: models.map { model in
          let recall = curves[.recall, of: model]
          return LineChart.Series(
            name: model.label,
            points: recall.keys.sorted().compactMap { k in
              recall[k].map {
                LineChart.Point(x: Double(k), y: $0.value, low: $0.low, high: $0.high)
              }
            })
        }, yRange: 0...1,
        marks: trainingMaximum.map {
          [LineChart.Mark(at: Double($0), label: "largest in training")]
        } ?? [],
        levels: thresholds.map {
          LineChart.Mark(at: $0, label: "threshold \(ChartNumber.text($0))")
        }))
  }

  private var everyNumber: [Block] {
    let tables = evaluated.flatMap { model -> [Block] in
      let recall = curves[.recall, of: model]
      let solid = curves[.recallSolid, of: model]
      let precision = curves[.precision, of: model]
      let exact = curves[.exact, of: model]
      let drawn = curves[.drawn, of: model]
      let chance = curves[.recallChance, of: model]
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
