import Foundation
import Lineage

/// A value with its interval, as the store has it.
struct Estimate: Hashable {
  var value: Double
  var low: Double?
  var high: Double?
  var n: Int?
}

/// A trained model of a run, perhaps behind a mask, as an evaluation saw it.
struct EvaluatedModel: Hashable {
  var model: String
  var labelling: String
  /// `unet`, `local` or `analytic`.
  var network: String
  /// The mask's name, `none` without one.
  var arm: String
  /// The intervention's stage, for a masked model.
  var intervention: String?
  var executionID: String

  /// What the report calls it.
  var title: String { intervention ?? model }
  var isPlain: Bool { arm == "none" }
}

/// Everything of a run that more than one section needs.
struct RunData {
  let store: Store
  let run: RunRecord
  /// In the order of the pipeline.
  let evaluated: [EvaluatedModel]
  /// The largest number of objects in training pictures.
  let trainingMaximum: Int?

  init(store: Store, runID: String) throws {
    self.store = store
    run = try store.run(runID)
    let found = try store.query(
      """
      SELECT v.model, v.labelling, v.arm, v.intervention, v.execution_id,
        coalesce(json_extract(e.params, '$.network.type'), t.kind) AS network
      FROM run_model v
      JOIN stage s ON s.run_id = v.run_id AND s.execution_id = v.execution_id
      JOIN stage t ON t.run_id = v.run_id AND t.name = v.model
      JOIN execution e ON e.id = t.execution_id
      WHERE v.run_id = ? AND v.kind = 'evaluate' ORDER BY s.id
      """, [.text(runID)])
    evaluated = found.rows.map { row in
      EvaluatedModel(
        model: found.value(row, "model").text ?? "?",
        labelling: found.value(row, "labelling").text ?? "?",
        network: found.value(row, "network").text ?? "?",
        arm: found.value(row, "arm").text ?? "none",
        intervention: found.value(row, "intervention").text,
        executionID: found.value(row, "execution_id").text ?? "")
    }
    let maximum = try store.query(
      """
      SELECT max(m.value) FROM stage s JOIN metric m ON m.execution_id = s.execution_id
      WHERE s.run_id = ? AND m.name = 'training_maximum'
      """, [.text(runID)])
    trainingMaximum = maximum.rows.first?.first?.number.map { Int($0) }
  }

  var quotedRun: String { Markdown.sql(run.id) }

  /// The metrics of an execution under a name, by K.
  func byCount(_ name: String, _ executionID: String) throws -> [Int: Estimate] {
    let found = try store.query(
      """
      SELECT k, value, ci_low, ci_high, n FROM metric
      WHERE execution_id = ? AND name = ? AND k IS NOT NULL ORDER BY k
      """, [.text(executionID), .text(name)])
    var result: [Int: Estimate] = [:]
    for row in found.rows {
      guard let k = row[0].integer, let value = row[1].number else { continue }
      result[k] = Estimate(
        value: value, low: row[2].number, high: row[3].number, n: row[4].integer)
    }
    return result
  }

  struct KMax {
    var evaluated: EvaluatedModel
    var estimate: Estimate
    var threshold: Double
    /// Recall pooled over the tested K beyond the training range.
    var recallBeyond: Estimate?
  }

  /// K_max of the evaluations that were compared.
  func kMax() throws -> [KMax] {
    let found = try store.query(
      """
      SELECT o.execution_id, m.value, m.ci_low, m.ci_high, m.n, t.value,
        b.value, b.ci_low, b.ci_high, b.n
      FROM stage s
      JOIN metric m ON m.execution_id = s.execution_id AND m.name = 'k_max'
      JOIN metric t ON t.execution_id = s.execution_id AND t.name = 'k_max_threshold'
      JOIN execution_output o ON o.sha256 = m.subject AND o.role = 'outcomes'
      LEFT JOIN metric b ON b.execution_id = s.execution_id AND b.name = 'recall_beyond'
        AND b.subject = m.subject
      WHERE s.run_id = ? AND s.kind = 'compare'
      """, [.text(run.id)])
    return evaluated.compactMap { model in
      guard let row = found.rows.first(where: { $0[0].text == model.executionID }),
        let value = row[1].number
      else { return nil }
      return KMax(
        evaluated: model,
        estimate: Estimate(
          value: value, low: row[2].number, high: row[3].number, n: row[4].integer),
        threshold: row[5].number ?? 0.9,
        recallBeyond: row[6].number.map {
          Estimate(value: $0, low: row[7].number, high: row[8].number, n: row[9].integer)
        })
    }
  }

  struct Effect {
    var intervention: String
    var baseline: String
    var arm: String
    /// What decides the windows: a placebo is the control of the mask that has the same.
    var windows: Windows
    /// `recall`, `exact`, `precision` or `recall_in_range`.
    var metric: String
    var estimate: Estimate
    var p: Double?
    var pHolm: Double?
  }

  /// The windows of a mask, wherever they are: a placebo has those of the mask that it imitates.
  struct Windows: Hashable {
    var target: String
    /// As text, `nil` where the mask does not use it.
    var radius: String?
    var block: String?
    var margin: String?
    var fill: String?

    init(mask: String, of: String, radius: String, block: String, margin: String, fill: String) {
      target = mask == "placebo" ? of : mask
      if target != "pixel" { self.radius = radius }
      if target == "pixel" || target == "both" {
        self.block = block
        self.margin = margin
        self.fill = fill
      }
    }
  }

  func effects() throws -> [Effect] {
    let found = try store.query(
      """
      SELECT v.intervention, v.baseline, v.arm, v.metric, v.effect, v.ci_low, v.ci_high, v.n, v.p,
        v.p_holm, json_extract(e.params, '$.of'), CAST(json_extract(e.params, '$.radius') AS TEXT),
        CAST(json_extract(e.params, '$.block') AS TEXT),
        CAST(json_extract(e.params, '$.margin') AS TEXT), json_extract(e.params, '$.fill')
      FROM run_intervention_effect v
      JOIN stage s ON s.run_id = v.run_id AND s.name = v.intervention
      JOIN execution e ON e.id = s.execution_id
      WHERE v.run_id = ?
      """, [.text(run.id)])
    let rows = found.rows.map { row in
      Effect(
        intervention: row[0].text ?? "?", baseline: row[1].text ?? "?", arm: row[2].text ?? "?",
        windows: Windows(
          mask: row[2].text ?? "?", of: row[10].text ?? "?", radius: row[11].text ?? "",
          block: row[12].text ?? "", margin: row[13].text ?? "", fill: row[14].text ?? ""),
        metric: row[3].text ?? "?",
        estimate: Estimate(
          value: row[4].number ?? 0, low: row[5].number, high: row[6].number, n: row[7].integer),
        p: row[8].number, pHolm: row[9].number)
    }
    // In the order of the pipeline.
    let order = evaluated.map(\.title)
    return rows.sorted {
      (order.firstIndex(of: $0.intervention) ?? 0, $0.metric)
        < (order.firstIndex(of: $1.intervention) ?? 0, $1.metric)
    }
  }

  /// The share of squared sensitivity inside one window, pooled as the store has it.
  func locality(model: String, space: String, sigma: Double, k: Int, window: Int) throws
    -> Estimate?
  {
    let found = try store.query(
      """
      SELECT share, ci_low, ci_high, n FROM run_locality
      WHERE run_id = ? AND model = ? AND arm = 'none' AND space = ? AND sigma = ? AND k = ?
        AND "window" = ?
      """,
      [
        .text(run.id), .text(model), .text(space), .real(sigma), .integer(Int64(k)),
        .integer(Int64(window)),
      ])
    guard let row = found.rows.first, let value = row[0].number else { return nil }
    return Estimate(value: value, low: row[1].number, high: row[2].number, n: row[3].integer)
  }

  /// The share of identity pictures that equal their baseline's; `nil` without an identity arm.
  func identicalShare() throws -> Double? {
    let found = try store.query(
      """
      SELECT min(m.value) FROM stage s JOIN metric m ON m.execution_id = s.execution_id
      WHERE s.run_id = ? AND m.name = 'identical_pictures'
      """, [.text(run.id)])
    return found.rows.first?.first?.number
  }

  /// The files that stages of a kind left in a role, with the stages' names.
  func files(kind: String, role: String) throws -> [(stage: String, sha256: String)] {
    let found = try store.query(
      """
      SELECT s.name, o.sha256 FROM stage s
      JOIN execution_output o ON o.execution_id = s.execution_id
      WHERE s.run_id = ? AND s.kind = ? AND o.role = ? ORDER BY s.id
      """, [.text(run.id), .text(kind), .text(role)])
    return found.rows.map { ($0[0].text ?? "?", $0[1].text ?? "") }
  }
}
