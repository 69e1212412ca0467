import Lineage

/// `locus runs`: the history.
enum RunsCommand: Command {
  struct Options: StoreOptions {
    @Option("--limit", "N", in: 1...1_000_000, default: 20, "at most this many") var limit: Int
    @Option("--note", "TEXT", "only runs with a note that holds this") var note: String?
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "runs", summary: "List runs, the newest first.", discussion: TextTable.fitting,
    examples: [
      .init(command: "locus runs", effect: "the last twenty"),
      .init(command: "locus runs --note '#paper'", effect: "those that `locus note` marked so"),
      .init(command: "locus runs --limit 1 --json", effect: "the last one, for a program"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let found = try context.openStore().query(
      """
      SELECT r.id AS run, p.name AS pipeline, r.status, r.started_at,
        round((julianday(r.finished_at) - julianday(r.started_at)) * 86400, 1) AS seconds,
        (SELECT count(*) FROM stage s WHERE s.run_id = r.id AND s.status = 'executed') AS executed,
        (SELECT count(*) FROM stage s WHERE s.run_id = r.id AND s.status = 'reused') AS reused,
        (SELECT count(*) FROM stage s WHERE s.run_id = r.id
          AND s.status IN ('failed', 'interrupted', 'skipped')) AS unfinished,
        r.seed, r.trigger, r.options,
        r.git_commit,
        (SELECT group_concat(message, ' · ') FROM (
          SELECT v.message FROM event v WHERE v.run_id = r.id AND v.level = ?2 ORDER BY v.rowid))
          AS notes
      FROM run r JOIN pipeline p ON p.id = r.pipeline_id
      WHERE ?3 IS NULL OR EXISTS (
        SELECT 1 FROM event v WHERE v.run_id = r.id AND v.level = ?2 AND instr(v.message, ?3) > 0)
      ORDER BY r.sequence DESC, r.id DESC LIMIT ?1
      """,
      [
        .integer(Int64(context.options.limit)), .text(EventRecord.note),
        context.options.note.map(SQLValue.text) ?? .null,
      ])
    let table = TextTable(found).withOptions(asTyped: !context.options.json)
    try context.console.write(
      context.options.json
        ? table.text(.json)
        : table.without(empty: ["notes"]).text(
          for: context.console,
          // The run's id has its pipeline.
          dispensable: ["pipeline", "trigger", "seed", "reused", "executed", "seconds"]))
    return 0
  }
}
