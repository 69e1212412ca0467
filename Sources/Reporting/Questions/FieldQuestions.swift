import Formats
import Measures

/// A number that a `probe` stage measured of a model of a shape of its own.
struct FieldRow {
  var stage: String
  /// The stage that made the model.
  var model: String
  /// The mask that it is behind.
  var mask: String?
  var measure: String
  var sigma: Double?
  var window: Int?
  var attribute: String?
  var estimate: Estimate

  static func question(_ runID: String) -> Question<FieldRow> {
    Question(
      """
      SELECT v.name AS stage, v.model, v.intervention, m.name AS measure, m.sigma, m."window", m.attribute, m.value,
        m.ci_low, m.ci_high, m.n
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'probe'
        AND (m.name GLOB 'field.*' OR m.name GLOB 'concept.*')
      ORDER BY v.position, m.sigma DESC, m."window", m.name, m.attribute
      """
    ) { row in
      FieldRow(
        stage: try row.text("stage"), model: try row.text("model"),
        mask: try row.optionalText("intervention"), measure: try row.text("measure"),
        sigma: try row.optionalNumber("sigma"), window: try row.optionalInteger("window"),
        attribute: try row.optionalText("attribute"), estimate: try row.estimate("value"))
    }
  }
}

/// What telling a model the one thing that it can be told changes in an activation.
struct ToldAloneRow {
  var stage: String
  var isEndpoint: Bool
  var sigma: Double
  var attribute: String
  var estimate: Estimate

  static func question(_ runID: String) -> Question<ToldAloneRow> {
    Question(
      """
      SELECT s.name AS stage, e.value AS endpoints, m.sigma, m.attribute, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN metric m USING (execution_id) JOIN metric e USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND m.name = '\(Measure.featureEffect.name)'
        AND e.name = '\(Measure.fieldEndpoints.name)'
      ORDER BY s.id, m.sigma DESC
      """
    ) { row in
      ToldAloneRow(
        stage: try row.text("stage"), isEndpoint: try row.number("endpoints") == 1,
        sigma: try row.number("sigma"), attribute: try row.text("attribute"),
        estimate: try row.estimate("value"))
    }
  }
}

/// What a mask changes in a model of a shape of its own.
struct FieldMaskRow {
  var mask: String
  var measure: String
  var sigma: Double?
  var estimate: Estimate

  static func question(_ runID: String) -> Question<FieldMaskRow> {
    Question(
      """
      SELECT s.name, m.name AS measure, m.sigma, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN metric m USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'intervene'
        AND m.name IN (\(Measure.fieldMasks.sqlNames))
      ORDER BY s.id, m.sigma DESC, m.name
      """
    ) { row in
      FieldMaskRow(
        mask: try row.text("name"), measure: try row.text("measure"),
        sigma: try row.optionalNumber("sigma"), estimate: try row.estimate("value"))
    }
  }
}
