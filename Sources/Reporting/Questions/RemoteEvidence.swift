import Formats
import Lineage
import Measures
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

  static func question(_ executionID: String) -> Question<TrajectoryRow> {
    Question(
      """
      SELECT k, sigma, picture, remote_own, removed, moved FROM sensitivity
      WHERE execution_id = \(Escape.sql(executionID)) AND inputs = '\(ProbeInputs.trajectory.rawValue)'
      ORDER BY k, sigma, picture
      """
    ) { row in
      TrajectoryRow(
        k: try row.integer("k"), sigma: try row.number("sigma"),
        picture: try row.integer("picture"), own: try row.number("remote_own"),
        removed: try row.number("removed"), moved: try row.number("moved"))
    }
  }
}

/// What a run has of claims about remote labels.
struct RemoteEvidence {
  let data: RunData

  private struct Member {
    var seed: String?
    var probe: ProbedModel
    var rows: [TrajectoryRow]
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
    let areShared = Set(pairs.flatMap { [$0.first.probe.seed, $0.second.probe.seed] }).count == 1
    for (mine, theirs) in pairs {
      let seed = mine.seed ?? theirs.seed
      let sides = [mine, theirs].map { RemoteRatios($0.rows, k: count, sigmas: sigmas) }
      func add(_ replicates: inout Replicates, _ statistic: @escaping ([Int]) -> Double?) {
        guard
          let value = Self.value(
            sides, of: seed, seed: mine.probe.seed, isOneOfSeveral: pairs.count > 1, statistic)
        else { return }
        replicates.values.append(value)
        replicates.areShared = areShared
      }
      add(&finding.model) { sides[0].removed($0) }
      add(&finding.against) { sides[1].removed($0) }
      add(&finding.difference) { weights in
        guard let a = sides[0].removed(weights), let b = sides[1].removed(weights) else {
          return nil
        }
        return a - b
      }
      add(&finding.modelMoved) { sides[0].moved($0) }
      add(&finding.againstMoved) { sides[1].moved($0) }
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

  /// Over the pictures that both sides share, which have one number.
  static func value(
    _ sides: [RemoteRatios], of replicate: String?, seed: UInt64, isOneOfSeveral: Bool,
    _ statistic: ([Int]) -> Double?
  ) -> Replicates.Value? {
    let count = sides.map(\.pictures).min() ?? 0
    guard count > 0, statistic([Int](repeating: 1, count: count)) != nil else { return nil }
    let bootstrap = Bootstrap(seed: seed)
    func number(_ weights: [Int]) -> Double { statistic(weights) ?? 0 }
    return Replicates.Value(
      seed: replicate,
      estimate: Estimate(
        bootstrap.interval(strata: [0..<count], count: count, n: count, number)),
      draws: isOneOfSeveral
        ? bootstrap.distribution(strata: [0..<count], count: count, number) : [])
  }
}

/// Root mean squares over pictures, relative to those of the own label, averaged over noise levels.
struct RemoteRatios {
  /// By noise level and picture.
  private var levels: [[TrajectoryRow]]

  init(_ rows: [TrajectoryRow], k: Int, sigmas: [Double]) {
    levels = sigmas.map { sigma in rows.filter { $0.k == k && $0.sigma == sigma } }
  }

  var pictures: Int { levels.map(\.count).min() ?? 0 }

  func removed(_ weights: [Int]) -> Double? { mean(weights) { $0.removed } }
  func moved(_ weights: [Int]) -> Double? { mean(weights) { $0.moved } }

  private func mean(_ weights: [Int], _ part: (TrajectoryRow) -> Double) -> Double? {
    var sum = 0.0
    for level in levels {
      var (above, below) = (0.0, 0.0)
      for (weight, row) in zip(weights, level) {
        above += Double(weight) * part(row)
        below += Double(weight) * row.own
      }
      if below <= 0 { return nil }
      sum += (above / below).squareRoot()
    }
    return levels.isEmpty ? nil : sum / Double(levels.count)
  }
}
