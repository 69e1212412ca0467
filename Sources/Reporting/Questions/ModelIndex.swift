import Evaluation
import Formats
import Lineage
import Measures
import Probing
import Statistics
import Workflow

/// How local a model is beside how well it composes: the paper's scatter.
struct ModelIndex: Hashable {
  /// Without its seed.
  var name: String
  /// The kind of its network; `nil` of what has none.
  var architecture: String?
  /// Of its training: see `EvaluatedModel.stratum`.
  var stratum: String?
  /// The effect of every remote label going at once, over that of an object's own label; none where the
  /// model was not probed.
  var remote = Replicates([], areShared: true)
  /// The same at inputs of the training law, at the most objects that all models were probed at there.
  var law = Replicates([], areShared: true)
  /// Where `remote` was taken: the effect of pixels outside the object's window being another picture's, over
  /// that of all.
  var pixels = Replicates([], areShared: true)
  /// Beyond chance, averaged over the compared K beyond the training range, by either detector.
  var recall = Replicates.recalls([])
  var background = Replicates.recalls([])
}

/// Every model of a run that was evaluated, with its index where there is one.
struct ModelIndices {
  private(set) var models: [ModelIndex] = []
  /// What the index was probed at; `nil` and none without any probe.
  let count: Int?
  let sigmas: [Double]
  /// Whether probes stored the indices, with their intervals: over these very noise levels.
  private let isStored: Bool
  /// Objects in the inputs of the training law.
  private let lawCount: Int?
  private var members: [IndexOrder.Member] = []
  private let contrasts: Contrasts
  private let differences: RemoteDifferences
  private let run: String
  private let range: WithinRange

  /// - Parameter remotes: the findings whose K and noise levels are taken, so that one model has one index
  ///   on the page; otherwise the largest K and all levels that every probe has.
  init(_ data: RunData, remotes: [RemoteFinding]) throws {
    run = data.run.id
    range = WithinRange(data.compared)
    let probes = try data.ask(ProbedModel.question(run)).map {
      (probe: $0, rows: try data.ask(TrajectoryRow.question($0.executionID)))
    }
    func titles(areSnapshots: Bool) -> Set<String> {
      Set(
        data.compared.map(\.evaluated).filter {
          ($0.training?.isSnapshot ?? false) == areSnapshots
        }.map(\.title))
    }
    let evaluated = titles(areSnapshots: false)
    let snapshots = titles(areSnapshots: true)
    // A null may be probed at less.
    let own = probes.filter { evaluated.contains($0.probe.title) }
    func common<Value: Hashable>(_ value: (TrajectoryRow) -> Value) -> Set<Value> {
      let all = own.map { Set($0.rows.map(value)) }.filter { !$0.isEmpty }
      return all.dropFirst().reduce(all.first ?? []) { $0.intersection($1) }
    }
    let found = remotes.first { $0.count != nil }
    count = found?.count ?? common(\.k).max()
    sigmas = found?.sigmas ?? common(\.sigma).sorted()
    let (count, sigmas) = (count, sigmas)
    let stored = try data.ask(RemoteIndexRow.question(run))
    isStored = !stored.isEmpty && own.allSatisfy { $0.rows.sigmas.isSubset(of: sigmas) }
    let isStored = isStored
    let laws = Dictionary(
      grouping: stored.filter { $0.inputs == .law && $0.change == .removed }, by: \.stage)
    lawCount = own.compactMap { laws[$0.probe.stage] }.map { Set($0.map(\.k)) }
      .reduce(nil as Set<Int>?) { $0?.intersection($1) ?? $1 }?.max()
    let lawCount = lawCount
    func index(_ probed: (probe: ProbedModel, rows: [TrajectoryRow])) -> Estimate? {
      guard let count else { return nil }
      if isStored { return stored.index(of: probed.probe.stage, k: count, .removed) }
      return probed.rows.average(k: count, sigmas: sigmas)
        .interval(.removed, seed: probed.probe.seed).map(Estimate.init)
    }
    contrasts = Contrasts(try data.ask(ContrastRow.question(run, .models)))
    differences = RemoteDifferences(try data.ask(RemoteDifferenceRow.question(run)))
    // Moments of a training have a section of their own.
    for compared in data.compared where compared.evaluated.training?.isSnapshot != true {
      let title = compared.evaluated.title
      let (name, seed) = (Findings.withoutSeed(title), StageReference(title)?.seed)
      let place = models.firstIndex { $0.name == name } ?? models.endIndex
      if place == models.endIndex {
        models.append(
          ModelIndex(
            name: name, architecture: compared.evaluated.architecture,
            stratum: compared.evaluated.stratum))
      }
      if models[place].recall.values.contains(where: { $0.seed == seed }) { continue }
      func add(_ part: WritableKeyPath<ModelIndex, Replicates>, _ estimate: Estimate?) {
        guard let estimate else { return }
        models[place][keyPath: part].values.append(.init(seed: seed, estimate: estimate))
      }
      models[place].recall.values += [compared.value(.beyond)].compactMap(\.self)
      models[place].background.values += [compared.value(.background)].compactMap(\.self)
      if let probed = probes.first(where: { $0.probe.title == title }) {
        members.append(
          .init(
            name: name, seed: seed, evaluation: compared.evaluated.stage, probe: probed.probe.stage)
        )
        add(\.remote, index(probed))
        add(
          \.pixels,
          count.flatMap { stored.index(of: probed.probe.stage, k: $0, .swapped) })
        add(
          \.law, laws[probed.probe.stage, default: []].first { $0.k == lawCount }?.index)
      }
    }
    // What was probed alone, such as a network that learned nothing.
    for probed in probes {
      let title = probed.probe.title
      if snapshots.contains(title) || models.contains(where: { $0.name == title }) { continue }
      guard StageReference(probed.probe.title)?.seed == nil, let value = index(probed) else {
        continue
      }
      var model = ModelIndex(name: probed.probe.title)
      model.remote.values.append(.init(seed: nil, estimate: value))
      models.append(model)
    }
  }

  /// Nothing for too few models.
  var correlation: [Block] {
    guard areProbed, let count else { return [] }
    return IndexOrder(
      members: members, contrasts: contrasts, remotes: differences, count: count
    ).blocks
      + IndexCorrelation(
        models: models, trajectory: "own trajectory, K = \(count)",
        law: lawCount.map { "training law, K = \($0)" },
        standing: range.words(models.filter { !$0.remote.isEmpty }.map(\.name))
      ).blocks
  }

  var areProbed: Bool { models.contains { !$0.remote.isEmpty } }

  /// The indices by name: as they were stored, or without their intervals, which resample the pictures of
  /// `sensitivity`.
  var printed: Block {
    isStored ? RemoteIndexRow.question(run, at: count).block : averaged.block
  }

  private struct Row: Hashable {
    var model: String
    var index: Double
  }

  private var averaged: Question<Row> {
    Question(
      """
      SELECT coalesce(intervention, model) AS model, avg(effect) AS remote_index FROM run_remote
      WHERE run_id = \(Escape.sql(run)) AND inputs = '\(ProbeInputs.trajectory.rawValue)'
      AND change = 'removed' AND k = \(count ?? 0)
      AND sigma IN (\(sigmas.map { "\($0)" }.joined(separator: ", ")))
      GROUP BY name, model, intervention ORDER BY min(position)
      """
    ) { Row(model: try $0.text("model"), index: try $0.number("remote_index")) }
  }

  // MARK: - On the page

  /// What float32 leaves of an index of 0 by construction lies below.
  static let least = 1e-5

  private var probedAt: String {
    "K = \(count ?? 0), mean over σ = \(sigmas.map(ChartNumber.text).joined(separator: ", "))"
  }

  func chart(threshold: Double?) -> Block? {
    let points = models.compactMap { model -> ScatterChart.Point? in
      guard let index = model.remote.mean, let recall = model.recall.mean else { return nil }
      func value(_ estimate: Estimate) -> ScatterChart.Value {
        .init(estimate.value, low: estimate.low, high: estimate.high)
      }
      return ScatterChart.Point(name: model.name, x: value(index), y: value(recall))
    }
    if points.isEmpty { return nil }
    return .chart(
      name: "index-recall.svg",
      .scatter(
        ScatterChart(
          title: "Recall beyond the training range against the remote locality index",
          xLabel: "remote labels' effect over that of the own label",
          yLabel: "recall beyond chance",
          points: points, least: Self.least,
          levels: threshold.map {
            [LineChart.Mark(at: $0, label: "threshold \(ChartNumber.text($0))")]
          } ?? [])),
      alternative:
        "Recall beyond the training range against the remote locality index, a mark a model")
  }

  /// The numbers of the scatter.
  var table: [Block] {
    if models.allSatisfy(\.recall.isEmpty) { return [] }
    func text(_ replicates: Replicates, digits: Int = 2) -> String {
      replicates.mean.map { Markdown.interval($0, digits: digits) } ?? Markdown.nothing
    }
    let isSeen = models.contains { !$0.background.isEmpty }
    func row(_ model: ModelIndex) -> [String] {
      [Markdown.name(model.name)] + (areProbed ? [text(model.remote, digits: 3)] : [])
        + [text(model.recall)] + (isSeen ? [text(model.background)] : [])
        + [model.recall.counted]
    }
    let index =
      areProbed
      ? "*Remote index*: on its own way to pictures of \(probedAt), how much the output at an object "
        + "changes when every label remote to it goes at once, over what its own label changes. "
      : ""
    return [
      .paragraph(
        index + "*Recall*: beyond the training range. \(RecallFinding.estimand)"),
      .table(
        columns: ["model"] + (areProbed ? ["remote index"] : []) + ["recall (judge)"]
          + (isSeen ? ["recall (background)"] : []) + ["N layouts"], rows: models.map(row)),
    ]
  }
}
