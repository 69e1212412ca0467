import Workflow

/// What a run is held against.
struct ClaimsOfRun {
  let claims: Claims
  /// Whether the pipeline states them.
  let areStated: Bool
  /// What could not be claimed, in words.
  let gaps: [String]
  let masks: [MaskRow]
  /// Whether machines without training are all that there is to judge: the run states no claims of its
  /// own, and masks no failing network.
  let isAboutMachines: Bool

  init(_ data: RunData) throws {
    masks = try data.ask(MaskRow.question(data.run.id))
    let stated = Claims(source: data.run.source)
    let derived = DerivedClaims(Self.candidates(data.compared, masks: masks))
    areStated = stated != nil
    claims = stated ?? derived.claims
    gaps = stated == nil ? derived.gaps : []
    isAboutMachines =
      try stated == nil && claims.repairs.isEmpty && !AnalyticMachines(data).machines.isEmpty
  }

  /// Denoisers that were evaluated, without their seeds.
  private static func candidates(_ compared: [ComparedEvaluation], masks: [MaskRow])
    -> [DerivedClaims.Candidate]
  {
    var result: [DerivedClaims.Candidate] = []
    for evaluated in compared.map(\.evaluated) {
      let known = masks.first { $0.intervention == evaluated.intervention }?.specification
      // A mask that this version does not know is not taken for a plain denoiser.
      if evaluated.intervention != nil, known == nil { continue }
      let mask = known.map {
        DerivedClaims.Candidate.Mask(specification: $0, base: Findings.withoutSeed(evaluated.model))
      }
      let candidate = DerivedClaims.Candidate(
        name: Findings.withoutSeed(evaluated.title), labelling: evaluated.labelling,
        reach: evaluated.reach, mask: mask)
      if !result.contains(candidate) { result.append(candidate) }
    }
    return result
  }
}
