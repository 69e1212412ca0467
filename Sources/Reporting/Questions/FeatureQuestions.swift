import Formats
import Measures

/// A number that a `features` stage measured.
struct FeatureRow: Measured {
  /// The instance, and what measured.
  var stage: String
  var measure: String
  var sigma: Double
  var k: Int?
  var inputs: String?
  /// Two words, or of which pairs.
  var pair: String?
  var attribute: String?
  var estimate: Estimate
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: stage, instances: [stage]) }

  struct Key: Hashable {
    var measure: String
    var sigma: Double
    var k: Int?
    var inputs: String?
    var pair: String?
    var attribute: String?
  }
  var key: Key {
    Key(
      measure: measure, sigma: sigma, k: k, inputs: inputs, pair: pair, attribute: attribute)
  }

  static func question(_ runID: String) -> Question<FeatureRow> {
    Question(
      """
      SELECT s.name AS stage, m.name AS measure, m.sigma, m.k, m.inputs, m.pair, m.attribute, m.value,
        m.ci_low, m.ci_high, m.n
      FROM stage s JOIN metric m USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'features' AND m.name GLOB 'feature.*'
        AND m.name <> '\(Measure.featureEffect.name)'
      ORDER BY s.id, m.sigma DESC, m.k, m.inputs, m.name, m.pair, m.attribute
      """
    ) { row in
      FeatureRow(
        stage: try row.text("stage"), measure: try row.text("measure"),
        sigma: try row.number("sigma"), k: try row.optionalInteger("k"),
        inputs: try row.optionalText("inputs"), pair: try row.optionalText("pair"),
        attribute: try row.optionalText("attribute"), estimate: try row.estimate("value"))
    }
  }
}

/// Of which model a `features` stage is.
struct FeatureModelRow {
  var stage: String
  var model: String
  /// Whether each word drives channels of its own in it.
  var isByConstruction: Bool

  static func question(_ runID: String) -> Question<FeatureModelRow> {
    Question(
      """
      SELECT v.name AS stage, v.model, coalesce(json_extract(m.body, '$.network.conditioning') = 'words', 0)
        AS is_by_construction
      FROM run_model v LEFT JOIN manifest m ON m.sha256 = v.denoiser
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'features' ORDER BY v.position
      """
    ) {
      FeatureModelRow(
        stage: try $0.text("stage"), model: try $0.text("model"),
        isByConstruction: try $0.integer("is_by_construction") == 1)
    }
  }
}
