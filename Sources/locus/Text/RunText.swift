import Formats
import Workflow

/// What `locus run` says of plans and ends, for people and for programs.
enum RunText {
  static func text(_ plan: Plan, _ standing: ReplicateStanding?, for console: Console) -> String {
    let words = plan.steps.map { decision($0) }
    let table = TextTable(
      columns: ["decision", "stage", "reason", "compared with"],
      rows: zip(words, plan.steps).map { word, step in
        [
          .string(word), .string(step.instance.name), .string(step.reason),
          step.comparedWith.map(JSONValue.string) ?? .null,
        ]
      })
    let runs = plan.steps.count { $0.runs }
    return table.text(for: console, dispensable: ["compared with"])
      + "\(plan.pipeline.name): \(runs) of \(plan.steps.count) stages to run"
      + (words.contains("run?") ? "; `run?`: not if its inputs come out as before\n" : "\n")
      + plan.steps.map { step in step.work.map { "\(step.instance.name): \($0)\n" } ?? "" }.joined()
      + (plan.mixedNumerics.map { $0.text + "\n" } ?? "")
      + (standing.map { $0.text + "\n" } ?? "")
  }

  private static func decision(_ step: Plan.Step) -> String {
    switch step.decision {
    case .run: "run"
    case .reuse: "reuse"
    case .runUnlessInputsAreEqual: "run?"
    }
  }

  static func json(_ plan: Plan, _ standing: ReplicateStanding?) -> JSONValue {
    .object([
      "pipeline": .string(plan.pipeline.name), "replicates": standing.map(json) ?? .null,
      "numerics": plan.mixedNumerics.map(json) ?? .null,
      "stages": .array(
        plan.steps.map { step in
          .object([
            "name": .string(step.instance.name), "kind": .string(step.instance.kind.name),
            "decision": .string(decision(step)),
            "reasons": .array(step.reasons.map { .string($0.text) }),
            "compared_with": step.comparedWith.map(JSONValue.string) ?? .null,
            "numerics": step.numerics.map(JSONValue.string) ?? .null,
            "work": step.work.map(JSONValue.string) ?? .null,
          ])
        }),
    ])
  }

  static func json(
    _ summary: RunSummary, _ report: String, _ verdict: String?, _ standing: ReplicateStanding?
  ) -> JSONValue {
    .object([
      "run": .string(summary.runID), "status": .string(summary.status.rawValue),
      "executed": .integer(summary.executed), "reused": .integer(summary.reused),
      "failed": .integer(summary.failed), "skipped": .integer(summary.skipped),
      "report": .string(report), "verdict": verdict.map(JSONValue.string) ?? .null,
      "replicates": standing.map(json) ?? .null,
    ])
  }

  private static func json(_ mixed: MixedNumerics) -> JSONValue {
    .array(
      mixed.parts.map { part in
        .object([
          "numerics": .string(part.numerics), "is_to_come": .bool(part.isToCome),
          "stages": .array(part.stages.map(JSONValue.string)),
        ])
      })
  }

  private static func json(_ standing: ReplicateStanding) -> JSONValue {
    .object([
      "count": .integer(standing.replication.count), "most": .integer(standing.replication.to),
      "metric": .string(standing.replication.until.metric),
      "k": standing.replication.until.k.map(JSONValue.integer) ?? .null,
      "wanted_width": .number(standing.replication.until.width),
      "is_narrow_enough": .bool(standing.isNarrowEnough),
      "intervals": .array(
        standing.spreads.map { spread in
          .object([
            "name": .string(spread.name), "n": spread.n.map(JSONValue.integer) ?? .null,
            "width": spread.width.isFinite ? .number(spread.width) : .null,
            "mean": spread.interval.map { .number($0.value) } ?? .null,
            "ci_low": spread.interval.map { .number($0.low) } ?? .null,
            "ci_high": spread.interval.map { .number($0.high) } ?? .null,
            "sd": spread.deviation.map(JSONValue.number) ?? .null,
          ])
        }),
    ])
  }
}
