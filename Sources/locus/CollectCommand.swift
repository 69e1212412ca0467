import Formats
import Foundation
import Lineage
import Measures
import Workflow

/// `locus gc`: makes room without losing what is kept.
enum CollectCommand: Command {
  static let declaration = CommandDeclaration(
    name: "gc", summary: "Remove runs that are not kept, and what only they needed.",
    options: [
      OptionDeclaration(
        "--keep", "RULE", repeats: true,
        help: "keep last=N (of each pipeline), since=DATE, pipeline=NAME"),
      OptionDeclaration("--dry-run", help: "tell what would go, then stop"),
      CommandDeclaration.json, CommandDeclaration.store,
    ],
    discussion: """
      A kept run keeps everything that its results came from. Without --keep every run is kept, and
      only what no run needs goes. Reports stay. A gc that is cut off is completed by the next run or gc.
      """,
    examples: [
      .init(
        command: "locus gc --keep last=5 --dry-run",
        effect: "what would go if each pipeline kept its last five runs"),
      .init(
        command: "locus gc --keep since=2026-11-01 --keep pipeline=quickstart",
        effect: "keep this month's runs and every run of one pipeline"),
      .init(command: "locus gc", effect: "remove what no run needs"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let rules = try context.arguments.all("--keep").map(rule)
    let isDry = context.arguments.has("--dry-run")
    let removal: Removal
    if isDry {
      removal = try context.openStore().removal(keeping: rules)
    } else {
      _ = try context.openStore()
      let lock = try RunLock.acquire(context.lockURL, as: .current(pipeline: "gc"))
      defer { withExtendedLifetime(lock) {} }
      for line in try Store.heal(context.storeFolder, .locus) {
        context.console.writeError("healed: \(line)\n")
      }
      removal = try Store.open(context.storeFolder, .readWrite, .locus).removal(keeping: rules)
      if !removal.isEmpty { try Store.remove(removal, from: context.storeFolder, .locus) }
    }
    if context.arguments.has("--json") {
      func list(_ names: [String]) -> JSONValue { .array(names.map(JSONValue.string)) }
      try context.console.printLine(
        JSONValue.object([
          "removed": .bool(!isDry), "bytes": .integer(removal.bytes), "runs": list(removal.runs),
          "executions": list(removal.executions), "objects": list(removal.objects),
          "leftovers": list(removal.leftovers),
        ]).prettyText())
    } else {
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
