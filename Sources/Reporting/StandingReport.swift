import Formats
import Foundation
import Lineage

extension Report {
  /// The report of an earlier run that says all that this one's would: the last one written for its
  /// pipeline in `folder`, by the same program, of the same file, about the very same executions.
  package static func standing(store: Store, runID: String, in folder: URL) throws -> URL? {
    let pipeline = Question(
      """
      SELECT p.name FROM run r JOIN pipeline p ON p.id = r.pipeline_id
      WHERE r.id = \(Escape.sql(runID))
      """
    ) { try $0.text("name") }
    guard let name = try pipeline.rows(store).first else { return nil }
    let place = folder.appending(path: name)
    // Most of the runs of a study under cron have none: the folder says which have, by the time at their head.
    let pages = try StoreFile.names(in: place).filter { $0.hasSuffix(".md") && $0 != latestName }
    let written = pages.suffix(100).map { String($0.dropLast(3)) }
    for run in try EarlierRun.question(runID, among: written).rows(store) {
      let url = place.appending(path: run.id + ".md")
      if access(url.path, R_OK) != 0 { continue }
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
  /// Of the same file by the same program, and successful.
  var isAlike: Bool

  static func question(_ runID: String, among ids: [String]) -> Question<EarlierRun> {
    Question(
      """
      SELECT r.id, r.pipeline_id = own.pipeline_id AND r.status = 'succeeded'
        AND r.locus_version = own.locus_version AND r.git_commit IS own.git_commit AS alike
      FROM run own JOIN pipeline op ON op.id = own.pipeline_id
      JOIN pipeline p ON p.name = op.name JOIN run r ON r.pipeline_id = p.id
      WHERE own.id = \(Escape.sql(runID)) AND r.id <> own.id
        AND r.id IN (\(ids.map(Escape.sql).joined(separator: ", "))) ORDER BY r.sequence DESC, r.id DESC
      """
    ) { row in
      EarlierRun(
        id: try row.text("id"),
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
