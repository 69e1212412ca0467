import Formats
import Lineage
import Measures
import Workflow

/// `locus rebuild`: the database again, from receipts and objects alone.
enum RebuildCommand: Command {
  static let declaration = CommandDeclaration(
    name: "rebuild", summary: "Make the database again from receipts and objects alone.",
    options: [CommandDeclaration.json, CommandDeclaration.store],
    discussion: """
      Receipts and objects are the truth, the database is their index. The old database is replaced
      only when the new one is whole.
      """,
    examples: [
      .init(command: "locus rebuild", effect: "the same tables, row for row, from the receipts")
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let lock = try RunLock.acquire(context.lockURL, as: .current(pipeline: "rebuild"))
    defer { withExtendedLifetime(lock) {} }
    let counts = try Store.rebuild(context.storeFolder, .locus)
    if context.arguments.has("--json") {
      let value = JSONValue.object([
        "executions": .integer(counts.executions), "runs": .integer(counts.runs),
      ])
      try context.console.printLine(value.canonicalText())
      return 0
    }
    try context.console.printLine(
      "\(counts.executions) executions and \(counts.runs) runs are in the new database")
    return 0
  }
}
