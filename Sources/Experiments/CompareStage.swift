import Artifacts
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Statistics
import Workflow

/// `compare`: K_max of each evaluation, and the effect of each mask against its own baseline.
enum CompareStage {
  struct Options: Settings {
    @Setting(0.01...1, default: 0.9, "location recall from which a K counts as reached")
    var threshold: Double
    @Setting(
      each: 1...12, count: 0...12, default: [],
      "the K at which they are held against each other; none: all that were tested, the same for each"
    )
    var counts: [Int]
  }

  static let kind = StageKind(
    name: "compare", version: 6,
    summary: "K_max, and paired differences of recall and of remote indices.",
    settings: Options.self,
    inputs: [
      InputDeclaration(
        "evaluations", accepts: [.outcomes], arity: .many, help: "evaluations to compare"),
      InputDeclaration(
        "probes", accepts: [.locality], arity: .optionalMany,
        help: "probes whose remote indices are held against each other"),
    ], produces: .comparison, checkInputs: checkInputs,
    memory: { _, context in
      try context.inputs.values.joined().flatMap(\.files.values).reduce(0) {
        $0 + (try $1.size)
      }
    }, run: run)

  /// Arms are held against each other at the same K, which the file states where not all were tested at the
  /// same.
  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let evaluations = upstream.all("evaluations").map { Foreseen($0) }
    let lost = otherNumerics(evaluations)
    if !lost.isEmpty { return lost }
    let arms = evaluations.map {
      ComparedCounts.Arm(name: $0.stage, counts: $0.counts)
    }
    return ComparedCounts.fault(arms, stated: options.counts).map {
      [
        ParameterProblem(
          path: options.counts.isEmpty ? "inputs.evaluations" : "counts", message: $0)
      ]
    } ?? []
  }

  /// Masked evaluations whose baselines are all of other numerics: pictures differ in their last bits
  /// whatever the mask does.
  private static func otherNumerics(_ evaluations: [Foreseen]) -> [ParameterProblem] {
    evaluations.compactMap { masked in
      guard masked.isMasked == true, let base = masked.base, let own = masked.numerics,
        let stage = masked.stage
      else { return nil }
      let plain = evaluations.filter { $0.isMasked != true && $0.denoiser == base }
      guard let other = plain.first, let theirs = other.numerics, let baseline = other.stage,
        !plain.contains(where: { $0.numerics == nil || $0.numerics == own })
      else { return nil }
      return ParameterProblem(
        path: "inputs.evaluations",
        message:
          "`\(stage)` is of `\(own)` and its baseline `\(baseline)` of `\(theirs)`: their pictures"
          + " differ in last bits, so that no effect of the mask can be told; make both with one"
          + " (`--force \(stage) --force \(baseline)`)")
    }
  }

  private struct Entry {
    var manifest: OutcomesManifest
    var table: OutcomeTable
    /// SHA-256 of the manifest, which names the evaluation in the metrics.
    var name: String

    var outcomes: [Outcome] { table.outcomes }
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let threshold = options.threshold
    let entries = try (context.inputs["evaluations"] ?? []).map { input in
      let file = try input.manifest
      let manifest = try OutcomesManifest(file)
      return Entry(
        manifest: manifest, table: try OutcomeTable(context.object(manifest.rows)),
        name: file.sha256)
    }
    let arms = entries.map {
      ComparedCounts.Arm(
        name: String($0.name.prefix(12)), counts: Array(Set($0.outcomes.map(\.k))))
    }
    if let fault = ComparedCounts.fault(arms, stated: options.counts) {
      throw EvaluationError.otherCounts(fault)
    }
    let counts = ComparedCounts.compared(arms, stated: options.counts)
    var metrics = [Measure.kMaxThreshold.row(threshold)]
    for entry in entries {
      try context.checkCancellation()
      let interval = kMax(entry.outcomes, threshold: threshold)
      metrics.append(
        Measure.kMax.row(interval, seed(entry).map(Coordinate.seed), .subject(entry.name)))
      if let fitted = fittedKMax(entry.outcomes, threshold: threshold) {
        metrics.append(
          Measure.kMaxFitted.row(fitted, seed(entry).map(Coordinate.seed), .subject(entry.name)))
      }
      let beyond = counts.filter { $0 > entry.manifest.trainingMaximum }
      let within = counts.subtracting(beyond)
      let outcomes = entry.outcomes
      for (measure, recall) in [
        (
          Measure.recallWithinCorrected,
          recallBeyondChance(outcomes, counts: within, seed: context.seed)
        ),
        (
          .recallBeyondCorrected,
          recallBeyondChance(outcomes, counts: beyond, seed: context.seed)
        ),
        (
          .recallBeyondCorrectedBackground,
          outcomes.asTheBackgroundSees.flatMap {
            recallBeyondChance($0, counts: beyond, seed: context.seed)
          }
        ),
        (.recallBeyond, averagedRecall(outcomes, counts: beyond, seed: context.seed)),
        (
          .recallBeyondSolid,
          outcomes.solid.flatMap { averagedRecall($0, counts: beyond, seed: context.seed) }
        ),
      ] {
        guard let recall else { continue }
        metrics.append(
          measure.row(recall, seed(entry).map(Coordinate.seed), .subject(entry.name)))
      }
    }
    for measure in EffectMeasure.allCases {
      metrics += try effects(entries, measure, counts, context)
    }
    metrics += try contrasts(entries, counts, context)
    metrics += try modelDifferences(entries, counts, context)
    metrics += try identities(entries)
    let probes = try ComparedProbes(context)
    metrics += try probes.differences(context)
    let summary = JSONValue.array(
      metrics.map { row in
        .object([
          "name": .string(row.name), "value": .number(row.value),
          "evaluation": row.subject.map(JSONValue.string) ?? .null,
          "k": row.k.map(JSONValue.integer) ?? .null,
          "ci_low": row.ciLow.map(JSONValue.number) ?? .null,
          "ci_high": row.ciHigh.map(JSONValue.number) ?? .null,
          "n": row.n.map(JSONValue.integer) ?? .null,
        ])
      })
    let content = Data(summary.prettyText().utf8)
    return StageOutput(
      files: [
        try context.output(
          ComparisonManifest(
            evaluations: entries.map(\.name).sorted(), probes: probes.names,
            table: SHA256.hash(content))),
        try context.output("comparison", kind: "comparison", .json, content),
      ],
      metrics: metrics)
  }

  /// The seed of an evaluation, when it has only one.
  private static func seed(_ entry: Entry) -> Int? {
    let seeds = Set(entry.outcomes.map(\.seed))
    return seeds.count == 1 ? seeds.first : nil
  }

  /// The plain evaluation of the denoiser behind a mask, under the same conditions, that shares layouts
  /// with the masked one.
  private static func baseline(of entry: Entry, in entries: [Entry]) -> Entry? {
    let seeds = Set(entry.outcomes.map(\.seed))
    return entries.first {
      $0.manifest.denoiser == entry.manifest.base
        && $0.manifest.conditions == entry.manifest.conditions
        && !seeds.isDisjoint(with: $0.outcomes.map(\.seed))
    }
  }

  private static func effects(
    _ entries: [Entry], _ measure: EffectMeasure, _ tested: Set<Int>, _ context: StageContext
  ) throws -> [MetricRow] {
    let on = measure.catalogued
    var rows: [MetricRow] = []
    var tests: [(arm: String, p: Double)] = []
    for entry in entries where !entry.manifest.isPlain {
      try context.checkCancellation()
      guard let baseline = baseline(of: entry, in: entries) else {
        try refuseOtherNumerics(entry, entries)
        continue
      }
      if measure == .recall { try refuseChance(entry, baseline, tested, context) }
      let beyond = tested.filter { $0 > entry.manifest.trainingMaximum }
      func effect(_ counts: Set<Int>) throws -> PairedEffect {
        try pairedEffect(
          treated: entry.outcomes, baseline: baseline.outcomes, counts: counts,
          measure: measure, seed: context.seed)
      }
      if !beyond.isEmpty {
        let pooled = try effect(beyond)
        rows.append(Measure.effect(on).row(pooled.effect, .subject(entry.name)))
        rows.append(Measure.p(on).row(pooled.p, .subject(entry.name), n: pooled.effect.n))
        // The identity is a check of the machinery, not a hypothesis.
        if entry.manifest.mask?.isIdentity != true { tests.append((entry.name, pooled.p)) }
      }
      let within = tested.subtracting(beyond)
      if measure == .recall, !within.isEmpty {
        rows.append(
          Measure.effectRecallInRange.row(try effect(within).effect, .subject(entry.name)))
      }
      for k in tested.sorted() {
        rows.append(
          Measure.effect(on).row(try effect([k]).effect, .k(k), .subject(entry.name)))
      }
    }
    for (test, adjusted) in zip(tests, holm(tests.map(\.p))) {
      rows.append(Measure.pHolm(on).row(adjusted, .subject(test.arm), n: tests.count))
    }
    return rows
  }

  /// A mask whose baseline is there, drawn by another instruction set, has lost it without a word in any
  /// stage's key.
  private static func refuseOtherNumerics(_ entry: Entry, _ entries: [Entry]) throws {
    let own = entry.manifest.conditions
    let other = entries.first { plain in
      var conditions = plain.manifest.conditions
      conditions.instructions = own.instructions
      return plain.manifest.denoiser == entry.manifest.base && conditions == own
    }
    guard let other, let mask = entry.manifest.mask else { return }
    throw EvaluationError.otherNumerics(
      mask: "mask `\(mask.mask.rawValue)` (\(entry.name.prefix(12)))", own.instructions,
      base: "\(other.name.prefix(12))", other.manifest.conditions.instructions)
  }

  /// A mask behind which pictures do not follow their layouts could neither repair nor object.
  private static func refuseChance(
    _ entry: Entry, _ base: Entry, _ counts: Set<Int>, _ context: StageContext
  ) throws {
    guard let mask = entry.manifest.mask,
      let own = recallBeyondChance(entry.outcomes, counts: counts, seed: context.seed),
      let plain = recallBeyondChance(base.outcomes, counts: counts, seed: context.seed)
    else { return }
    if own.low <= 0, own.high < plain.low, plain.low > 0 {
      throw EvaluationError.atChance(mask: "mask `\(mask.mask.rawValue)`", recall: own, base: plain)
    }
  }

  /// Each mask beside every one that can object to it.
  private static func contrasts(
    _ entries: [Entry], _ counts: Set<Int>, _ context: StageContext
  ) throws -> [MetricRow] {
    var rows: [MetricRow] = []
    for entry in entries {
      guard let mask = entry.manifest.mask, !mask.isIdentity else { continue }
      for control in entries {
        try context.checkCancellation()
        guard let other = control.manifest.mask, other.fault(asControlOf: mask) == nil,
          control.manifest.base == entry.manifest.base,
          control.manifest.conditions == entry.manifest.conditions
        else { continue }
        rows += try differences(
          entry, control, counts,
          [(.contrastRecall, .recall), (.contrastBackground, .background)], context)
      }
    }
    return rows
  }

  /// Each model beside every other one, once.
  private static func modelDifferences(
    _ entries: [Entry], _ counts: Set<Int>, _ context: StageContext
  ) throws -> [MetricRow] {
    let plain = entries.filter(\.manifest.isPlain)
    return try plain.indices.flatMap { i in
      try plain[(i + 1)...].flatMap { other -> [MetricRow] in
        try context.checkCancellation()
        guard other.manifest.conditions == plain[i].manifest.conditions else { return [] }
        return try differences(
          plain[i], other, counts,
          [
            (.differenceRecall, .recall), (.differenceBackground, .background),
            (.differencePrecision, .precision),
          ], context)
      }
    }
  }

  /// What one recalls beyond the other, on the same layouts and noise, by either detector, and how much more
  /// precise it is; none where they share no seed.
  private static func differences(
    _ entry: Entry, _ other: Entry, _ counts: Set<Int>,
    _ measures: [(Measure, EffectMeasure)],
    _ context: StageContext
  ) throws -> [MetricRow] {
    let beyond = counts.filter { $0 > entry.manifest.trainingMaximum }
    let isShared = !Set(entry.outcomes.map(\.seed)).isDisjoint(with: other.outcomes.map(\.seed))
    if beyond.isEmpty || !isShared { return [] }
    return try measures.map {
      $0.row(
        try pairedDifference(
          treated: entry.outcomes, baseline: other.outcomes, counts: beyond, measure: $1,
          seed: context.seed), .subject(entry.name), .against(other.name))
    }
  }

  /// The share of an identity arm's pictures that equal the baseline's bit for bit; anything but all
  /// is an error of the machinery, and nothing that rests on it can be believed.
  private static func identities(_ entries: [Entry]) throws -> [MetricRow] {
    try entries.filter { $0.manifest.mask?.isIdentity == true }.compactMap { entry in
      guard let baseline = baseline(of: entry, in: entries) else { return nil }
      struct Key: Hashable {
        var seed: Int
        var k: Int
        var layout: Int
      }
      let others = Dictionary(
        zip(baseline.outcomes, baseline.table.digests).map {
          (Key(seed: $0.seed, k: $0.k, layout: $0.layout), $1)
        }, uniquingKeysWith: { first, _ in first })
      var compared = 0
      var equal = 0
      for (outcome, digest) in zip(entry.outcomes, entry.table.digests) {
        let key = Key(seed: outcome.seed, k: outcome.k, layout: outcome.layout)
        guard let other = others[key] else { continue }
        compared += 1
        if other == digest { equal += 1 }
      }
      if compared == 0 { throw EvaluationError.noCommonLayouts }
      return Measure.identicalPictures.row(
        Double(equal) / Double(compared), .subject(entry.name), n: compared)
    }
  }
}

extension EffectMeasure {
  /// As the catalogue knows it.
  fileprivate var catalogued: Measure.Effect {
    switch self {
    case .recall: .recall
    case .exact: .exact
    case .precision: .precision
    case .background: .background
    }
  }
}
