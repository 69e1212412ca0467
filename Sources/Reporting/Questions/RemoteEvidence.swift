import Formats
import Lineage
import Measures
import Probing
import Statistics

/// A probe of a run, and which denoiser it was about.
struct ProbedModel {
  var title: String
  /// The probe's own stage.
  var stage: String
  var executionID: String
  var seed: UInt64

  static func question(_ runID: String) -> Question<ProbedModel> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS title, v.name AS stage, v.execution_id, e.seed
      FROM run_model v JOIN execution e ON e.id = v.execution_id
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'probe' ORDER BY v.position
      """
    ) { row in
      ProbedModel(
        title: try row.text("title"), stage: try row.text("stage"),
        executionID: try row.text("execution_id"),
        seed: UInt64(bitPattern: Int64(try row.integer("seed"))))
    }
  }
}

/// Squared changes at the labelled objects of one picture, at states of the denoiser's own trajectory.
struct TrajectoryRow {
  var k: Int
  var sigma: Double
  var picture: Int
  var own: Double
  var removed: Double
  var moved: Double
  /// Of the pixels outside the window, and of all of them.
  var swapped: Double
  var replaced: Double

  static func question(_ executionID: String) -> Question<TrajectoryRow> {
    Question(
      """
      SELECT k, sigma, picture, remote_own, removed, moved, swapped, replaced FROM sensitivity
      WHERE execution_id = \(Escape.sql(executionID)) AND inputs = '\(ProbeInputs.trajectory.rawValue)'
      ORDER BY k, sigma, picture
      """
    ) { row in
      TrajectoryRow(
        k: try row.integer("k"), sigma: try row.number("sigma"),
        picture: try row.integer("picture"), own: try row.number("remote_own"),
        removed: try row.number("removed"), moved: try row.number("moved"),
        swapped: try row.number("swapped"), replaced: try row.number("replaced"))
    }
  }
}

extension [TrajectoryRow] {
  var sigmas: Set<Double> { Set(map(\.sigma)) }

  func average(k: Int, sigmas: [Double]) -> RemoteAverage {
    RemoteAverage(
      levels: sigmas.map { sigma in
        filter { $0.k == k && $0.sigma == sigma }.map { row in
          var changes = RemoteChanges()
          (changes.remoteOwn, changes.removed, changes.moved) = (row.own, row.removed, row.moved)
          (changes.swapped, changes.replaced) = (row.swapped, row.replaced)
          return changes
        }
      })
  }
}

/// What a run has of claims about remote labels.
struct RemoteEvidence {
  let data: RunData
  /// As probes and comparisons stored them, over all noise levels.
  let indices: [RemoteIndexRow]
  let differences: RemoteDifferences

  init(_ data: RunData) throws {
    self.data = data
    indices = try data.ask(RemoteIndexRow.question(data.run.id))
    differences = RemoteDifferences(try data.ask(RemoteDifferenceRow.question(data.run.id)))
  }

  private struct Member {
    var seed: String?
    var probe: ProbedModel
    var rows: [TrajectoryRow]
  }

  /// Both sides of one replicate.
  private struct Pair {
    var mine: Member
    var theirs: Member
    var count: Int
    var sigmas: [Double]
    var isOneOfSeveral: Bool

    var replicate: String? { mine.seed ?? theirs.seed }
    var seed: UInt64 { mine.probe.seed }
    /// Whether these are all noise levels that both were probed at, of which numbers were stored.
    var hasAllLevels: Bool {
      [mine, theirs].allSatisfy { $0.rows.sigmas == Set(sigmas) }
    }
  }

  private func value(_ change: RemoteAverage.Change, of member: Member, _ pair: Pair)
    -> Replicates.Value?
  {
    let average = member.rows.average(k: pair.count, sigmas: pair.sigmas)
    let stored =
      pair.hasAllLevels ? indices.index(of: member.probe.stage, k: pair.count, change) : nil
    guard
      let estimate = stored ?? average.interval(change, seed: pair.seed).map(Estimate.init)
    else { return nil }
    return Replicates.Value(
      seed: pair.replicate, estimate: estimate,
      draws: pair.isOneOfSeveral ? average.draws(change, seed: pair.seed) : [])
  }

  private func difference(_ kind: Claims.Remote.Kind, _ pair: Pair) -> Replicates.Value? {
    let sides = [pair.mine, pair.theirs].map {
      $0.rows.average(k: pair.count, sigmas: pair.sigmas)
    }
    let stored =
      kind == .labels && pair.hasAllLevels
      ? differences.difference(pair.mine.probe.stage, pair.theirs.probe.stage, k: pair.count) : nil
    guard
      let estimate = stored
        ?? sides[0].difference(kind.change, from: sides[1], of: kind.other, seed: pair.seed)
        .map(Estimate.init)
    else { return nil }
    return Replicates.Value(
      seed: pair.replicate, estimate: estimate,
      draws: pair.isOneOfSeveral
        ? sides[0].differences(kind.change, from: sides[1], of: kind.other, seed: pair.seed) : [])
  }

  func findings(_ claims: [Claims.Remote]) throws -> [RemoteFinding] {
    if claims.isEmpty { return [] }
    let probes = try data.ask(ProbedModel.question(data.run.id))
    return try claims.map { try finding($0, probes) }
  }

  private func finding(_ claim: Claims.Remote, _ probes: [ProbedModel]) throws -> RemoteFinding {
    var finding = RemoteFinding(claim: claim)
    let pairs = pairedBySeed(
      try members(of: claim.model, probes), try members(of: claim.against, probes), \.seed)
    // What every probe of both has.
    func common<Value: Hashable>(_ value: (TrajectoryRow) -> Value) -> Set<Value> {
      pairs.flatMap { [$0.first, $0.second] }.map { Set($0.rows.map(value)) }
        .reduce(nil as Set<Value>?) { $0?.intersection($1) ?? $1 } ?? []
    }
    let counts = common(\.k)
    guard let count = claim.count.map({ counts.contains($0) ? $0 : nil }) ?? counts.max() else {
      return finding
    }
    let sigmas = common(\.sigma).filter { claim.sigmas?.contains($0) ?? true }.sorted()
    if sigmas.isEmpty { return finding }
    finding.count = count
    finding.sigmas = sigmas
    finding.probes = distinct(
      pairs.flatMap { [$0.first.probe.executionID, $0.second.probe.executionID] })
    let areShared = Set(pairs.flatMap { [$0.first.probe.seed, $0.second.probe.seed] }).count == 1
    for (mine, theirs) in pairs {
      let pair = Pair(
        mine: mine, theirs: theirs, count: count, sigmas: sigmas, isOneOfSeveral: pairs.count > 1)
      func add(_ value: Replicates.Value?, to replicates: inout Replicates) {
        guard let value else { return }
        replicates.values.append(value)
        replicates.areShared = areShared
      }
      add(value(claim.kind.change, of: mine, pair), to: &finding.model)
      add(value(claim.kind.other, of: theirs, pair), to: &finding.against)
      add(difference(claim.kind, pair), to: &finding.difference)
      if claim.kind != .labels { continue }
      add(value(.moved, of: mine, pair), to: &finding.modelMoved)
      add(value(.moved, of: theirs, pair), to: &finding.againstMoved)
    }
    return finding
  }

  /// One a replicate: of several probes of a denoiser the first.
  private func members(of name: String, _ probes: [ProbedModel]) throws -> [Member] {
    var result: [Member] = []
    for probe in probes {
      guard
        let replicate = data.naming.replicate(of: name, title: probe.title, stage: probe.stage),
        !result.contains(where: { $0.seed == replicate.seed })
      else { continue }
      result.append(
        Member(
          seed: replicate.seed, probe: probe,
          rows: try data.ask(TrajectoryRow.question(probe.executionID))))
    }
    return result
  }
}
