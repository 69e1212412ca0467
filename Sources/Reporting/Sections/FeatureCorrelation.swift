import Measures
import Statistics
import Workflow

/// Whether models in whose features words are local, or add up, draw more words, and pairs that training held out.
struct FeatureCorrelation {
  private struct Model {
    var name: String
    var kind: String?
    var indices: [String: Replicates] = [:]
    var results: [String: Replicates] = [:]
  }

  private var models: [Model] = []
  private let k: Int
  /// What stands against it within the training range.
  private(set) var standing: String?
  private let questions: [Block]

  private static let own = "share in the own subspace less another's"
  private static let seen = "additivity (r², seen pairs)"
  private static let heldOut = "additivity (r², held-out pairs)"
  private static let judge = "words beyond the range, by the judge"
  private static let background = "words beyond the range, by the background detector"
  private static let pairs = "held-out pairs, by the judge"

  /// Of several measurements of one model the first of the pipeline counts.
  ///
  /// - Returns: `nil` where nothing was measured that could go with anything.
  init?(_ rows: [FeatureRow], _ data: RunData) throws {
    let most = data.trainingMaximum ?? 0
    let counts = Set(rows.compactMap(\.k)).sorted()
    guard let k = counts.first(where: { $0 > most }) ?? counts.last else { return nil }
    self.k = k
    questions = [
      FeatureModelRow.question(data.run.id).block, ComparedEvaluation.question(data.run.id).block,
      AskedRow.question(data.run.id).block,
    ]
    let stages = try data.ask(FeatureModelRow.question(data.run.id))
    let asked = try data.ask(AskedRow.question(data.run.id)).compactMap(\.self)
    var counted: Set<String> = []
    for compared in data.compared
    where compared.evaluated.training?.isSnapshot != true && compared.evaluated.intervention == nil
    {
      let title = compared.evaluated.title
      guard let stage = stages.first(where: { $0.model == title })?.stage,
        counted.insert(title).inserted
      else { continue }
      let name = Labels.withoutSeed(title)
      let seed = compared.evaluated.seed
      let place = models.firstIndex { $0.name == name } ?? models.endIndex
      if place == models.endIndex {
        models.append(Model(name: name, kind: compared.evaluated.architecture))
      }
      let own = rows.filter { $0.stage == stage }
      func index(_ measure: Measure, _ isMeant: (FeatureRow) -> Bool) -> Double? {
        let values = own.filter { $0.measure == measure.name && isMeant($0) }
          .map(\.estimate.value)
        return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
      }
      func add(
        _ part: WritableKeyPath<Model, [String: Replicates]>, _ name: String, _ value: Double?
      ) {
        guard let value else { return }
        models[place][keyPath: part][name, default: Replicates([], areShared: true)].values
          .append(.init(seed: seed, estimate: Estimate(value: value)))
      }
      func share(_ measure: Measure) -> Double? {
        index(measure) { $0.k == k && $0.inputs == ProbeInputs.trajectory.rawValue }
      }
      add(
        \.indices, Self.own,
        share(.featureDiagonal).flatMap { own in share(.featureOthers).map { own - $0 } })
      add(
        \.indices, Self.seen, index(.featureAdditivity(.intervened)) { $0.attribute == "seen" })
      add(
        \.indices, Self.heldOut,
        index(.featureAdditivity(.intervened)) { $0.attribute == "held-out" })
      add(\.results, Self.judge, compared.value(.beyond)?.estimate.value)
      add(\.results, Self.background, compared.value(.background)?.estimate.value)
      let drawn = asked.filter { $0.title == title && $0.asked == .heldOut }.map(\.recall.value)
      add(
        \.results, Self.pairs,
        drawn.isEmpty ? nil : drawn.reduce(0, +) / Double(drawn.count))
    }
    if models.isEmpty { return nil }
    standing = WithinRange(data.compared).words(models.map(\.name))
  }

  private func models(_ index: String, _ result: String) -> [RecipeCorrelation.Model] {
    models.map {
      RecipeCorrelation.Model(
        index: $0.indices[index] ?? Replicates([]), recall: $0.results[result] ?? Replicates([]),
        kind: $0.kind)
    }
  }

  private static let indices = [own, seen, heldOut]
  private static let results = [judge, background, pairs]

  /// A sentence an index, by both detectors.
  var verdicts: [String] {
    [
      (
        Self.own,
        "the more of what words change lies in their own subspaces and not in others', the more words are drawn beyond the range"
      ),
      (
        Self.seen, "the better what words change adds up, the more words are drawn beyond the range"
      ),
    ].compactMap { index, what in
      RecipeCorrelation.overRecipes(models(index, Self.judge)).map { judge in
        CorrelationVerdict(
          judge: judge, background: RecipeCorrelation.overRecipes(models(index, Self.background)),
          what: what, sign: 1
        ).text + " N = \(judge.count) recipes (\(seeds))."
      }
    }
  }

  /// How many recipes have how many seeds: `2 of 3 seeds, 6 of 1`.
  private var seeds: String {
    let counts = models.map { max($0.indices[Self.own]?.values.count ?? 0, 1) }
    return Set(counts).sorted(by: >).enumerated().map { place, count in
      "\(counts.count { $0 == count }) of \(count)"
        + (place == 0 ? count == 1 ? " seed" : " seeds" : "")
    }.joined(separator: ", ")
  }

  /// Nothing for too few models.
  var blocks: [Block] {
    let rows = Self.indices.flatMap { index in
      Self.results.flatMap { result in
        RecipeCorrelation.all(models(index, result)).map { [index, result] + $0.cells }
      }
    }
    if rows.isEmpty { return [] }
    let networks = models.reduce(0) { $0 + ($1.indices[Self.own]?.values.count ?? 0) }
    return [
      .paragraph(
        "Does locality in features go with what is drawn? Spearman's rank correlation over \(networks) networks of "
          + "\(models.count) recipes, with Bonett and Wright's 95 % interval. Share and additivity are means over the "
          + "noise levels, the share at K = \(k) on the network's own way. \(RecipeCorrelation.legend)"
      )
    ] + verdicts.map(Block.paragraph) + [standing].compactMap(\.self).map(Block.paragraph) + [
      .table(columns: ["index", "recall of"] + RecipeCorrelation.columns, rows: rows)
    ] + questions
  }
}
