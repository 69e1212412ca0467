import Evaluation
import Statistics
import Workflow

/// What a run has of the masks that are said to repair.
struct RepairEvidence {
  let data: RunData
  let conditions: [ConditionsRow]
  let unpaired: [UnpairedMask]

  /// The change that one mask makes to one network.
  private struct Change {
    var seed: String?
    var recall: Estimate
    var precision: Estimate?
    /// Before and after Holm's correction over the comparison's masks.
    var p: Double?
    var pHolm: Double?
  }

  func findings(_ claims: [Claims.Repair]) throws -> [RepairFinding] {
    var findings: [RepairFinding] = []
    // Those that state their K are a family of their own: no comparison has pooled just these K.
    var own: [(index: Int, p: Double)] = []
    for (index, claim) in claims.enumerated() {
      let changes = try changes(of: claim.mask, on: claim.of, claim.counts)
      let control = try claim.control.map { try self.changes(of: $0, on: claim.of, claim.counts) }
      if claim.counts != nil, changes.count == 1, let p = changes[0].p { own.append((index, p)) }
      findings.append(
        RepairFinding(
          claim: claim, recall: replicates(changes) { $0.recall },
          precision: replicates(changes) { $0.precision },
          pHolm: changes.count == 1 ? changes[0].pHolm : nil,
          control: replicates(control ?? []) { $0.recall },
          missing: changes.isEmpty ? reason(claim) : nil))
    }
    for (test, adjusted) in zip(own, holm(own.map(\.p))) { findings[test.index].pHolm = adjusted }
    return findings
  }

  private func replicates(_ changes: [Change], _ part: (Change) -> Estimate?) -> Replicates {
    Replicates(
      changes.compactMap { change in
        part(change).map { Replicates.Value(seed: change.seed, estimate: $0) }
      })
  }

  /// One a replicate: of several evaluations of a mask the first.
  private func changes(of mask: String, on base: String, _ counts: ClosedRange<Int>?) throws
    -> [Change]
  {
    var result: [Change] = []
    for row in conditions {
      guard let intervention = row.intervention, Findings.covers(mask, intervention),
        Findings.covers(base, row.model)
      else { continue }
      let seed = StageReference(intervention)?.seed ?? StageReference(row.model)?.seed
      if result.contains(where: { $0.seed == seed }) { continue }
      let change =
        if let counts { try pooled(row, Set(counts), seed) } else {
          stored(intervention, row.model, seed)
        }
      if let change { result.append(change) }
    }
    return result
  }

  private func stored(_ intervention: String, _ base: String, _ seed: String?) -> Change? {
    let own = data.effects.filter { $0.intervention == intervention && $0.baseline == base }
    return own.first { $0.measure == EffectMeasure.recall.rawValue }.map { recall in
      Change(
        seed: seed, recall: recall.estimate,
        precision: own.first { $0.measure == EffectMeasure.precision.rawValue }?.estimate,
        p: recall.p, pHolm: recall.pHolm)
    }
  }

  private func pooled(_ row: ConditionsRow, _ counts: Set<Int>, _ seed: String?) throws -> Change? {
    guard let baseline = row.baseline(in: conditions),
      let comparison = data.compared.first(where: { $0.evaluated.executionID == row.executionID })
    else { return nil }
    let treated = try data.ask(Outcome.question(row.executionID))
    let plain = try data.ask(Outcome.question(baseline.executionID))
    if Set(treated.map(\.k)).isDisjoint(with: counts) { return nil }
    func effect(_ measure: EffectMeasure) throws -> PairedEffect {
      try pairedEffect(
        treated: treated, baseline: plain, counts: counts, measure: measure, seed: comparison.seed)
    }
    let recall = try effect(.recall)
    return Change(
      seed: seed, recall: Estimate(recall.effect),
      precision: Estimate(try effect(.precision).effect), p: recall.p, pHolm: nil)
  }

  private func reason(_ claim: Claims.Repair) -> String {
    if let known = unpaired.first(where: { Findings.covers(claim.mask, $0.intervention) }) {
      return known.reason
    }
    let isEvaluated = conditions.contains { row in
      row.intervention.map { Findings.covers(claim.mask, $0) } == true
    }
    return isEvaluated ? "none of the K that it is about was tested" : "it was not evaluated"
  }
}
