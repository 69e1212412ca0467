import Formats
import Measures

/// What a run's evaluations ask for, as charts and captions call it.
enum Requested: String {
  case places
  case words

  /// Of an axis.
  var recall: String { self == .places ? "location recall" : "word recall" }
  var things: String { "requested \(rawValue)" }
  /// What every chart of recall shows.
  var alternative: String {
    recall.prefix(1).uppercased() + recall.dropFirst() + " against the number of " + things
  }

  /// Evaluations of words alone measure word by word.
  static func question(_ runID: String) -> Question<Requested> {
    Question(
      """
      SELECT count(*) > 0 AS words FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'evaluate'
        AND m.name = \(Measure.recallByWord.sqlName)
      """
    ) { try $0.integer("words") == 1 ? .words : .places }
  }
}
