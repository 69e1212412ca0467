import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Statistics
import Workflow

/// `compare`: K_max of each evaluation, and the effect of each mask against its own baseline.
enum CompareStage {
  static let kind = StageKind(
    name: "compare", version: 1,
    summary: "K_max, and paired effects of interventions on the same layouts and noise.",
    parameters: [
      Parameter(
        "threshold", .number(0.01...1), default: .number(0.9),
        help: "location recall from which a K counts as reached")
    ],
    inputs: [
      InputDeclaration(
        "evaluations", from: ["evaluate"], arity: .many, help: "evaluations to compare")
    ], run: run)

  private struct Entry {
    var file: EvaluationFile
    /// SHA-256 of the outcomes, which names the evaluation in the metrics.
    var name: String
  }

  private static func run(_ context: StageContext) throws -> StageOutput {
    let threshold = try context.parameters.number("threshold")
    let entries = try (context.inputs["evaluations"] ?? []).map { input in
      let file = try input.file("outcomes")
      return Entry(file: try EvaluationFile(file), name: file.sha256)
    }
    var metrics = [Measure.kMaxThreshold.row(threshold)]
    for entry in entries {
      try context.checkCancellation()
      let interval = kMax(entry.file.outcomes, threshold: threshold, seed: context.seed)
      metrics.append(
        Measure.kMax.row(interval, seed(entry).map(Coordinate.seed), .subject(entry.name)))
      let beyond = Set(entry.file.outcomes.map(\.k)).filter { $0 > entry.file.trainingMaximum }
      if let recall = pooledRecall(entry.file.outcomes, counts: beyond, seed: context.seed) {
        metrics.append(
          Measure.recallBeyond.row(
            recall, seed(entry).map(Coordinate.seed), .subject(entry.name)))
      }
    }
    for measure in EffectMeasure.allCases {
      metrics += try effects(entries, measure, context)
    }
    metrics += try identities(entries)
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
    return StageOutput(
      files: [
        try context.output(
          "comparison", kind: "comparison", .json, Data(summary.prettyText().utf8))
      ],
      metrics: metrics)
  }

  /// The seed of an evaluation, when it has only one.
  private static func seed(_ entry: Entry) -> Int? {
    let seeds = Set(entry.file.outcomes.map(\.seed))
    return seeds.count == 1 ? seeds.first : nil
  }

  /// The plain evaluation of the same weights, under the same conditions, that shares layouts with a
  /// masked one.
  private static func baseline(of entry: Entry, in entries: [Entry]) -> Entry? {
    let seeds = Set(entry.file.outcomes.map(\.seed))
    return entries.first {
      $0.file.isPlain && $0.file.weightsHash == entry.file.weightsHash
        && $0.file.conditions == entry.file.conditions
        && !seeds.isDisjoint(with: $0.file.outcomes.map(\.seed))
    }
  }

  private static func effects(
    _ entries: [Entry], _ measure: EffectMeasure, _ context: StageContext
  ) throws -> [MetricRow] {
    let on = measure.catalogued
    var rows: [MetricRow] = []
    var tests: [(arm: String, p: Double)] = []
    for entry in entries where !entry.file.isPlain {
      try context.checkCancellation()
      guard let baseline = baseline(of: entry, in: entries) else { continue }
      let tested = Set(entry.file.outcomes.map(\.k)).filter { $0 > 0 }
      let beyond = tested.filter { $0 > entry.file.trainingMaximum }
      func effect(_ counts: Set<Int>) throws -> PairedEffect {
        try pairedEffect(
          treated: entry.file.outcomes, baseline: baseline.file.outcomes, counts: counts,
          measure: measure, seed: context.seed)
      }
      if !beyond.isEmpty {
        let pooled = try effect(beyond)
        rows.append(Measure.effect(on).row(pooled.effect, .subject(entry.name)))
        rows.append(Measure.p(on).row(pooled.p, .subject(entry.name), n: pooled.effect.n))
        // The identity is a check of the machinery, not a hypothesis.
        if entry.file.maskName != "identity" { tests.append((entry.name, pooled.p)) }
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

  /// The share of an identity arm's pictures that equal the baseline's bit for bit; anything but all
  /// is an error of the machinery, and nothing that rests on it can be believed.
  private static func identities(_ entries: [Entry]) throws -> [MetricRow] {
    try entries.filter { $0.file.maskName == "identity" }.compactMap { entry in
      guard let baseline = baseline(of: entry, in: entries) else { return nil }
      struct Key: Hashable {
        var seed: Int
        var k: Int
        var layout: Int
      }
      let others = Dictionary(
        zip(baseline.file.outcomes, baseline.file.digests).map {
          (Key(seed: $0.seed, k: $0.k, layout: $0.layout), $1)
        }, uniquingKeysWith: { first, _ in first })
      var compared = 0
      var equal = 0
      for (outcome, digest) in zip(entry.file.outcomes, entry.file.digests) {
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
    }
  }
}
