import Formats
import Foundation
import Lineage
import Reporting
import Workflow

/// `locus report`: writes a run's report anew, from the store alone.
enum ReportCommand: Command {
  enum Format: String, CaseIterable { case markdown, html }

  struct Options: StoreOptions {
    @Positional(
      "RUN", default: "latest", names: .runs,
      "the beginning of a run's id, or `latest` (the default)")
    var run: String
    @Option("--format", "FORMAT", default: .markdown) var format: Format
    @Option("--output", "FILE", shown: "among the reports", "where an HTML report goes")
    var output: String?
    @Option(.reports) var reports: String
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "report", summary: "Write a run's report again, from what the store holds.",
    discussion: """
      A run writes its report when it ends, in Markdown with its pictures beside it; this prints the path
      of the new one. With --format html it is one file with its pictures inside, which can be sent to
      somebody: it needs no script, no network and nothing beside it, and follows the reader's preference
      for light or dark.
      """,
    examples: [
      .init(command: "locus report", effect: "the newest run's report"),
      .init(
        command: "locus report 20261124T1230 --reports /tmp/reports",
        effect: "an earlier run's, elsewhere"),
      .init(
        command: "locus report --format html --output report.html",
        effect: "the newest run's, as one file to send"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    if let output = options.output {
      guard options.format == .html else {
        throw UsageError.badValue(
          output, option: "--output",
          accepted:
            "a file for --format html; in Markdown a report is many files, and --reports says"
            + " where they go")
      }
      try context.checkWritable(output)
    }
    let store = try context.openStore()
    let id = try StoreReference.run(options.run, in: store)
    let path =
      switch options.format {
      case .markdown:
        try Report.write(store: store, runID: id, into: url(options.reports)).relativePath
      case .html: try writeHTML(store, id, context)
      }
    if OutputFile.isStandardOutput(URL(filePath: path)) { return 0 }
    try context.console.printLine(
      options.json
        ? JSONValue.object(["run": .string(id), "report": .string(path)]).canonicalText() : path)
    return 0
  }

  private static func writeHTML(_ store: Store, _ id: String, _ context: CommandContext<Options>)
    throws -> String
  {
    let report = try Report.html(store: store, runID: id, folder: url(context.options.reports))
    let path = context.options.output ?? report.url.relativePath
    if context.options.output == nil {
      try OutputFile.makeFolder(report.url.deletingLastPathComponent())
    }
    try context.save(report.content, to: path)
    return path
  }

  /// The report on a run that has just ended; one that had nothing to do needs none of its own.
  static func page(on run: RunSummary, _ store: Store, into folder: String) throws -> URL {
    if run.status == .succeeded, run.executed == 0,
      let report = try Report.standing(store: store, runID: run.runID, in: url(folder))
    {
      return report
    }
    return try Report.write(store: store, runID: run.runID, into: url(folder))
  }

  private static func url(_ folder: String) -> URL {
    URL(filePath: folder, directoryHint: .isDirectory)
  }
}
