import Formats

/// A number about real pictures and renders of the same scenes.
struct RealismRow {
  /// The measuring stage.
  var stage: String
  var measure: String
  var k: Int?
  var detector: String?
  var attribute: String?
  var estimate: Estimate

  static func question(_ runID: String) -> Question<RealismRow> {
    Question(
      """
      SELECT s.name AS stage, m.name, m.k, m.detector, m.attribute, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN metric m ON m.execution_id = s.execution_id
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'realism'
      ORDER BY s.id, m.k, m.detector DESC, m.name, m.attribute
      """
    ) { row in
      RealismRow(
        stage: try row.text("stage"), measure: try row.text("name"),
        k: try row.optionalInteger("k"), detector: try row.optionalText("detector"),
        attribute: try row.optionalText("attribute"), estimate: try row.estimate("value"))
    }
  }
}
