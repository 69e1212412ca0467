import Foundation
import Lineage

extension Report {
  /// The report of an earlier run that says all that this one's would: the last one written for its
  /// pipeline in `folder`, by the same program, of the same file, about the very same executions.
  public static func standing(store: Store, runID: String, in folder: URL) throws -> URL? {
    let runs = try store.query(
      """
      SELECT r.id, r.pipeline_id = own.pipeline_id AND r.status = 'succeeded'
        AND r.locus_version = own.locus_version AND r.git_commit IS own.git_commit, p.name
      FROM run own JOIN pipeline op ON op.id = own.pipeline_id
      JOIN pipeline p ON p.name = op.name JOIN run r ON r.pipeline_id = p.id
      WHERE own.id = ?1 AND r.id <> ?1 ORDER BY r.started_at DESC, r.id DESC
      """, [.text(runID)])
    for row in runs.rows {
      guard let id = row[0].text, let pipeline = row[2].text else { return nil }
      let place = folder.appending(path: pipeline)
      let url = place.appending(path: id + ".md")
      if access(url.path, R_OK) != 0 { continue }
      guard row[1] == .integer(1), access(place.appending(path: "latest.md").path, R_OK) == 0,
        try stages(store, id) == stages(store, runID)
      else { return nil }
      return url
    }
    return nil
  }

  private static func stages(_ store: Store, _ runID: String) throws -> [[SQLValue]] {
    try store.query(
      "SELECT name, execution_id FROM stage WHERE run_id = ? ORDER BY name", [.text(runID)]
    ).rows
  }
}
