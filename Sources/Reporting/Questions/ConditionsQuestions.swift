import Formats
import Lineage

/// Under which conditions an evaluation drew and counted: an effect needs a plain one that shares them.
struct ConditionsRow: Hashable, Labelled {
  var executionID: String
  var model: String
  var intervention: String?
  /// The evaluation's own stage.
  var stage: String
  /// The scale of its guidance, at whatever noise levels it holds.
  var guidance: Double
  /// By name, in the order in which they are said.
  var conditions: [Condition]
  /// The comparisons that gather it.
  var comparisons: Set<String>
  var label = ""

  struct Condition: Hashable {
    var name: String
    var value: String?
  }

  static func question(_ runID: String) -> Question<ConditionsRow> {
    Question(
      """
      SELECT v.execution_id, v.name AS stage, v.model, v.intervention, e.seed,
        coalesce(json_extract(m.body, '$.conditions.judge'), (
          SELECT i.sha256 FROM execution_input i WHERE i.execution_id = v.execution_id
          AND i.role = 'judge/weights')) AS judge,
        coalesce(json_extract(m.body, '$.conditions.steps'), json_extract(e.params, '$.steps'))
          AS steps,
        coalesce(json_extract(m.body, '$.conditions.tolerance'),
          json_extract(e.params, '$.tolerance')) AS tolerance,
        coalesce(json_extract(m.body, '$.conditions.instructions'), e.instructions)
          AS instructions,
        json_extract(m.body, '$.conditions.spacing') AS spacing,
        json_extract(m.body, '$.conditions.unlike') AS unlike,
        coalesce(json_extract(m.body, '$.conditions.guidance.scale'), 1) AS guidance,
        json_extract(m.body, '$.conditions.guidance.low') AS guidance_low,
        json_extract(m.body, '$.conditions.guidance.high') AS guidance_high,
        coalesce(json_extract(m.body, '$.conditions.asked'), 'seen') AS asked,
        (SELECT group_concat(DISTINCT c.name || char(10)) FROM execution_output o
          JOIN execution_input i ON i.sha256 = o.sha256
          JOIN stage c ON c.execution_id = i.execution_id AND c.run_id = v.run_id
          WHERE o.execution_id = v.execution_id AND c.kind = 'compare') AS comparisons
      FROM run_model v JOIN execution e ON e.id = v.execution_id
      LEFT JOIN execution_output x ON x.execution_id = e.id AND x.role = 'manifest'
      LEFT JOIN manifest m ON m.sha256 = x.sha256
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'evaluate'
      ORDER BY (
        SELECT min(s.id) FROM stage s
        WHERE s.run_id = v.run_id AND s.execution_id = v.execution_id)
      """
    ) { row in
      let names = try row.optionalText("comparisons") ?? ""
      return ConditionsRow(
        executionID: try row.text("execution_id"), model: try row.text("model"),
        intervention: try row.optionalText("intervention"), stage: try row.text("stage"),
        guidance: try row.number("guidance"),
        conditions: [
          Condition(name: "seed", value: "\(try row.integer("seed"))"),
          Condition(
            name: "judge", value: try row.optionalText("judge").map { String($0.prefix(12)) }),
          Condition(name: "steps", value: try row.optionalInteger("steps").map(String.init)),
          Condition(
            name: "tolerance", value: try row.optionalNumber("tolerance").map(ChartNumber.text)),
          Condition(name: "instructions", value: try row.optionalText("instructions")),
          Condition(name: "spacing", value: try row.optionalText("spacing")),
          Condition(
            name: "scenes", value: try row.optionalText("unlike").map { String($0.prefix(12)) }),
          Condition(name: "guidance", value: try guidance(row)),
          Condition(name: "asked", value: try row.text("asked")),
        ],
        comparisons: Set(
          names.split(separator: "\n").map { $0.trimmingPrefix(",") }.map(String.init)))
    }
  }
}

extension ConditionsRow {
  /// Its scale, and the noise levels at which it holds where these are not all.
  private static func guidance(_ row: Row) throws -> String {
    let scale = ChartNumber.text(try row.number("guidance"))
    let low = try row.optionalNumber("guidance_low").map { "from σ \(ChartNumber.text($0))" }
    let high = try row.optionalNumber("guidance_high").map { "up to σ \(ChartNumber.text($0))" }
    return [scale, low, high].compactMap { $0 }.joined(separator: " ")
  }

  /// Whether a claim that states a guidance, or none, may rest on it.
  func isMeant(_ stated: Double?) -> Bool { stated.map { $0 == guidance } ?? true }

  /// What its denoiser is called.
  var title: String { intervention ?? model }
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage]) }

  /// Where two evaluations differ, in words.
  func differences(from other: ConditionsRow) -> [String] {
    zip(conditions, other.conditions).filter { $0 != $1 }.map {
      "\($0.name) \($0.value ?? "?") against \($1.value ?? "?")"
    }
  }

  /// The plain evaluation that a masked one is paired with: of the same denoiser, under the same
  /// conditions, gathered by the same comparison.
  func baseline(in rows: [ConditionsRow]) -> ConditionsRow? {
    rows.first {
      $0.intervention == nil && $0.model == model && $0.conditions == conditions
        && !$0.comparisons.isDisjoint(with: comparisons)
    }
  }
}

/// A masked evaluation without an effect, and why.
struct UnpairedMask: Hashable, Labelled {
  var intervention: String
  /// The evaluation's own stage.
  var stage: String
  var model: String
  var reason: String
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: intervention, instances: [stage]) }

  static func all(_ rows: [ConditionsRow], effects: [EffectRow]) -> [UnpairedMask] {
    let rows = rows.labelled()
    return rows.compactMap { row in
      guard let intervention = row.intervention,
        !effects.contains(where: { $0.stage == row.stage })
      else { return nil }
      return UnpairedMask(
        intervention: intervention, stage: row.stage, model: row.model, reason: reason(row, rows))
    }.labelled()
  }

  private static func reason(_ row: ConditionsRow, _ rows: [ConditionsRow]) -> String {
    if row.comparisons.isEmpty { return "no comparison has gathered its evaluation" }
    let model = Markdown.name(row.model)
    let plain = rows.filter { $0.intervention == nil && $0.model == row.model }
    let differences = plain.map { ($0, row.differences(from: $0)) }
    guard let nearest = differences.min(by: { $0.1.count < $1.1.count }) else {
      return "there is no plain evaluation of \(model) to compare it with"
    }
    if !nearest.1.isEmpty {
      return "the plain evaluation of \(Markdown.name(nearest.0.label)) differs in its conditions: "
        + nearest.1.joined(separator: ", ")
    }
    return nearest.0.comparisons.isDisjoint(with: row.comparisons)
      ? "no comparison gathers it together with the plain evaluation of \(model)"
      : "no K above 0 was tested"
  }
}
