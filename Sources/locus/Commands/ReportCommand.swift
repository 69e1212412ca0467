import Formats
import Foundation
import Lineage
import Reporting
import Workflow

/// `locus report`: writes a run's report anew, from the store alone.
enum ReportCommand: Command {
  struct Options: StoreOptions {
    @Positional(
      "RUN", default: "latest", names: .runs,
      "the beginning of a run's id, or `latest` (the default)")
    var run: String
    @Option(.reports) var reports: String
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "report", summary: "Write a run's report again, from what the store holds.",
    discussion: "A run writes its report when it ends; this prints the path of the new one.",
    examples: [
      .init(command: "locus report", effect: "the newest run's report"),
      .init(
        command: "locus report 20261124T1230 --reports /tmp/reports",
        effect: "an earlier run's, elsewhere"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let store = try context.openStore()
    let id = try StoreReference.run(context.options.run, in: store)
    let path = try Report.write(store: store, runID: id, into: url(context.options.reports))
      .relativePath
    try context.console.printLine(
      context.options.json
        ? JSONValue.object(["run": .string(id), "report": .string(path)]).canonicalText() : path)
    return 0
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
