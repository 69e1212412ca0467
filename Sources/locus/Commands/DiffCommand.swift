import Formats
import Lineage
import Workflow

/// `locus diff`: what two runs have not in common.
enum DiffCommand: Command {
  struct Options: StoreOptions {
    @Positional("RUN", names: .runs, "the beginning of a run's id") var run: String
    @Positional("RUN", default: "latest", names: .runs, "the other one (default: `latest`)")
    var other: String
    @Flag("--all", "equal metrics and points of curves too") var all
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "diff",
    summary: "Show two runs side by side: parameters, inputs, metrics with intervals.",
    discussion: """
      Stages are compared by their names. Values stand with their 95 % intervals; intervals that do
      not overlap are marked. Without --all only what differs is shown, and no curves. Metrics have
      four digits everywhere; --json has them all.

      \(TextTable.fitting)
      """,
    examples: [
      .init(command: "locus diff 20261123 latest", effect: "yesterday's run beside the newest"),
      .init(command: "locus diff 20261123T0300 20261124T0300 --json", effect: "for a program"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let store = try context.openStore()
    let ids = try [context.options.run, context.options.other].map {
      try StoreReference.run($0, in: store)
    }
    // `diff latest` alone would be latest beside latest, and say that nothing differs.
    guard ids[0] != ids[1] else {
      throw UsageError.badValue(
        "\(context.options.run) \(context.options.other)", option: "RUN RUN",
        accepted: "two runs; both are \(ids[0]), and `locus runs` lists others")
    }
    let comparison = try RunComparison(
      ids[0], ids[1], in: store, all: context.options.all, for: context.console)
    if context.options.json {
      try context.console.write(comparison.sheet.json)
    } else {
      try context.console.write(comparison.text)
    }
    return 0
  }
}
