import Formats
import Lineage
import Workflow

/// `locus verify`: is the store as it was left?
enum VerifyCommand: Command {
  static let declaration = CommandDeclaration(
    name: "verify", summary: "Read every object and receipt again and check their hashes.",
    options: [CommandDeclaration.json, CommandDeclaration.store],
    discussion: "Exits with 65 when something is not as it was left.",
    examples: [
      .init(command: "locus verify", effect: "what is damaged, and which stages rest on it"),
      .init(
        command: "locus verify --store /backup/data --json", effect: "check a copy, for a program"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let store = try context.openStore()
    let console = context.console
    var objects = 0
    let faults = try store.verify { done, total in
      objects = total
      if console.isTerminal { console.writeError("\r\(done)/\(total) objects\u{1B}[K") }
    }
    if console.isTerminal { console.writeError("\r\u{1B}[K") }
    let table = TextTable(
      columns: ["place", "subject", "problem", "damages"],
      rows: faults.map {
        [
          .string($0.place), .string($0.subject), .string($0.problem),
          .array($0.damages.map(JSONValue.string)),
        ]
      })
    if context.arguments.has("--json") {
      try console.write(table.text(.json))
    } else if faults.isEmpty {
      try console.printLine("\(objects) objects and all receipts are as they were left")
    } else {
      for fault in faults {
        try console.printLine("\(fault.place) \(fault.subject): \(fault.problem)")
        if !fault.damages.isEmpty {
          try console.printLine("  damages: \(fault.damages.joined(separator: ", "))")
        }
      }
    }
    return faults.isEmpty ? 0 : ExitCode.badData
  }
}
