import Formats
import Lineage
import Measures
import Workflow

/// `locus verify`: is the store as it was left?
enum VerifyCommand: Command {
  struct Options: StoreOptions {
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "verify",
    summary: "Read every object and receipt again and hold the database against them.",
    discussion: """
      Exits with 1 when something is not as it was left, and names what it damages. The next `locus run`
      heals what was found: it sets aside what is damaged and makes again what is needed, no more.
      """,
    examples: [
      .init(command: "locus verify", effect: "what is damaged, and which stages rest on it"),
      .init(
        command: "locus verify --store /backup/data --json", effect: "check a copy, for a program"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let console = context.console
    var objects = 0
    let faults = try Session.verify(context.storeFolder, .locus) { done, total in
      objects = total
      if console.isTerminal { console.writeError("\r\(done)/\(total) objects\u{1B}[K") }
    }
    if console.isTerminal { console.writeError("\r\u{1B}[K") }
    if context.options.json {
      let table = TextTable(
        columns: ["place", "subject", "problem", "damages"],
        rows: faults.map {
          [
            .string($0.place.rawValue), .string($0.subject), .string($0.problem),
            .array($0.damages.map(JSONValue.string)),
          ]
        })
      try console.write(table.text(.json))
    } else if faults.isEmpty {
      try console.showLine(
        "\(objects) objects, all receipts and the database are as they were left")
    } else {
      for fault in faults {
        try console.showLine("\(fault.place) \(fault.subject): \(fault.problem)")
        if !fault.damages.isEmpty {
          try console.showLine("  damages: \(fault.damages.joined(separator: ", "))")
        }
      }
    }
    return faults.isEmpty ? 0 : 1
  }
}
