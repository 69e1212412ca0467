import Formats
import Foundation
import Lineage
import Workflow

/// `locus status`: what is going on, and how each pipeline stands.
enum StatusCommand: Command {
  struct Options: StoreOptions {
    @Positional(
      "PIPELINE", names: .pipelines, "whose stages are shown (default: the one that ran last)")
    var pipeline: String?
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "status", summary: "Show what is running and how each pipeline's latest run stands.",
    discussion: """
      While a pipeline runs: its stage, how far it is, the rate, the time left and the latest values.
      Where stages are jobs: which are queued, running (node, rate, time left), done or lost.
      Then a line a pipeline, and for each stage of one why it ran or did not, and why it failed.

      \(TextTable.fitting)
      """,
    examples: [
      .init(command: "locus status", effect: "what runs, and how the latest run stands"),
      .init(command: "locus status quickstart", effect: "why each of its stages ran or did not"),
      .init(
        command: "locus status --json", effect: "the same for a program"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let store = try context.openStore()
    let holder = Session.holder(of: context.storeFolder)
    let progress = holder.flatMap { _ in RunProgress.current(in: context.storeFolder) }
    let found = try store.query(
      """
      SELECT r.pipeline, r.id AS run, r.status, r.started_at, r.finished_at,
        count(*) FILTER (WHERE s.status = 'executed') AS executed,
        count(*) FILTER (WHERE s.status = 'reused') AS reused,
        count(*) FILTER (WHERE s.status IN ('failed', 'interrupted')) AS failed,
        count(*) FILTER (WHERE s.status = 'skipped') AS skipped,
        max(CASE WHEN s.status = 'running' THEN s.name END) AS stage
      FROM newest_run r JOIN run o ON o.id = r.id LEFT JOIN stage s ON s.run_id = r.id
      GROUP BY r.id ORDER BY o.sequence DESC, r.id DESC
      """)
    var table = TextTable(found)
    // Without a holder of the lock a run that claims to be running was killed.
    if holder == nil, let status = table.columns.firstIndex(of: "status") {
      for row in table.rows.indices where table.rows[row][status] == .string("running") {
        table.rows[row][status] = .string("killed")
      }
    }
    let board = try JobBoard(
      of: context.storeFolder, isHeld: holder != nil, environment: context.console.environment)
    let jobs = jobs(board)
    let (pipeline, stages) = try stages(context.options.pipeline, table, store)
    if context.options.json {
      let running: JSONValue =
        holder.map {
          .object([
            "pipeline": .string($0.pipeline), "process": .integer(Int($0.pid)),
            "host": .string($0.host), "since": .string($0.since), "progress": json(progress),
          ])
        } ?? .null
      try context.console.printLine(
        JSONValue.object([
          "running": running, "jobs": .array(jobs.objects), "pipelines": .array(table.objects),
          "stages": .array(stages.objects),
        ]).prettyText())
      return 0
    }
    let console = context.console
    try console.showLine(holder.map { "running: \($0.description)" } ?? "nothing is running")
    if let progress { try console.showLine("  " + ProgressPrinter.text(of: progress)) }
    if !jobs.rows.isEmpty {
      let shown = jobs.without(empty: ["job", "node", "time_left", "reason", "progress"])
      try console.show("\njobs: \(board.summary)\n" + shown.text(for: console))
    }
    if !table.rows.isEmpty {
      let text = table.text(
        for: console, dispensable: ["finished_at", "skipped", "failed", "reused", "executed"])
      try console.write("\n" + text)
    }
    if let pipeline {
      let text = stages.without(empty: ["error"]).text(for: console)
      try console.show("\nlatest run of `\(pipeline)`:\n" + text)
    }
    return 0
  }

  /// Every instance of a pipeline's latest run with the reason why it ran or did not, and its error.
  private static func stages(_ wanted: String?, _ pipelines: TextTable, _ store: Store) throws
    -> (pipeline: String?, TextTable)
  {
    let known = pipelines.objects.compactMap { $0["pipeline"]?.string }
    if let wanted, !known.contains(wanted) { throw UsageError.noPipeline(wanted, known: known) }
    let name = wanted ?? known.first
    let found = try store.query(
      """
      SELECT s.name AS stage, s.status, s.reason, e.error
      FROM stage s LEFT JOIN execution e ON e.id = s.execution_id AND s.status = 'failed'
      WHERE s.run_id = (SELECT id FROM newest_run WHERE pipeline = ?) ORDER BY s.id
      """, [.text(name ?? "")])
    return (name, TextTable(found))
  }

  private static func jobs(_ board: JobBoard) -> TextTable {
    func text(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
    return TextTable(
      columns: ["stage", "state", "job", "node", "progress", "time_left", "reason"],
      rows: board.lines.map { line in
        [
          .string(line.stage), .string(line.state.rawValue), text(line.job), text(line.node),
          text(line.pace), text(line.timeLeft), text(line.reason),
        ]
      })
  }

  private static func json(_ progress: RunProgress?) -> JSONValue {
    guard let progress, let data = try? JSONEncoder().encode(progress) else { return .null }
    return (try? JSONValue.parse(data)) ?? .null
  }
}
