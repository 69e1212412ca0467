import Foundation
import Lineage

/// A run's report in markdown, from the store alone.
package enum Report {
  /// In the order of the page.
  static var sections: [any Section.Type] {
    [
      HeaderSection.self, LengthGeneralizationSection.self, SampleSection.self, TheorySection.self,
      LocalitySection.self, AnalyticSection.self, EffectSection.self, JudgeSection.self,
      CostSection.self, ChangeSection.self, LineageSection.self, ReproductionSection.self,
    ]
  }

  /// Writes `folder/<pipeline>/<run>.md` with its pictures beside it, and `latest.md`, a copy.
  ///
  /// Works for failed runs too: what failed stands on top, sections without data are one sentence.
  /// - Returns: the run's own file.
  package static func write(store: Store, runID: String, into folder: URL) throws -> URL {
    let data = try RunData(store: store, runID: runID)
    guard isPlainName(data.run.pipeline), isPlainName(runID, most: 128) else {
      throw StoreError.damaged(
        path: store.databaseURL.path, reason: "a run or its pipeline has a name that is no name")
    }
    let page = MarkdownRenderer(
      try sections.flatMap { try $0.init(data).blocks }, pictureFolder: runID)
    let place = folder.appending(path: data.run.pipeline)
    AtomicFile.removeDrafts(in: place)
    try AtomicFile.makeFolder(place.appending(path: runID))
    for (name, content) in page.files {
      try AtomicFile.write(
        content, to: place.appending(path: "\(runID)/\(name)"), temporary: place)
    }
    let text = Data(page.text.utf8)
    let url = place.appending(path: runID + ".md")
    try AtomicFile.write(text, to: url)
    // An older run's report, written again, does not become the latest.
    if try latestRun(data.run.pipeline).rows(store).first == runID {
      try AtomicFile.write(text, to: place.appending(path: latestName))
    }
    return url
  }

  static let latestName = "latest.md"

  private static func latestRun(_ pipeline: String) -> Question<String> {
    Question("SELECT id FROM latest_run WHERE pipeline = \(quoted(pipeline))") {
      try $0.text("id")
    }
  }
}
