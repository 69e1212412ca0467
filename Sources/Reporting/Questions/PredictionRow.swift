import Formats
import Lineage
import Measures

/// What a stage wrote down of a denoiser before it was evaluated, or after.
struct PredictionRow {
  /// The stage that predicted.
  var prediction: String
  var writtenAt: String
  /// The denoiser.
  var title: String
  var probe: String
  /// 1 for the one that is expected to recall most.
  var rank: Double
  var k: Int
  var inputs: String

  static func question(_ runID: String) -> Question<PredictionRow> {
    Question(
      """
      SELECT s.name AS prediction, e.finished_at AS written_at,
        coalesce(v.intervention, v.model) AS title, v.name AS probe, m.value AS rank, m.k, m.inputs
      FROM stage s JOIN execution e ON e.id = s.execution_id
      JOIN metric m ON m.execution_id = e.id AND m.name = \(Measure.predictedRank.sqlName)
      JOIN execution_output o ON o.sha256 = m.subject AND o.role = 'manifest'
      JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'predict' ORDER BY s.id, m.value, v.position
      """
    ) { row in
      PredictionRow(
        prediction: try row.text("prediction"), writtenAt: try row.text("written_at"),
        title: try row.text("title"), probe: try row.text("probe"), rank: try row.number("rank"),
        k: try row.integer("k"), inputs: try row.text("inputs"))
    }
  }
}

/// When an evaluation began.
struct BeginningRow {
  var executionID: String
  var startedAt: String

  static func question(_ runID: String) -> Question<BeginningRow> {
    Question(
      """
      SELECT v.name, v.execution_id, e.started_at FROM run_model v
      JOIN execution e ON e.id = v.execution_id
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'evaluate' ORDER BY e.started_at, v.position
      """
    ) { row in
      BeginningRow(
        executionID: try row.text("execution_id"), startedAt: try row.text("started_at"))
    }
  }
}
