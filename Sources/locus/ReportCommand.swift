import Formats
import Foundation
import Lineage
import Reporting

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
    let path = context.arguments["--reports"] ?? "reports"
    return try Report.write(
      store: store, runID: runID, into: URL(filePath: path, directoryHint: .isDirectory)
    ).relativePath
  }
}
