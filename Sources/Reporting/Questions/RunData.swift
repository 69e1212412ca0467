import Formats
import Lineage
import Measures

/// A run, and what more than one section needs of it.
struct RunData {
  let store: Store
  let run: RunRecord
  let naming: Naming
  /// In the order of the pipeline.
  let evaluated: [EvaluatedModel]
  /// What was compared; in the order of the pipeline.
  let comparisons: [ComparedEvaluation]
  /// Of several comparisons of an evaluation the first.
  let compared: [ComparedEvaluation]
  let effects: [EffectRow]
  /// What was measured of the evaluated, by K.
  let curves: Curves
  /// The largest number of objects in training pictures.
  let trainingMaximum: Int?
  let requested: Requested

  init(store: Store, runID: String) throws {
    self.store = store
    run = try store.run(runID)
    naming = Naming(run.stages)
    evaluated = try EvaluatedModel.question(runID).rows(store).labelled()
    comparisons = try ComparedEvaluation.drawn(
      ComparedEvaluation.all(runID, evaluated, store), store)
    compared = comparisons.reduce(into: []) { first, one in
      if first.last?.evaluated.executionID != one.evaluated.executionID { first.append(one) }
    }
    effects = try EffectRow.all(runID, evaluated, store)
    curves = Curves(try Curves.question(runID).rows(store))
    trainingMaximum = try Self.trainingMaximum(runID).rows(store).first ?? nil
    requested = try Requested.question(runID).rows(store).first ?? .places
  }

  func ask<Answer>(_ question: Question<Answer>) throws -> [Answer] { try question.rows(store) }

  private static func trainingMaximum(_ runID: String) -> Question<Int?> {
    Question(
      """
      SELECT max(m.value) AS objects FROM stage s JOIN metric m ON m.execution_id = s.execution_id
      WHERE s.run_id = \(Escape.sql(runID)) AND m.name = \(Measure.trainingMaximum.sqlName)
      """
    ) { try $0.optionalNumber("objects").map { Int($0) } }
  }
}

/// A file that a stage left.
struct StageFileRow {
  var stage: String
  var sha256: String

  /// The files that stages of a kind left in a role.
  static func question(_ runID: String, kind: String, role: String) -> Question<StageFileRow> {
    Question(
      """
      SELECT s.name, o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = \(Escape.sql(kind)) AND o.role = \(Escape.sql(role))
      ORDER BY s.id
      """
    ) { StageFileRow(stage: try $0.text("name"), sha256: try $0.text("sha256")) }
  }
}
