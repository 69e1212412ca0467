import Formats
import Measures

/// `locus metrics`: what the names in the table `metric` mean.
enum MetricsCommand: Command {
  struct Options: CommandOptions {
    @Option("--format", "FORMAT", shown: "table") var format: TextTable.Format?
    @Flag(.json) var json
  }

  static let about = CommandSummary(
    name: "metrics", summary: "List what is measured: names, units, dimensions, intervals.",
    discussion: """
      The same table is in every store as `measure`. A row of `metric` has its measure's name and unit,
      and stands at some or all of the measure's dimensions.
      """,
    examples: [
      .init(command: "locus metrics", effect: "every metric that a stage may store"),
      .init(command: "locus metrics --format markdown", effect: "the table in README"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let format = options.format ?? (options.json ? .json : .table)
    try context.console.write(
      format == .table
        ? table.text(
          for: context.console, dispensable: ["source", "95 % interval", "measured by"],
          whole: "--format markdown has all") : table.text(format))
    return 0
  }

  static var table: TextTable {
    func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
    return TextTable(
      columns: ["metric", "unit", "by", "95 % interval", "measured by", "what it says", "source"],
      rows: Measure.all.map { measure in
        [
          .string(measure.name), text(measure.unit),
          .string(measure.dimensionNames.joined(separator: ", ")),
          text(measure.interval == .none ? nil : measure.interval.rawValue),
          .string(measure.kinds.joined(separator: ", ")), .string(measure.sentence),
          .string(measure.source.rawValue),
        ]
      })
  }
}
