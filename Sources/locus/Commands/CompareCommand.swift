import Lineage

/// `locus compare`: any number of runs beside each other.
enum CompareCommand: Command {
  struct Options: StoreOptions {
    @Positional(
      repeated: "RUN", names: .runs, "the beginnings of two or more runs' ids, or `latest`")
    var runs: [String]
    @Flag("--all", "equal parameters and metrics and points of curves too") var all
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "compare",
    summary: "Show any number of runs beside each other: parameters that differ, metrics.",
    discussion: """
      A column a run, in the order in which they are named. Stages are compared by their names; values
      stand with their 95 % intervals. `diff` says more of two: inputs, other bytes of one key, and which
      intervals do not overlap. As JSON, metrics are a row a run.
      """,
    examples: [
      .init(
        command: "locus compare 20261123 20261124 latest", effect: "three nights of a study"),
      .init(
        command: "locus compare 20261123 latest --json", effect: "with all digits, for a program"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let store = try context.openStore()
    let ids = try context.options.runs.map { try StoreReference.run($0, in: store) }
    if ids.count < 2 || Set(ids).count < ids.count {
      throw UsageError.badValue(
        context.options.runs.joined(separator: " "), option: "RUN",
        accepted: "two or more runs, none of them twice")
    }
    let table = try RunTable(ids, in: store, all: context.options.all)
    try context.console.write(
      context.options.json ? table.json : table.text(for: context.console))
    return 0
  }
}
