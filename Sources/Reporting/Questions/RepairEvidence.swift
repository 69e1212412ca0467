import Evaluation
import Statistics
import Workflow

/// What a run has of the masks that are said to repair.
struct RepairEvidence {
  let data: RunData
  let conditions: [ConditionsRow]
  let unpaired: [UnpairedMask]
  let masks: [MaskRow]
  /// What masks recall beyond each other, as it was stored.
  let contrasts: Contrasts

  /// The change that one mask makes to one network.
  private struct Change {
    var seed: String?
    /// The evaluation's own stage.
    var stage: String
    var executionID: String
    /// The evaluation without the mask.
    var plainID: String?
    var recall: Estimate
    var precision: Estimate?
    var background: Estimate?
    /// Before and after Holm's correction over the comparison's masks.
    var p: Double?
    var pHolm: Double?
    /// With the mask and without it.
    var outcomes: [Outcome]
    var plain: [Outcome]
    /// The K that were tested with and without the mask, of those that the claim is about.
    var counts: Set<Int>
    var pooled: [String]
  }

  func findings(_ claims: [Claims.Repair]) throws -> [RepairFinding] {
    var findings: [RepairFinding] = []
    // Those that state their K are a family of their own: no comparison has pooled just these K.
    var own: [(index: Int, p: Double)] = []
    for (index, claim) in claims.enumerated() {
      var chosen: [String] = []
      let changes = try changes(of: claim.mask, claim, &chosen)
      let control = try claim.control.map { try self.changes(of: $0, claim, &chosen) }
      if claim.counts != nil, changes.count == 1, let p = changes[0].p { own.append((index, p)) }
      findings.append(
        RepairFinding(
          claim: claim, recall: replicates(changes, .recall) { $0.recall },
          precision: replicates(changes, .precision) { $0.precision },
          background: replicates(changes, .background) { $0.background },
          p: changes.count == 1 ? changes[0].p : nil,
          pHolm: changes.count == 1 ? changes[0].pHolm : nil,
          control: replicates(control ?? [], .recall) { $0.recall },
          contrast: contrast(changes, control ?? [], .recall, claim.counts),
          controlBackground: replicates(control ?? [], .background) { $0.background },
          contrastBackground: contrast(changes, control ?? [], .background, claim.counts),
          reached: reached(changes), within: within(changes), withinChange: withinChange(changes),
          threshold: changes.first.flatMap { comparison($0.executionID)?.threshold },
          isControlUnequal: claim.control.map { !leaveAsMuch(claim.mask, $0) } ?? false,
          isControlRival: claim.control.map { isRival($0, of: claim.mask) } ?? false,
          counts: changes.reduce(into: Set<Int>()) { $0.formUnion($1.counts) }.sorted(),
          controlFault: claim.control.flatMap { fault(of: $0, for: claim.mask) },
          missing: changes.isEmpty ? reason(claim) : nil,
          pooled: (changes + (control ?? [])).flatMap(\.pooled), chosen: chosen))
    }
    for (test, adjusted) in zip(own, holm(own.map(\.p))) { findings[test.index].pHolm = adjusted }
    return findings
  }

  /// Recall behind the mask.
  private func reached(_ changes: [Change]) -> Replicates {
    .recalls(
      changes.compactMap { change in
        comparison(change.executionID).flatMap { own in
          recallBeyondChance(change.outcomes, counts: change.counts, seed: own.seed).map {
            Replicates.Value(
              seed: change.seed, estimate: Estimate($0),
              draws: changes.count < 2
                ? []
                : recallBeyondChanceDraws(change.outcomes, counts: change.counts, seed: own.seed))
          }
        }
      }, areShared: areShared(changes))
  }

  /// Recall without it, of K that training showed.
  private func within(_ changes: [Change]) -> Replicates {
    .recalls(
      changes.compactMap { change in
        change.plainID.flatMap(comparison)?.value(.within).map {
          Replicates.Value(
            seed: change.seed, estimate: $0.estimate, draws: changes.count < 2 ? [] : $0.draws)
        }
      }, areShared: areShared(changes))
  }

  /// What the mask changes of it.
  private func withinChange(_ changes: [Change]) -> Replicates {
    Replicates(
      changes.compactMap { change in
        comparison(change.executionID).flatMap { own in
          let counts = range(own, change.plain)
          return Estimate.difference(
            change.outcomes, change.plain, counts: counts, .recall, seed: own.seed
          ).map {
            Replicates.Value(
              seed: change.seed, estimate: $0,
              draws: changes.count < 2
                ? [] : draws(change.outcomes, change.plain, .recall, counts))
          }
        }
      }, areShared: areShared(changes))
  }

  /// The tested K of the training range.
  private func range(_ own: ComparedEvaluation, _ outcomes: [Outcome]) -> Set<Int> {
    Set(outcomes.map(\.k)).filter {
      own.isCompared($0) && $0 <= own.evaluated.trainingMaximum ?? 0
    }
  }

  /// Of several replicates with what resampled layouts make of each.
  private func replicates(
    _ changes: [Change], _ measure: EffectMeasure, _ part: (Change) -> Estimate?
  ) -> Replicates {
    let values = changes.compactMap { change in
      part(change).map { estimate in
        Replicates.Value(
          seed: change.seed, estimate: estimate,
          draws: changes.count < 2
            ? [] : draws(change.outcomes, change.plain, measure, change.counts))
      }
    }
    return Replicates(values, areShared: areShared(changes))
  }

  /// Masked less other on resampled layouts.
  private func draws(
    _ treated: [Outcome], _ other: [Outcome], _ measure: EffectMeasure, _ counts: Set<Int>
  ) -> [Double] {
    guard let seed = data.compared.first?.seed else { return [] }
    // Where they have no layout in common, what was stored has to do.
    return
      (try? pairedEffectDraws(
        treated: treated, baseline: other, counts: counts, measure: measure, seed: seed)) ?? []
  }

  /// Whether all replicates were drawn for the same layouts.
  private func areShared(_ changes: [Change]) -> Bool {
    changes.count > 1 && Set(changes.flatMap { $0.outcomes.map(\.seed) }).count == 1
  }

  /// One a replicate: of several evaluations of a mask the first.
  ///
  /// - Parameter chosen: gets the evaluations that are taken, where further ones are not.
  private func changes(
    of mask: String, _ claim: Claims.Repair, _ chosen: inout [String]
  ) throws -> [Change] {
    var result: [Change] = []
    var further = false
    for row in conditions where row.isMeant(claim.guidance) {
      guard let intervention = row.intervention,
        let replicate = data.naming.replicate(of: mask, title: intervention, stage: row.stage),
        data.naming.replicate(of: claim.of, title: row.model, stage: row.stage) != nil
      else { continue }
      if result.contains(where: { $0.seed == replicate.seed }) {
        further = true
        continue
      }
      let outcomes = try outcomes(row)
      if !outcomes.treated.haveChance { continue }
      let change =
        if let counts = claim.counts { try pooled(row, outcomes, Set(counts), replicate.seed) } else
        {
          stored(row, outcomes, replicate.seed)
        }
      if let change { result.append(change) }
    }
    if further { chosen += result.map(\.stage) }
    return result
  }

  private func stored(_ row: ConditionsRow, _ outcomes: Outcomes, _ seed: String?) -> Change? {
    let own = data.effects.filter { $0.stage == row.stage }
    guard let recall = own.first(where: { $0.measure == EffectMeasure.recall.rawValue }) else {
      return nil
    }
    let (treated, plain) = outcomes
    return Change(
      seed: seed, stage: row.stage, executionID: row.executionID,
      plainID: row.baseline(in: conditions)?.executionID, recall: recall.estimate,
      precision: own.first { $0.measure == EffectMeasure.precision.rawValue }?.estimate,
      background: own.first { $0.measure == EffectMeasure.background.rawValue }?.estimate,
      p: recall.p, pHolm: recall.pHolm, outcomes: treated, plain: plain,
      counts: Set(treated.map(\.k)).intersection(plain.map(\.k)).filter { k in
        k > trainingMaximum(row) && comparison(row.executionID)?.isCompared(k) != false
      }, pooled: pooled(row))
  }

  /// Of the model behind the mask.
  private func trainingMaximum(_ row: ConditionsRow) -> Int {
    comparison(row.executionID)?.evaluated.trainingMaximum ?? 0
  }

  /// With the mask and without it.
  private typealias Outcomes = (treated: [Outcome], plain: [Outcome])

  private func outcomes(_ row: ConditionsRow) throws -> Outcomes {
    let plain = try row.baseline(in: conditions).map {
      try data.ask(Outcome.question($0.executionID))
    }
    return (try data.ask(Outcome.question(row.executionID)), plain ?? [])
  }

  private func pooled(_ row: ConditionsRow) -> [String] {
    [row.executionID] + [row.baseline(in: conditions)?.executionID].compactMap { $0 }
  }

  private func pooled(
    _ row: ConditionsRow, _ outcomes: Outcomes, _ counts: Set<Int>, _ seed: String?
  ) throws -> Change? {
    guard let base = row.baseline(in: conditions), let comparison = comparison(row.executionID)
    else { return nil }
    let (treated, plain) = outcomes
    if Set(treated.map(\.k)).isDisjoint(with: counts) { return nil }
    func effect(_ measure: EffectMeasure) throws -> PairedEffect {
      try pairedEffect(
        treated: treated, baseline: plain, counts: counts, measure: measure, seed: comparison.seed)
    }
    let recall = try effect(.recall)
    return Change(
      seed: seed, stage: row.stage, executionID: row.executionID, plainID: base.executionID,
      recall: Estimate(recall.effect),
      precision: Estimate(try effect(.precision).effect),
      background: treated.asTheBackgroundSees == nil || plain.asTheBackgroundSees == nil
        ? nil : Estimate(try effect(.background).effect),
      p: recall.p, pHolm: nil, outcomes: treated, plain: plain,
      counts: counts.intersection(treated.map(\.k)).intersection(plain.map(\.k)),
      pooled: pooled(row))
  }

  private func comparison(_ executionID: String) -> ComparedEvaluation? {
    data.compared.first { $0.evaluated.executionID == executionID }
  }

  /// Mask less control on the same layouts and noise, a seed at a time: as it was stored, or over the K that
  /// the claim states.
  private func contrast(
    _ masks: [Change], _ controls: [Change], _ measure: EffectMeasure,
    _ stated: ClosedRange<Int>?
  ) -> Replicates {
    let areSeveral = max(masks.count, controls.count) > 1
    return Replicates(
      pairedBySeed(masks, controls, \.seed).compactMap { mask, control in
        let estimate =
          if let stated {
            comparison(mask.executionID).flatMap {
              Estimate.difference(
                mask.outcomes, control.outcomes, counts: Set(stated), measure, seed: $0.seed)
            }
          } else {
            contrasts.difference(mask.stage, control.stage, measure)
              ?? computed(mask, control, measure)
          }
        return estimate.map {
          Replicates.Value(
            seed: mask.seed ?? control.seed, estimate: $0,
            draws: areSeveral
              ? draws(
                mask.outcomes, control.outcomes, measure,
                mask.counts.intersection(control.counts)) : [])
        }
      }, areShared: areShared(masks))
  }

  /// Of what no comparison holds beside each other.
  private func computed(_ mask: Change, _ control: Change, _ measure: EffectMeasure) -> Estimate? {
    let counts = mask.counts.intersection(control.counts)
    if counts.isEmpty { return nil }
    return comparison(mask.executionID).flatMap {
      Estimate.difference(mask.outcomes, control.outcomes, counts: counts, measure, seed: $0.seed)
    }
  }

  private func reason(_ claim: Claims.Repair) -> String {
    if let known = unpaired.first(where: { isMeant(claim.mask, $0.intervention, $0.stage) }) {
      return known.reason
    }
    let evaluated = conditions.filter { isMeant(claim.mask, $0.title, $0.stage) }
    if let early = evaluated.first(where: { (try? outcomes($0).treated.haveChance) == false }) {
      return Findings.isOfBefore(early.stage)
    }
    return !evaluated.isEmpty ? "none of the K that it is about was tested" : "it was not evaluated"
  }
}
