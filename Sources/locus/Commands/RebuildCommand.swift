import Formats
import Lineage
import Workflow

/// `locus rebuild`: the database again, from receipts and objects alone.
enum RebuildCommand: Command {
  struct Options: StoreOptions {
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "rebuild", summary: "Make the database again from receipts and objects alone.",
    discussion: """
      Receipts and objects are the truth, the database is their index. The old database is replaced
      only when the new one is whole.
      """,
    examples: [
      .init(command: "locus rebuild", effect: "the same tables, row for row, from the receipts")
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let counts = try context.openSession(as: "rebuild", heals: false).rebuild()
    if context.options.json {
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
