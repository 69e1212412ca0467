import Evaluation
import Statistics
import Workflow

/// Looks up in the store what a run has of its claims.
struct Findings {
  let claims: Claims
  let areStated: Bool
  let isAboutMachines: Bool
  let verdict: Verdict
  /// Masked evaluations that have no effect, with the reason.
  let unpaired: [UnpairedMask]
  /// What was asked for the verdict.
  let questions: [Block]

  init(_ data: RunData) throws {
    let conditions = try data.ask(ConditionsRow.question(data.run.id))
    unpaired = UnpairedMask.all(conditions, effects: data.effects)
    let basis = try ClaimsOfRun(data)
    let (claims, areStated) = (basis.claims, basis.areStated)
    self.claims = claims
    self.areStated = areStated
    isAboutMachines = basis.isAboutMachines
    let differences = Contrasts(try data.ask(ContrastRow.question(data.run.id, .models)))
    var verdict = Verdict(
      recalls: try claims.recalls.map { try Self.finding($0, data, conditions, differences) },
      // What was derived and not probed is no claim.
      locals: try Self.locals(claims.locals, data).filter {
        areStated || !$0.model.isEmpty && !$0.against.isEmpty
      },
      remotes: try RemoteEvidence(data).findings(claims.remotes),
      repairs: try RepairEvidence(
        data: data, conditions: conditions, unpaired: unpaired, masks: basis.masks,
        contrasts: Contrasts(try data.ask(ContrastRow.question(data.run.id, .masks)))
      ).findings(claims.repairs),
      gaps: basis.gaps,
      identicalShare: try data.ask(IdentityRow.question(data.run.id)).map(\.share).min())
    // What is derived says nothing beforehand.
    if areStated { try ClaimsHistory(data).complete(&verdict, claims) }
    self.verdict = verdict
    questions = try Self.questions(verdict, data)
  }

  private static func questions(_ verdict: Verdict, _ data: RunData) throws -> [Block] {
    let run = data.run.id
    var blocks = ClaimsHistory.questions(run)
    if !verdict.recalls.isEmpty || !verdict.repairs.isEmpty {
      blocks += [EvaluatedModel.question(run).block, ComparedEvaluation.question(run).block]
      blocks.append(ConditionsRow.question(run).block)
    }
    if !verdict.recalls.isEmpty { blocks.append(ContrastRow.question(run, .models).block) }
    if !verdict.locals.isEmpty { blocks.append(LocalityRow.question(run).block) }
    if !verdict.remotes.isEmpty {
      blocks.append(ProbedModel.question(run).block)
      blocks += [RemoteIndexRow.question(run).block, RemoteDifferenceRow.question(run).block]
      blocks += Question.blocks(
        try data.ask(ProbedModel.question(run)).map(\.executionID), TrajectoryRow.question)
    }
    if !verdict.repairs.isEmpty {
      blocks += [EffectRow.question(run).block, MaskRow.question(run).block]
      blocks += [ContrastRow.question(run, .masks).block, IdentityRow.question(run).block]
    }
    let pooled = Set(verdict.recalls.flatMap(\.pooled) + verdict.repairs.flatMap(\.pooled))
    return blocks + Question.blocks(pooled.sorted(), Outcome.question)
  }

  // MARK: - Recall

  /// One replicate of a side.
  private struct Member {
    var seed: String?
    var compared: ComparedEvaluation
    var conditions: ConditionsRow
    var outcomes: [Outcome]
    /// The K that the claim is about, as far as they were tested.
    var tested: Set<Int>
  }

  private static func finding(
    _ claim: Claims.Recall, _ data: RunData, _ conditions: [ConditionsRow],
    _ contrasts: Contrasts
  ) throws -> RecallFinding {
    var finding = RecallFinding(claim: claim)
    let low = try members(claim.lower, claim, data, conditions, &finding.chosen)
    let high = try members(claim.higher, claim, data, conditions, &finding.chosen)
    finding.low.kMax = kMax(low, data.curves)
    finding.high.kMax = kMax(high, data.curves)
    // Layouts and noise are one thing; what counts, and how, has to be the same.
    let differences = pairedBySeed(low, high, \.seed).lazy.map { mine, other in
      mine.conditions.differences(from: other.conditions).filter { !$0.hasPrefix("seed ") }
    }
    if let first = differences.first(where: { !$0.isEmpty }) {
      finding.missing =
        "their evaluations differ in their conditions: " + first.joined(separator: ", ")
      return finding
    }
    let both = low + high
    if let early = both.first(where: { !$0.outcomes.haveChance }) {
      finding.missing = Self.isOfBefore(early.conditions.stage)
      return finding
    }
    let common = both.dropFirst().reduce(both.first?.tested ?? []) { $0.intersection($1.tested) }
    let isWhole = both.allSatisfy { $0.tested == common }
    if !isWhole { finding.common = common.sorted() }
    let isStored = isWhole && claim.counts == nil
    finding.counts = common.sorted()
    finding.pooled = both.map(\.conditions.executionID)
    let areSeveral = max(low.count, high.count) > 1
    func value(_ member: Member, _ stored: Estimate?, _ outcomes: [Outcome]?)
      -> Replicates.Value?
    {
      let seed = both.first?.compared.seed ?? 0
      let estimate =
        isStored
        ? stored
        : outcomes.flatMap { recallBeyondChance($0, counts: common, seed: seed) }
          .map(Estimate.init)
      return estimate.map {
        Replicates.Value(
          seed: member.seed, estimate: $0,
          draws: areSeveral
            ? outcomes.map { recallBeyondChanceDraws($0, counts: common, seed: seed) } ?? []
            : [])
      }
    }
    let areShared = Set(both.flatMap { $0.outcomes.map(\.seed) }).count == 1
    func recall(_ members: [Member]) -> Replicates {
      .recalls(
        members.compactMap { value($0, $0.compared.recallBeyond, $0.outcomes) },
        areShared: areShared)
    }
    func background(_ members: [Member]) -> Replicates {
      .recalls(
        members.compactMap {
          value($0, $0.compared.recallBackground, $0.outcomes.asTheBackgroundSees)
        }, areShared: areShared)
    }
    (finding.low.recall, finding.high.recall) = (recall(low), recall(high))
    func within(_ members: [Member]) -> Replicates {
      .recalls(members.compactMap { $0.compared.value(.within) }, areShared: areShared)
    }
    (finding.low.within, finding.high.within) = (within(low), within(high))
    (finding.low.background, finding.high.background) = (background(low), background(high))
    finding.threshold = both.first?.compared.threshold
    let (mine, theirs) = claim.direction == .fails ? (low, high) : (high, low)
    let stored = isStored ? contrasts : Contrasts([ContrastRow]())
    func difference(_ measure: EffectMeasure) -> Replicates {
      Replicates(
        pairedBySeed(mine, theirs, \.seed).compactMap { one, other in
          (stored.difference(
            one.conditions.stage, other.conditions.stage, measure)
            ?? Estimate.difference(
              one.outcomes, other.outcomes, counts: common, measure, seed: one.compared.seed)).map {
              estimate in
              let draws = try? pairedEffectDraws(
                treated: one.outcomes, baseline: other.outcomes, counts: common, measure: measure,
                seed: one.compared.seed)
              return Replicates.Value(
                seed: one.seed ?? other.seed, estimate: estimate,
                draws: areSeveral ? draws ?? [] : [])
            }
        }, areShared: areShared)
    }
    finding.difference = difference(.recall)
    finding.backgroundDifference = difference(.background)
    finding.precisionDifference = difference(.precision)
    return finding
  }

  /// - Parameter chosen: gets the evaluations that are taken, where further ones are not.
  private static func members(
    _ name: String, _ claim: Claims.Recall, _ data: RunData, _ conditions: [ConditionsRow],
    _ chosen: inout [String]
  ) throws -> [Member] {
    var result: [Member] = []
    var further = false
    for one in data.compared {
      let model = one.evaluated
      guard
        let replicate = data.naming.replicate(of: name, title: model.title, stage: model.stage),
        let row = conditions.first(where: { $0.executionID == model.executionID }),
        row.isMeant(claim.guidance)
      else { continue }
      if result.contains(where: { $0.seed == replicate.seed }) {
        further = true
        continue
      }
      let outcomes = try data.ask(Outcome.question(model.executionID))
      let tested = Set(outcomes.map(\.k)).filter { k in
        claim.counts?.contains(k) ?? (one.isCompared(k) && k > model.trainingMaximum ?? 0)
      }
      result.append(
        Member(
          seed: replicate.seed, compared: one, conditions: row, outcomes: outcomes, tested: tested))
    }
    if further { chosen += result.map(\.conditions.stage) }
    return result
  }

  private static func kMax(_ members: [Member], _ curves: Curves) -> Estimate? {
    ComparedRecipe.all(members.map(\.compared)).first?.kMax(curves)
  }

  // MARK: - Locality

  private static func locals(_ claims: [Claims.Local], _ data: RunData) throws -> [LocalFinding] {
    if claims.isEmpty { return [] }
    let rows = try data.ask(LocalityRow.question(data.run.id))
    return claims.map { claim in
      let count = claim.count ?? data.trainingMaximum ?? 0
      let own = rows.filter {
        $0.space == claim.space && $0.sigma == claim.sigma && $0.k == count
          && $0.window == claim.window
      }
      var chosen: [String] = []
      func shares(_ name: String) -> Replicates {
        var values: [Replicates.Value] = []
        var probes: [String] = []
        var further = false
        for row in own {
          let replicate = data.naming.replicate(
            of: name, title: row.intervention ?? row.model, stage: row.stage)
          guard let replicate else { continue }
          if values.contains(where: { $0.seed == replicate.seed }) {
            further = true
            continue
          }
          values.append(Replicates.Value(seed: replicate.seed, estimate: row.share))
          probes.append(row.stage)
        }
        if further { chosen += probes }
        return Replicates(values)
      }
      let (model, against) = (shares(claim.model), shares(claim.against))
      return LocalFinding(
        claim: claim, count: count, model: model, against: against, chosen: chosen)
    }
  }

  /// Why nothing can be told of an evaluation.
  static func isOfBefore(_ stage: String) -> String {
    "evaluation \(Markdown.name(stage)) is of an earlier version, which did not keep what chance finds; run "
      + "the pipeline again"
  }

  static func withoutSeed(_ name: String) -> String {
    StageReference(name)?.withoutSeed.name ?? name
  }
}

extension Estimate {
  /// One arm less another on the same layouts and noise; `nil` where they share none, or were not both
  /// looked at by the detector.
  static func difference(
    _ treated: [Outcome], _ baseline: [Outcome], counts: Set<Int>, _ measure: EffectMeasure,
    seed: UInt64
  ) -> Estimate? {
    let isSeen = [treated, baseline].allSatisfy { $0.asTheBackgroundSees != nil }
    if measure == .background && !isSeen { return nil }
    return
      (try? pairedDifference(
        treated: treated, baseline: baseline, counts: counts, measure: measure, seed: seed)).map(
        Estimate.init)
  }
}
