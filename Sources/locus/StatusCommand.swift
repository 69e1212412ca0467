import Formats
import Foundation
import Lineage
import Workflow

/// `locus status`: what is going on, and how each pipeline stands.
enum StatusCommand: Command {
  static let declaration = CommandDeclaration(
    name: "status", summary: "Show who is running and how each pipeline's latest run stands.",
    options: [CommandDeclaration.json, CommandDeclaration.store],
    examples: [
      .init(command: "locus status", effect: "one line a pipeline"),
      .init(
        command: "locus status --json", effect: "the same for a program"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let store = try context.openStore()
    let holder = RunLock.holder(of: context.lockURL)
    let found = try store.query(
      """
      SELECT r.pipeline, r.id AS run, r.status, r.started_at, r.finished_at,
        count(*) FILTER (WHERE s.status = 'executed') AS executed,
        count(*) FILTER (WHERE s.status = 'reused') AS reused,
        count(*) FILTER (WHERE s.status IN ('failed', 'interrupted')) AS failed,
        count(*) FILTER (WHERE s.status = 'skipped') AS skipped,
        max(CASE WHEN s.status = 'running' THEN s.name END) AS stage
      FROM latest_run r LEFT JOIN stage s ON s.run_id = r.id
      GROUP BY r.id ORDER BY r.started_at DESC, r.id DESC
      """)
    var table = TextTable(found)
    // Without a holder of the lock a run that claims to be running was killed.
    if holder == nil, let status = table.columns.firstIndex(of: "status") {
      for row in table.rows.indices where table.rows[row][status] == .string("running") {
        table.rows[row][status] = .string("killed")
      }
    }
    if context.arguments.has("--json") {
      let running: JSONValue =
        holder.map {
          .object([
            "pipeline": .string($0.pipeline), "process": .integer(Int($0.pid)),
            "host": .string($0.host), "since": .string($0.since),
          ])
        } ?? .null
      try context.console.printLine(
        JSONValue.object(["running": running, "pipelines": .array(table.objects)]).prettyText())
      return 0
    }
    try context.console.printLine(
      holder.map { "running: \($0.description)" } ?? "nothing is running")
    if !table.rows.isEmpty { try context.console.write("\n" + table.text(.table)) }
    return 0
  }
}
