import Formats
import Lineage
import Statistics

/// How far a study with `replicate` is, from the store's metrics.
package struct ReplicateStanding: Sendable, Hashable {
  /// An interval that shall be narrow.
  package struct Spread: Sendable, Hashable {
    /// The instance without its seed; with the evaluation that it treats where it gathers several.
    package var name: String
    /// `nil` where nothing can be told of it yet.
    package var interval: Interval?
    /// Of the replicates' own values; `nil` for what a gathering stage pooled.
    package var deviation: Double?
    /// How wide it stays with any number of replicates, because they share their layouts; an upper bound, for
    /// of stored intervals nobody knows how much they have in common. `nil` where each has its own.
    package var widthByLayouts: Double?
    /// Replicates, or what the gathering stage counted.
    package var n: Int?

    package var width: Double { interval.map { $0.high - $0.low } ?? .infinity }

    fileprivate init(_ name: String, pooled row: Row, low: Double, high: Double) {
      self.name = name
      n = row.n
      interval = Interval(value: row.value, low: low, high: high, n: row.n ?? 0)
    }

    /// The mean over replicates, never narrower than their own intervals make it: those that happen to
    /// agree have no interval of width 0. Where none has an interval of its own and all agree, nothing is
    /// known of the spread.
    fileprivate init(_ name: String, replicates: [Row]) {
      // One seed of all: what measured them drew the same.
      let areShared = Set(replicates.map(\.seed)).count == 1
      self.name = name
      n = replicates.count
      let mean = overSeeds(
        replicates.map { SeedValue($0.value, low: $0.low, high: $0.high, layouts: $0.n) },
        areShared: areShared)
      guard let mean, !mean.isDegenerate else { return }
      deviation = mean.deviation
      if areShared { widthByLayouts = mean.widthByLayouts }
      interval = Interval(
        value: mean.value, low: mean.low, high: mean.high, n: replicates.count)
    }
  }

  package var replication: Replication
  /// The widest first; never empty.
  package var spreads: [Spread]

  package var isNarrowEnough: Bool {
    replication.count >= Replication.fewest
      && spreads.allSatisfy { $0.width <= replication.until.width }
  }
  /// Whether a further run adds a replicate.
  package var grows: Bool { !isNarrowEnough && replication.count < replication.to }

  /// - Throws: `WorkflowError.invalid` when no stage has the metric; the pipeline's file is at fault.
  init(_ replication: Replication, plan: Plan, store: Store) throws {
    let made = plan.steps.compactMap { step -> Made? in
      guard case .reuse(let execution) = step.decision else { return nil }
      return Made(
        reference: StageReference(
          stage: step.instance.stage, bindings: step.instance.bindings), execution: execution)
    }
    self.init(replication, spreads: try Self.spreads(replication.until, made, store))
    if spreads.isEmpty {
      let known = try store.texts("SELECT DISTINCT name FROM metric ORDER BY name")
      throw WorkflowError.invalid(
        file: plan.pipeline.path,
        problems: [
          PipelineProblem(
            position: replication.until.position, path: "replicate.until.metric",
            fault: .unknownMetric(
              replication.until.metric, k: replication.until.k, known: known))
        ])
    }
  }

  /// How far the replicates of a run were, from what the store has of it; `nil` for a run without any, or one
  /// that did not finish.
  package init?(of run: RunRecord, store: Store) throws {
    let made = run.stages.compactMap { stage -> Made? in
      guard let reference = StageReference(stage.name), let execution = stage.executionID,
        ["executed", "reused"].contains(stage.status)
      else { return nil }
      return Made(reference: reference, execution: execution)
    }
    guard made.count == run.stages.count,
      let replication = Replication(
        source: run.source, seed: run.seed, stages: made.map(\.reference))
    else { return nil }
    self.init(replication, spreads: try Self.spreads(replication.until, made, store))
    if spreads.isEmpty { return nil }
  }

  private init(_ replication: Replication, spreads: [Spread]) {
    self.replication = replication
    self.spreads = spreads.sorted { ($1.width, $0.name) < ($0.width, $1.name) }
  }

  /// `3 of at most 10 replicates; recall at k = 9: …`
  package var text: String {
    let target = replication.until
    let what = target.metric + (target.k.map { " at k = \($0)" } ?? "")
    let widest = spreads[0]
    let end =
      isNarrowEnough
      ? "narrow enough"
      : grows
        ? (replication.count < Replication.fewest ? "\(Replication.fewest) at least: " : "")
          + "the next run adds one" : "not narrow enough, but all are made"
    return "\(replication.count) of at most \(replication.to) replicates; \(what): the widest"
      + " 95 % interval is \(short(widest.width)) wide (`\(widest.name)`, n = \(widest.n.map(String.init) ?? "not told")), wanted"
      + " \(short(target.width)): \(end)"
      + (isNarrowEnough || (widest.widthByLayouts ?? 0) <= target.width
        ? ""
        : "; layouts, which all replicates share, make up to \(short(widest.widthByLayouts ?? 0)) of it: replicates"
          + " alone may not narrow it enough, more `layouts` do")
  }

  private func short(_ value: Double) -> String {
    value.isFinite ? plain((value * 1e4).rounded() / 1e4) : "infinitely"
  }

  // MARK: - From the store

  /// A stage that has finished.
  private struct Made {
    var reference: StageReference
    var execution: String
  }

  fileprivate struct Row {
    var value: Double
    var low: Double?
    var high: Double?
    var n: Int?
    /// Of the stage that made what it is about, or measured it.
    var seed: Int
    /// The artifact that it is about.
    var subject: String?
    /// Which of several things it is of.
    var category: String
  }

  private static func spreads(
    _ target: Replication.Target, _ made: [Made], _ store: Store
  ) throws -> [Spread] {
    var values: [String: [Row]] = [:]
    var pooled: [Spread] = []
    let groups = try groupsByOutput(made, store)
    for stage in made where target.stage == nil || stage.reference.stage == target.stage {
      let rows = try rows(target, stage.execution, store)
      if let group = group(stage.reference) {
        for row in rows {
          let several = "\(group) \(row.subject ?? row.category)"
          values[rows.count == 1 ? group : several, default: []].append(row)
        }
        continue
      }
      for row in rows {
        // What a gathering stage says of one replicate's result counts as that replicate's.
        if let subject = row.subject, let group = groups[subject] {
          values["\(stage.reference.name) of \(group)", default: []].append(row)
        } else if let low = row.low, let high = row.high {
          pooled.append(Spread(stage.reference.name, pooled: row, low: low, high: high))
        }
      }
    }
    return pooled + values.map { Spread($0.key, replicates: $0.value) }
  }

  /// The instance without its seed; `nil` for one that all replicates share.
  private static func group(_ instance: StageReference) -> String? {
    let others = instance.bindings.filter { $0.axis != Replication.axis }
    if others.count == instance.bindings.count { return nil }
    return StageReference(stage: instance.stage, bindings: others).name
  }

  /// Which group's replicate made a file; files that several replicates made are left out.
  private static func groupsByOutput(_ made: [Made], _ store: Store) throws -> [String: String] {
    var makers: [String: [String]] = [:]
    for stage in made {
      guard let group = group(stage.reference) else { continue }
      for hash in try store.texts(
        "SELECT sha256 FROM execution_output WHERE execution_id = ?", [.text(stage.execution)])
      {
        makers[hash, default: []].append(group)
      }
    }
    return makers.compactMapValues { $0.count == 1 ? $0[0] : nil }
  }

  /// The rows of the metric at the `k` that was named and at no other condition: no points of a curve.
  private static func rows(
    _ target: Replication.Target, _ execution: String, _ store: Store
  ) throws -> [Row] {
    let dimensions = store.vocabulary.dimensions
    let conditions = dimensions.filter { $0.role == .condition || $0.role == .axis }
      .map { "\"\($0.name)\" IS \($0.name == Replication.Target.condition ? "?" : "NULL")" }
    // A value is of one of several things in one way at most.
    let categories = dimensions.filter { $0.role == .category }.map { "\"\($0.name)\"" }
    let found = try store.rows(
      """
      SELECT value, ci_low, ci_high, n, subject,
        coalesce(
          (SELECT min(e.seed) FROM execution_output o JOIN execution e ON e.id = o.execution_id
            WHERE o.sha256 = subject),
          (SELECT e.seed FROM execution e WHERE e.id = execution_id)) AS measured_by,
        coalesce(\((categories + ["''", "''"]).joined(separator: ", "))) AS category
      FROM metric
      WHERE \((["execution_id = ?", "name = ?"] + conditions).joined(separator: " AND "))
      """,
      [.text(execution), .text(target.metric)]
        + (conditions.contains { $0.hasSuffix("?") }
          ? [target.k.map { .integer(Int64($0)) } ?? .null] : []))
    return try found.map { row in
      Row(
        value: try row.number("value"), low: try row.optionalNumber("ci_low"),
        high: try row.optionalNumber("ci_high"), n: try row.optionalInteger("n"),
        seed: try row.integer("measured_by"), subject: try row.optionalText("subject"),
        category: try row.text("category"))
    }
  }
}

extension Pipeline {
  /// A pipeline's file with as many replicates as the next run shall bring up to date: `from` at
  /// first; then, as long as the interval is too wide, one more than are finished.
  ///
  /// - Parameters:
  ///   - store: `nil` when there is none yet.
  ///   - read: the pipeline for a number of replicates, `nil` for `from`.
  package static func growing(
    store: Store?, read: (_ replicates: Int?) throws -> Pipeline
  ) throws -> Pipeline {
    let first = try read(nil)
    guard let replication = first.replication else { return first }
    // Read in any case: what does not expand to all replicates is refused before the first.
    let whole = try read(replication.to)
    guard let store else { return first }
    let finished = try finishedReplicates(whole, store)
    if finished < replication.from { return first }
    let current = try read(finished)
    guard let standing = try current.standing(store: store), standing.grows else { return current }
    return try read(finished + 1)
  }

  /// How far the replicates are; `nil` without any, or while some stage has still to run.
  package func standing(store: Store) throws -> ReplicateStanding? {
    guard let replication else { return nil }
    let plan = try Plan(self, store: store)
    if plan.steps.contains(where: \.runs) { return nil }
    return try ReplicateStanding(replication, plan: plan, store: store)
  }

  /// How many of the first replicates have all of their stages in the store.
  private static func finishedReplicates(_ whole: Pipeline, _ store: Store) throws -> Int {
    let labels = whole.replication?.labels ?? []
    var unfinished: Set<String> = []
    for step in try Plan(whole, store: store).steps where step.runs {
      for binding in step.instance.bindings where binding.axis == Replication.axis {
        unfinished.insert(binding.label)
      }
    }
    return labels.firstIndex { unfinished.contains($0) } ?? labels.count
  }
}
