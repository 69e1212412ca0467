import Formats
import Measures

/// `locus metrics`: what the names in the table `metric` mean.
enum MetricsCommand: Command {
  static let declaration = CommandDeclaration(
    name: "metrics", summary: "List what is measured: names, units, dimensions, intervals.",
    options: [
      OptionDeclaration(
        "--format", "FORMAT", values: TextTable.Format.allCases.map(\.rawValue),
        help: "table, csv, json or markdown (default: table)"),
      CommandDeclaration.json,
    ],
    discussion: """
      The same table is in every store as `measure`. A row of `metric` has its measure's name and unit,
      and stands at some or all of the measure's dimensions.
      """,
    examples: [
      .init(command: "locus metrics", effect: "every metric that a stage may store"),
      .init(command: "locus metrics --format markdown", effect: "the table in README"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let format =
      try context.arguments.choice(
        "--format", among: TextTable.Format.allCases.map(\.rawValue)
      ).flatMap(TextTable.Format.init(rawValue:))
      ?? (context.arguments.has("--json") ? .json : .table)
    try context.console.write(table.text(format))
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
