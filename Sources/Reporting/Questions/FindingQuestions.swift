import Evaluation
import Statistics
import Workflow

/// Looks up in the store what a run has of its claims.
struct Findings {
  let claims: Claims
  /// Whether the pipeline states them.
  let areStated: Bool
  let verdict: Verdict
  /// Masked evaluations that have no effect, with the reason.
  let unpaired: [UnpairedMask]

  init(_ data: RunData) throws {
    let conditions = try data.ask(ConditionsRow.question(data.run.id))
    unpaired = UnpairedMask.all(conditions, effects: data.effects)
    let stated = Claims(source: data.run.source)
    areStated = stated != nil
    let masks = try data.ask(MaskRow.question(data.run.id))
    let derived = DerivedClaims(Self.candidates(data.compared, masks: masks))
    claims = stated ?? derived.claims
    verdict = Verdict(
      recalls: try claims.recalls.map { try Self.finding($0, data) },
      // What was derived and not probed is no claim.
      locals: try Self.locals(claims.locals, data).filter {
        stated != nil || !$0.model.isEmpty && !$0.against.isEmpty
      },
      repairs: try RepairEvidence(
        data: data, conditions: conditions, unpaired: unpaired
      ).findings(claims.repairs),
      gaps: stated == nil ? derived.gaps : [],
      identicalShare: try data.ask(IdentityRow.question(data.run.id)).map(\.share).min())
  }

  private static func finding(_ claim: Claims.Recall, _ data: RunData) throws -> RecallFinding {
    func side(_ name: String) throws -> RecallFinding.Side {
      let own = data.compared.filter { covers(name, $0.evaluated.title) }
      return RecallFinding.Side(
        recall: try recall(own, claim.counts, data),
        kMax: replicates(name, of: own, by: { $0.evaluated.title }) { $0.kMax })
    }
    return RecallFinding(claim: claim, low: try side(claim.lower), high: try side(claim.higher))
  }

  private static func locals(_ claims: [Claims.Local], _ data: RunData) throws -> [LocalFinding] {
    if claims.isEmpty { return [] }
    let rows = try data.ask(LocalityRow.question(data.run.id)).filter { $0.arm == "none" }
    return claims.map { claim in
      let count = claim.count ?? data.trainingMaximum ?? 0
      let own = rows.filter {
        $0.space == claim.space && $0.sigma == claim.sigma && $0.k == count
          && $0.window == claim.window
      }
      func shares(_ name: String) -> Replicates {
        replicates(name, of: own, by: { $0.model }) { $0.share }
      }
      return LocalFinding(
        claim: claim, count: count, model: shares(claim.model), against: shares(claim.against))
    }
  }

  /// Denoisers that were evaluated, without their seeds.
  private static func candidates(_ compared: [ComparedEvaluation], masks: [MaskRow])
    -> [DerivedClaims.Candidate]
  {
    var result: [DerivedClaims.Candidate] = []
    for evaluated in compared.map(\.evaluated) {
      let mask = masks.first { $0.intervention == evaluated.intervention }.map {
        DerivedClaims.Candidate.Mask(
          arm: evaluated.arm, base: withoutSeed(evaluated.model), windows: $0.windows)
      }
      let candidate = DerivedClaims.Candidate(
        name: withoutSeed(evaluated.title), labelling: evaluated.labelling,
        reach: evaluated.reach, mask: mask)
      if !result.contains(candidate) { result.append(candidate) }
    }
    return result
  }

  private static func recall(
    _ own: [ComparedEvaluation], _ counts: ClosedRange<Int>?, _ data: RunData
  ) throws -> Replicates {
    var values: [Replicates.Value] = []
    for one in own {
      let seed = StageReference(one.evaluated.title)?.seed
      if values.contains(where: { $0.seed == seed }) { continue }
      let estimate =
        if let counts {
          pooledRecall(
            try data.ask(Outcome.question(one.evaluated.executionID)), counts: Set(counts),
            seed: one.seed
          ).map(Estimate.init)
        } else { one.recallBeyond }
      if let estimate { values.append(Replicates.Value(seed: seed, estimate: estimate)) }
    }
    return Replicates(values)
  }

  /// The first value of each replicate of what is named.
  static func replicates<Row>(
    _ name: String, of rows: [Row], by title: (Row) -> String, _ estimate: (Row) -> Estimate
  ) -> Replicates {
    var values: [Replicates.Value] = []
    for row in rows where covers(name, title(row)) {
      let seed = StageReference(title(row))?.seed
      if values.contains(where: { $0.seed == seed }) { continue }
      values.append(Replicates.Value(seed: seed, estimate: estimate(row)))
    }
    return Replicates(values)
  }

  static func covers(_ name: String, _ title: String) -> Bool {
    guard let named = StageReference(name), let instance = StageReference(title) else {
      return name == title
    }
    return named.covers(instance)
  }

  static func withoutSeed(_ name: String) -> String {
    StageReference(name)?.withoutSeed.name ?? name
  }
}
