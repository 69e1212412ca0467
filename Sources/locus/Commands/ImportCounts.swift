import Artifacts
import Evaluation
import Experiments
import Formats
import Foundation
import Lineage
import Measures
import Workflow

extension ImportCommand {
  /// `locus import counts`: what a person found on a sheet of `locus blind`.
  static func importCounts(_ context: CommandContext<Options>, _ origins: Origins) throws -> Int32 {
    let options = context.options
    let content = try readFile(options.file)
    let given: BlindAnswers
    do {
      given = try BlindAnswers(csv: String(decoding: content, as: UTF8.self))
    } catch {
      throw UsageError.badFile(options.file, reason: error.description)
    }
    let store = try context.openStore()
    let object = intactObjects(of: store)
    // Refused before anything is written.
    let results: [BlindSheet.Result]
    do {
      results = try CountStage.results(of: given, object: object)
    } catch let error as BlindSheetError {
      throw UsageError.badFile(options.file, reason: error.description)
    }
    let names = try given.sheet.outcomes.map { try instance(of: $0, in: store) }
    let sha256 = SHA256.hash(content)
    let name = try Self.name(options)
    let summary = try execute(
      StageInstance(
        stage: name, kind: CountStage.kind(importing: content),
        parameters: .object(["counts": .string(sha256)]), seed: 0),
      source: ["import": .string(options.file), "sha256": .string(sha256)], origins, context)
    if summary.exitCode != 0 { return summary.exitCode }
    if options.json {
      try context.console.printLine(
        JSONValue.object([
          "name": .string(name), "counts": .string(sha256), "run": .string(summary.runID),
          "evaluations": .array(zip(names, results).map { json($0, $1) }),
        ]).canonicalText())
      return 0
    }
    for (name, result) in zip(names, results) {
      for line in text(name, result) { try context.console.printLine(line) }
    }
    try context.console.printLine("\(name) \(sha256)")
    return 0
  }

  /// The instance that made an evaluation, last.
  private static func instance(of outcomes: String, in store: Store) throws -> String {
    try store.texts(
      """
      SELECT s.name FROM execution_output o JOIN stage s USING (execution_id)
      WHERE o.sha256 = ? AND o.role = 'manifest' ORDER BY s.id DESC LIMIT 1
      """, [.text(outcomes)]
    ).first ?? String(outcomes.prefix(12))
  }

  private static func text(_ name: String, _ result: BlindSheet.Result) -> [String] {
    func short(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
    func interval(_ estimate: (value: Double, low: Double, high: Double)) -> String {
      "\(short(estimate.value)) [\(short(estimate.low)), \(short(estimate.high))]"
    }
    let recall = result.recall
    let kappa =
      result.kappa.map { interval(($0.value, $0.low, $0.high)) } ?? "none, one says the same of all"
    let tiles = PlaceStanding.allCases.compactMap { standing in
      result.answers[standing].map { "\(standing.rawValue) \($0.objects)/\($0.tiles)" }
    }
    return [
      "\(name): recall \(interval((recall.value, recall.low, recall.high))) as you see it,"
        + " \(short(result.judgeRecall)) as the judge does; kappa \(kappa); N = \(recall.n) tiles",
      "  with an object, as you see it: " + tiles.joined(separator: ", "),
    ]
  }

  private static func json(_ name: String, _ result: BlindSheet.Result) -> JSONValue {
    func interval(_ value: Double, _ low: Double, _ high: Double) -> JSONValue {
      .object(["value": .number(value), "ci_low": .number(low), "ci_high": .number(high)])
    }
    return .object([
      "name": .string(name), "n": .integer(result.recall.n),
      Measure.personRecall.name: interval(
        result.recall.value, result.recall.low, result.recall.high),
      Measure.judgedRecall.name: .number(result.judgeRecall),
      Measure.personKappa.name: result.kappa.map { interval($0.value, $0.low, $0.high) } ?? .null,
    ])
  }
}
