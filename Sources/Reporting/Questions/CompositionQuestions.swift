import Formats
import Lineage
import Measures

/// What an evaluation says of its finds beyond whether they are there.
struct FindRow: Replicated {
  var title: String
  /// The evaluation's own stage.
  var stage: String
  var measure: String
  /// Px, lower edge of a bin.
  var distance: Double?
  var attribute: String?
  var k: Int?
  var estimate: Estimate
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage]) }

  struct Key: Hashable {
    var measure: String
    var distance: Double?
    var attribute: String?
    var k: Int?
  }
  var key: Key { Key(measure: measure, distance: distance, attribute: attribute, k: k) }

  private static let measures: [Measure] = [
    .recallByDistance, .neighbourDependence, .attributeLaw, .withinLaw, .trainingLayouts,
  ]

  static func question(_ runID: String) -> Question<FindRow> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS title, v.name AS stage, m.name, m.distance, m.attribute,
        m.k, m.value, m.ci_low, m.ci_high, m.n
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'evaluate'
        AND m.name IN (\(measures.sqlNames))
      ORDER BY v.position, m.name, m.distance, m.k
      """
    ) { row in
      FindRow(
        title: try row.text("title"), stage: try row.text("stage"), measure: try row.text("name"),
        distance: try row.optionalNumber("distance"),
        attribute: try row.optionalText("attribute"), k: try row.optionalInteger("k"),
        estimate: try row.estimate("value"))
    }
  }
}

/// Recall beyond the training range of solid finds alone.
struct SolidRow {
  var executionID: String
  var estimate: Estimate

  static func question(_ runID: String) -> Question<SolidRow> {
    Question(
      """
      SELECT o.execution_id, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN metric m ON m.execution_id = s.execution_id
        AND m.name = \(Measure.recallBeyondSolid.sqlName)
      JOIN execution_output o ON o.sha256 = m.subject AND o.role = 'manifest'
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'compare' ORDER BY s.id
      """
    ) { SolidRow(executionID: try $0.text("execution_id"), estimate: try $0.estimate("value")) }
  }
}

/// What looks are worth on held-out renders.
struct LookRow {
  var judge: String
  var measure: String
  /// The attribute or the detector.
  var what: String?
  var estimate: Estimate

  private static let measures: [Measure] = [
    .solidShare, .faintShare, .faintRecall, .attributeAccuracy, .renderedDependence,
  ]

  static func question(_ runID: String) -> Question<LookRow> {
    Question(
      """
      SELECT s.name AS judge, m.name, coalesce(m.attribute, m.detector) AS what, m.value, m.ci_low,
        m.ci_high, m.n
      FROM stage s JOIN metric m USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'judge' AND m.name IN (\(measures.sqlNames))
        AND s.id = (SELECT min(z.id) FROM stage z
          WHERE z.execution_id = s.execution_id AND z.run_id = s.run_id)
      ORDER BY s.id, m.name, what
      """
    ) { row in
      LookRow(
        judge: try row.text("judge"), measure: try row.text("name"),
        what: try row.optionalText("what"), estimate: try row.estimate("value"))
    }
  }
}
