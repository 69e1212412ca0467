import Formats
import Foundation
import Lineage
import Workflow

/// `locus gc`: makes room without losing what is kept.
enum CollectCommand: Command {
  struct Options: StoreOptions {
    @Option(
      repeated: "--keep", "RULE",
      "keep last=N (whole successes a file, and what is newer), since=DATE, pipeline=NAME",
      reading: rule)
    var rules: [Keep]
    @Flag("--dry-run", "tell what would go, then stop") var isDry
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "gc", summary: "Remove runs that are not kept, and what only they needed.",
    discussion: """
      A kept run keeps everything that its results came from. Without --keep every run is kept, and
      only what no run needs goes. `last=N` counts whole runs that succeeded, of each pipeline file (name
      and path), and keeps whatever is newer: failed, interrupted and partial runs too. Reports stay. It
      needs no room on the disk. One that is cut off is completed by the next run or gc.
      """,
    examples: [
      .init(
        command: "locus gc --keep last=5 --dry-run",
        effect: "which runs, and how much, would go if each file kept its last five whole successes"
      ),
      .init(
        command: "locus gc --keep since=2026-11-01 --keep pipeline=quickstart",
        effect: "keep this month's runs and every run of one pipeline"),
      .init(command: "locus gc", effect: "remove what no run needs"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let rules = context.options.rules
    let isDry = context.options.isDry
    let removal: Removal
    if isDry {
      _ = try context.openStore()
      removal = try Store.removal(from: context.storeFolder, keeping: rules, .locus)
    } else {
      removal = try context.openSession(as: "gc").collect(keeping: rules)
    }
    if context.options.json {
      func list(_ names: [String]) -> JSONValue { .array(names.map(JSONValue.string)) }
      try context.console.printLine(
        JSONValue.object([
          "removed": .bool(!isDry), "bytes": .integer(removal.bytes), "runs": list(removal.runs),
          "executions": list(removal.executions), "objects": list(removal.objects),
          "leftovers": list(removal.leftovers),
        ]).prettyText())
    } else {
      if isDry { for run in removal.runs { try context.console.printLine("run \(run)") } }
      let megabytes = String(format: "%.1f", Double(removal.bytes) / 1e6)
      try context.console.printLine(
        "\(isDry ? "would remove" : "removed") \(removal.runs.count) runs,"
          + " \(removal.executions.count) executions, \(removal.objects.count) objects and"
          + " \(removal.leftovers.count) left-overs: \(megabytes) MB")
    }
    return 0
  }

  private static func rule(_ text: String) throws(UsageError) -> Keep {
    let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
    if sides.count == 2 {
      switch sides[0] {
      case "last":
        if let count = Int(sides[1]), count > 0 { return .last(count) }
      case "since":
        if sides[1].wholeMatch(of: #/\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?Z?)?)?)?/#) != nil {
          return .since(sides[1])
        }
      case "pipeline": return .pipeline(sides[1])
      default: break
      }
    }
    throw .badValue(
      text, option: "--keep",
      accepted:
        "last=N with N from 1, since=DATE such as 2026-11-24 or 2026-11-24T12:30, pipeline=NAME")
  }
}
