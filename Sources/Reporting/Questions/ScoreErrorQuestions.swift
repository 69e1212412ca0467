import Formats
import Measures

/// The error of a denoiser's score over the noise levels that can be relied on, on or off training.
struct ScoreErrorRow {
  /// What the report calls the denoiser.
  var model: String
  /// The inputs that it was held against.
  var posterior: String
  var isOnTraining: Bool
  /// `nil`: over all K of its side.
  var k: Int?
  var error: Estimate

  static func question(_ runID: String) -> Question<ScoreErrorRow> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS model, v.name AS stage, p.sha256 AS posterior,
        m.name = \(Measure.scoreErrorOn.sqlName) AS on_training, m.k, m.value AS error, m.ci_low,
        m.ci_high, m.n
      FROM run_model v JOIN metric m USING (execution_id)
      JOIN execution_input p ON p.execution_id = v.execution_id AND p.role = 'posterior/manifest'
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'score-error'
        AND m.name IN (\([Measure.scoreErrorOn, .scoreErrorOff].sqlNames))
      ORDER BY v.position, on_training DESC, m.k
      """
    ) { row in
      ScoreErrorRow(
        model: try row.text("model"), posterior: try row.text("posterior"),
        isOnTraining: try row.integer("on_training") == 1, k: try row.optionalInteger("k"),
        error: try row.estimate("error"))
    }
  }
}

/// The same at one noise level, with the part of it at labelled objects and what was left out.
struct ScoreErrorLevelRow: Labelled {
  var model: String
  var stage: String
  var k: Int
  var sigma: Double
  var error: Estimate
  var atObjects: Double?
  var leftOut: Double?
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: model, instances: [stage]) }

  static func question(_ runID: String) -> Question<ScoreErrorLevelRow> {
    func other(_ measure: Measure) -> String {
      """
      (SELECT o.value FROM metric o WHERE o.execution_id = m.execution_id
        AND o.name = \(measure.sqlName) AND o.k = m.k AND o.sigma = m.sigma)
      """
    }
    return Question(
      """
      SELECT coalesce(v.intervention, v.model) AS model, v.name AS stage, m.k, m.sigma,
        m.value AS error, m.ci_low, m.ci_high, m.n, \(other(.scoreErrorAtObjects)) AS at_objects,
        \(other(.posteriorLeftOut)) AS left_out
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'score-error'
        AND m.name = \(Measure.scoreError.sqlName)
      ORDER BY v.position, m.k, m.sigma DESC
      """
    ) { row in
      ScoreErrorLevelRow(
        model: try row.text("model"), stage: try row.text("stage"), k: try row.integer("k"),
        sigma: try row.number("sigma"), error: try row.estimate("error"),
        atObjects: try row.optionalNumber("at_objects"),
        leftOut: try row.optionalNumber("left_out"))
    }
  }
}

/// What the exact answers rest on.
struct PosteriorRow {
  var stage: String
  var k: Int
  var sigma: Double
  /// Median effective sample size of the lesser half.
  var effective: Double
  var leftOut: Double?
  var noise: Double?

  static func question(_ runID: String) -> Question<PosteriorRow> {
    func value(_ measure: Measure) -> String {
      "max(CASE m.name WHEN \(measure.sqlName) THEN m.value END)"
    }
    return Question(
      """
      SELECT s.name AS stage, m.k, m.sigma, \(value(.posteriorEffective)) AS effective,
        \(value(.posteriorLeftOut)) AS left_out, \(value(.posteriorNoise)) AS noise
      FROM stage s JOIN metric m USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'posterior'
      GROUP BY s.id, m.k, m.sigma ORDER BY s.id, m.k, m.sigma DESC
      """
    ) { row in
      PosteriorRow(
        stage: try row.text("stage"), k: try row.integer("k"), sigma: try row.number("sigma"),
        effective: try row.number("effective"), leftOut: try row.optionalNumber("left_out"),
        noise: try row.optionalNumber("noise"))
    }
  }
}
