import Formats
import Foundation
import Lineage

/// A run's report, from the store alone.
package enum Report {
  /// In the order of the page.
  static var sections: [any Section.Type] {
    [
      HeaderSection.self, ReplicateSection.self, LengthGeneralizationSection.self,
      TrainingSection.self, WindowSection.self, SampleSection.self, TheorySection.self,
      RemoteSection.self, PredictionSection.self, LocalitySection.self, FieldSection.self,
      FieldMaskSection.self,
      AnalyticSection.self,
      ScoreErrorSection.self, WordsSection.self, FeaturesSection.self, EffectSection.self,
      CompositionSection.self,
      PictureQualitySection.self, VarianceSection.self, JudgeSection.self, RealismSection.self,
      CostSection.self, ChangeSection.self, LineageSection.self, ReproductionSection.self,
    ]
  }

  /// Writes `folder/<pipeline>/<run>.md` with its pictures beside it, and `latest.md`, a copy.
  ///
  /// Works for failed runs too: what failed stands on top, sections without data are one sentence.
  /// - Returns: the run's own file.
  package static func write(store: Store, runID: String, into folder: URL) throws -> URL {
    let url = try page(store, runID, into: folder)
    // What is whole stays the latest, and says that there is something newer.
    let latest = try LatestRun.question(of: runID).rows(store).first
    var current: URL?
    if latest?.id == runID { current = url }
    if let latest, latest.newer == runID { current = try page(store, latest.id, into: folder) }
    if let current, let text = try StoreFile.read(current) {
      try OutputFile.write(
        text, to: current.deletingLastPathComponent().appending(path: latestName))
    }
    return url
  }

  /// The report as one HTML file with its pictures inside, and where it lies unless somebody says so:
  /// beside the run's own page.
  package static func html(store: Store, runID: String, folder: URL) throws -> (
    content: Data, url: URL
  ) {
    let data = try RunData(store: store, runID: runID)
    let place = try place(of: data, in: folder)
    let page = HTMLRenderer(
      try blocks(data), title: "\(data.run.pipeline), run \(runID)",
      signature: RunSignature(data.run))
    return (Data(page.text.utf8), place.appending(path: runID + ".html"))
  }

  private static func blocks(_ data: RunData) throws -> [Block] {
    let kinds = Set(data.run.stages.map(\.kind))
    return try sections.filter { $0.kinds.isEmpty || !$0.kinds.isDisjoint(with: kinds) }
      .flatMap { try $0.init(data).blocks }
  }

  private static func place(of data: RunData, in folder: URL) throws -> URL {
    guard isPlainName(data.run.pipeline), isPlainName(data.run.id, most: 128) else {
      throw StoreError.damaged(
        path: data.store.databaseURL.path,
        reason: "a run or its pipeline has a name that is no name")
    }
    return folder.appending(path: data.run.pipeline)
  }

  /// Writes the run's own file with its pictures.
  private static func page(_ store: Store, _ runID: String, into folder: URL) throws -> URL {
    let data = try RunData(store: store, runID: runID)
    let place = try place(of: data, in: folder)
    let page = MarkdownRenderer(
      try blocks(data), pictureFolder: runID, signature: RunSignature(data.run))
    AtomicFile.removeDrafts(in: place)
    try AtomicFile.makeFolder(place.appending(path: runID))
    for (name, content) in page.files {
      try OutputFile.write(
        content, to: place.appending(path: "\(runID)/\(name)"), temporary: place)
    }
    let url = place.appending(path: runID + ".md")
    try OutputFile.write(Data(page.text.utf8), to: url)
    return url
  }

  static let latestName = "latest.md"

  /// The answer on a page, its one bold sentence, in plain text; `nil` where there is none.
  package static func verdict(of page: URL) throws -> String? {
    // By bytes, and only the head: every run asks, also of pages on hundreds of stages.
    guard let text = try StoreFile.read(page) else { return nil }
    let head = text.range(of: Data("\n## ".utf8)).map { text[..<$0.lowerBound] } ?? text
    let stars = Data("**".utf8)
    let bold = head.split(separator: UInt8(ascii: "\n")).first {
      $0.starts(with: stars) && $0.suffix(2) == stars
    }
    return bold.map { Markdown.plain(String(decoding: $0, as: UTF8.self)) }
  }
}

/// The run that stands for a pipeline, and a newer one that is not whole.
struct LatestRun: Hashable {
  var id: String
  var newer: String?
  var newerStatus: String?

  /// - Parameter runID: of any run of the pipeline.
  static func question(of runID: String) -> Question<LatestRun> {
    Question(
      """
      SELECT l.id, l.newer, n.status FROM run r JOIN pipeline p ON p.id = r.pipeline_id
      JOIN latest_run l ON l.pipeline = p.name LEFT JOIN run n ON n.id = l.newer
      WHERE r.id = \(Escape.sql(runID))
      """
    ) { row in
      LatestRun(
        id: try row.text("id"), newer: try row.optionalText("newer"),
        newerStatus: try row.optionalText("status"))
    }
  }
}
