import Foundation
import Lineage

/// A run's report in markdown, from the store alone.
public enum Report {
  /// Writes `folder/<pipeline>/<run>.md` with its pictures beside it, and `latest.md`, a copy.
  ///
  /// Works for failed runs too: what failed stands on top, sections without data are one sentence.
  /// - Returns: the run's own file.
  public static func write(store: Store, runID: String, into folder: URL) throws -> URL {
    let data = try RunData(store: store, runID: runID)
    guard isPlainName(data.run.pipeline), isPlainName(runID, most: 128) else {
      throw StoreError.damaged(
        path: store.databaseURL.path, reason: "a run or its pipeline has a name that is no name")
    }
    let place = folder.appending(path: data.run.pipeline)
    var page = Page(pictureFolder: runID)
    let sections: [(RunData, inout Page) throws -> Void] = [
      HeaderSection.write, LengthGeneralizationSection.write, SampleSection.write,
      TheorySection.write, LocalitySection.write, AnalyticSection.write, EffectSection.write,
      JudgeSection.write,
      CostSection.write,
      ChangeSection.write, LineageSection.write, ReproductionSection.write,
    ]
    for section in sections { try section(data, &page) }
    try AtomicFile.makeFolder(place.appending(path: runID))
    for (name, content) in page.pictures {
      try AtomicFile.write(content, to: place.appending(path: "\(runID)/\(name)"))
    }
    let text = Data(page.text.utf8)
    let url = place.appending(path: runID + ".md")
    try AtomicFile.write(text, to: url)
    // An older run's report, written again, does not become the latest.
    let latest = try store.query(
      "SELECT id FROM latest_run WHERE pipeline = ?", [.text(data.run.pipeline)])
    if latest.rows.first?.first?.text == runID {
      try AtomicFile.write(text, to: place.appending(path: "latest.md"))
    }
    return url
  }
}
