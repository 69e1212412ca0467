import Formats
import Measures

/// A number that a `probe` stage measured of a model of a shape of its own.
struct FieldRow {
  var stage: String
  var measure: String
  var sigma: Double?
  var window: Int?
  var attribute: String?
  var estimate: Estimate

  static func question(_ runID: String) -> Question<FieldRow> {
    Question(
      """
      SELECT s.name AS stage, m.name AS measure, m.sigma, m."window", m.attribute, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN metric m USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'probe'
        AND (m.name GLOB 'field.*' OR m.name GLOB 'concept.*')
      ORDER BY s.id, m.sigma DESC, m."window", m.name, m.attribute
      """
    ) { row in
      FieldRow(
        stage: try row.text("stage"), measure: try row.text("measure"),
        sigma: try row.optionalNumber("sigma"), window: try row.optionalInteger("window"),
        attribute: try row.optionalText("attribute"), estimate: try row.estimate("value"))
    }
  }
}
