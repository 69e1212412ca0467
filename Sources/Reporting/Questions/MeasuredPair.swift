import Formats
import Lineage
import Measures

/// The SQL by which a comparison's metric leads to the two evaluations, or probes, that it is about.
///
/// A study has ten thousand pairs: what measured is looked up once, and joins are written in the order in
/// which they shall be made.
enum MeasuredPair {
  /// What measured a denoiser of the run, by the manifest that it left.
  static func named(_ runID: String) -> String {
    """
    WITH measured AS MATERIALIZED (
      SELECT o.sha256, v.name, coalesce(v.intervention, v.model) AS title, v.position
      FROM run_model v CROSS JOIN execution_output o
      WHERE v.run_id = \(Escape.sql(runID)) AND o.execution_id = v.execution_id AND o.role = 'manifest')
    """
  }

  /// Metrics `m` of comparisons `s` between what measured: `v` and `w`.
  static func joined(_ runID: String, _ measures: [Measure]) -> String {
    """
    FROM stage s CROSS JOIN metric m CROSS JOIN measured v CROSS JOIN measured w
    WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'compare' AND m.execution_id = s.execution_id
      AND m.name IN (\(measures.sqlNames)) AND v.sha256 = m.subject AND w.sha256 = m.against
    """
  }
}

/// What one stage's number has beyond another's, whichever of the two it was written down for.
struct PairedEstimates<Subject: Hashable> {
  private struct Pair: Hashable {
    var stage: String
    var other: String
    var subject: Subject
  }
  private var estimates: [Pair: Estimate] = [:]

  /// Of several about one pair the first counts.
  init(_ rows: [(stage: String, other: String, subject: Subject, estimate: Estimate)]) {
    for row in rows {
      let pair = Pair(stage: row.stage, other: row.other, subject: row.subject)
      if estimates[pair] == nil { estimates[pair] = row.estimate }
    }
  }

  func difference(_ stage: String, _ other: String, of subject: Subject) -> Estimate? {
    estimates[Pair(stage: stage, other: other, subject: subject)]
      ?? estimates[Pair(stage: other, other: stage, subject: subject)]?.negated
  }
}
