import Formats
import Lineage
import Workflow

/// `locus diff`: what two runs have not in common.
enum DiffCommand: Command {
  static let declaration = CommandDeclaration(
    name: "diff",
    summary: "Show two runs side by side: parameters, inputs, metrics with intervals.",
    positionals: [
      PositionalDeclaration(name: "RUN", help: "the beginning of a run's id"),
      PositionalDeclaration(
        name: "RUN", isOptional: true, help: "the other one (default: `latest`)"),
    ],
    options: [
      OptionDeclaration("--all", help: "equal metrics and points of curves too"),
      CommandDeclaration.json, CommandDeclaration.store,
    ],
    discussion: """
      Stages are compared by their names. Values stand with their 95 % intervals; intervals that do
      not overlap are marked. Without --all only what differs is shown, and no curves.
      """,
    examples: [
      .init(command: "locus diff 20261123 latest", effect: "yesterday's run beside the newest"),
      .init(command: "locus diff 20261123T0300 20261124T0300 --json", effect: "for a program"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let store = try context.openStore()
    let ids = try [
      context.arguments.positional(0) ?? "", context.arguments.positional(1) ?? "latest",
    ]
    .map { word in
      guard case .run(let id) = try StoreReference(word, in: store) else {
        throw UsageError.noRun(word)
      }
      return id
    }
    let comparison = try RunComparison(
      ids[0], ids[1], in: store, all: context.arguments.has("--all"))
    if context.arguments.has("--json") {
      try context.console.write(comparison.sheet.json)
    } else {
      try context.console.write(comparison.text)
    }
    return 0
  }
}
