import Lineage

/// `locus runs`: the history.
enum RunsCommand: Command {
  static let declaration = CommandDeclaration(
    name: "runs", summary: "List runs, the newest first.",
    options: [
      OptionDeclaration("--limit", "N", help: "at most this many (default: 20)"),
      CommandDeclaration.json, CommandDeclaration.store,
    ],
    examples: [
      .init(command: "locus runs", effect: "the last twenty"),
      .init(command: "locus runs --limit 1 --json", effect: "the last one, for a program"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let limit = try context.arguments.integer("--limit", in: 1...1_000_000) ?? 20
    let found = try context.openStore().query(
      """
      SELECT r.id AS run, p.name AS pipeline, r.status, r.started_at,
        round((julianday(r.finished_at) - julianday(r.started_at)) * 86400, 1) AS seconds,
        (SELECT count(*) FROM stage s WHERE s.run_id = r.id AND s.status = 'executed') AS executed,
        (SELECT count(*) FROM stage s WHERE s.run_id = r.id AND s.status = 'reused') AS reused,
        (SELECT count(*) FROM stage s WHERE s.run_id = r.id
          AND s.status IN ('failed', 'interrupted', 'skipped')) AS unfinished,
        r.seed, r.trigger, r.git_commit
      FROM run r JOIN pipeline p ON p.id = r.pipeline_id
      ORDER BY r.started_at DESC, r.id DESC LIMIT ?
      """, [.integer(Int64(limit))])
    try context.show(TextTable(found))
    return 0
  }
}
