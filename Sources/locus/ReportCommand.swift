import Formats
import Foundation
import Lineage
import Reporting
import Workflow

/// `locus report`: writes a run's report anew, from the store alone.
enum ReportCommand: Command {
  static let reports = OptionDeclaration(
    "--reports", "DIR", help: "where reports go (default: reports)")

  static let declaration = CommandDeclaration(
    name: "report", summary: "Write a run's report again, from what the store holds.",
    positionals: [
      PositionalDeclaration(
        name: "RUN", isOptional: true,
        help: "the beginning of a run's id, or `latest` (the default)")
    ],
    options: [reports, CommandDeclaration.json, CommandDeclaration.store],
    discussion: "A run writes its report when it ends; this prints the path of the new one.",
    examples: [
      .init(command: "locus report", effect: "the newest run's report"),
      .init(
        command: "locus report 20261124T1230 --reports /tmp/reports",
        effect: "an earlier run's, elsewhere"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let store = try context.openStore()
    let word = context.arguments.positional(0) ?? "latest"
    guard case .run(let id) = try StoreReference(word, in: store) else {
      throw UsageError.noRun(word)
    }
    let path = try write(id, store, context)
    try context.console.printLine(
      context.arguments.has("--json")
        ? JSONValue.object(["run": .string(id), "report": .string(path)]).canonicalText() : path)
    return 0
  }

  /// Returns the path of the report.
  static func write(_ runID: String, _ store: Store, _ context: CommandContext) throws -> String {
    try Report.write(store: store, runID: runID, into: folder(context)).relativePath
  }

  /// The report on a run that has just ended; one that had nothing to do needs none of its own.
  static func path(of run: RunSummary, _ store: Store, _ context: CommandContext) throws -> String {
    if run.status == .succeeded, run.executed == 0,
      let report = try Report.standing(store: store, runID: run.runID, in: folder(context))
    {
      return report.relativePath
    }
    return try write(run.runID, store, context)
  }

  private static func folder(_ context: CommandContext) -> URL {
    URL(filePath: context.arguments["--reports"] ?? "reports", directoryHint: .isDirectory)
  }
}
