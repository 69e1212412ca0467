import Formats
import Foundation
import Lineage

extension Report {
  /// The report of an earlier run that says all that this one's would: the last one written for its
  /// pipeline in `folder`, by the same program, of the same file, about the very same executions.
  package static func standing(store: Store, runID: String, in folder: URL) throws -> URL? {
    let root = folder.path
    for run in try EarlierRun.question(runID).rows(store) {
      // Most of the runs of a study under cron have none.
      if access("\(root)/\(run.pipeline)/\(run.id).md", R_OK) != 0 { continue }
      let place = folder.appending(path: run.pipeline)
      let url = place.appending(path: run.id + ".md")
      guard run.isAlike,
        try EarlierRun.stages(run.id).rows(store) == EarlierRun.stages(runID).rows(store)
      else { return nil }
      AtomicFile.removeDrafts(in: place)
      // A process may have been killed between the two.
      let latest = place.appending(path: latestName)
      if let text = try StoreFile.read(url), (try? StoreFile.read(latest)) != text,
        // One that did a part stands for nothing but itself.
        try LatestRun.question(of: runID).rows(store).first?.id == runID
      {
        try AtomicFile.write(text, to: latest)
      }
      return url
    }
    return nil
  }
}

/// A run of the same pipeline as another one, the newest first.
private struct EarlierRun {
  var id: String
  var pipeline: String
  /// Of the same file by the same program, and successful.
  var isAlike: Bool

  static func question(_ runID: String) -> Question<EarlierRun> {
    Question(
      """
      SELECT r.id, r.pipeline_id = own.pipeline_id AND r.status = 'succeeded'
        AND r.locus_version = own.locus_version AND r.git_commit IS own.git_commit AS alike, p.name
      FROM run own JOIN pipeline op ON op.id = own.pipeline_id
      JOIN pipeline p ON p.name = op.name JOIN run r ON r.pipeline_id = p.id
      WHERE own.id = \(Escape.sql(runID)) AND r.id <> own.id ORDER BY r.sequence DESC, r.id DESC
      """
    ) { row in
      EarlierRun(
        id: try row.text("id"), pipeline: try row.text("name"),
        isAlike: try row.integer("alike") == 1)
    }
  }

  static func stages(_ runID: String) -> Question<[String?]> {
    Question(
      "SELECT name, execution_id FROM stage WHERE run_id = \(Escape.sql(runID)) ORDER BY name"
    ) {
      [try $0.text("name"), try $0.optionalText("execution_id")]
    }
  }
}
