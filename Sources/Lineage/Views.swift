import Formats

/// The views of any store, made anew whenever their text changes: they hold nothing.
///
/// `run_X` covers every run; `X` is the latest run of each pipeline, for a quick look. Joins are
/// written in the order in which they shall be made (SQLite keeps a CROSS JOIN's): from the stages of
/// a run to the few rows that belong to them, so that no view reads a big table from end to end.
extension ViewDeclaration {
  static let own: [ViewDeclaration] =
    [newestRun, latestRun]
    + pair(
      "stage_cost", about: "What each stage took, when it was executed.",
      columns: [
        .name, ViewColumn("stage", .text, "the same"), .kind,
        ViewColumn("wall_seconds", .real, "time by the clock, s"),
        ViewColumn("cpu_seconds", .real, "time of all processors, s"),
        ViewColumn("peak_rss_bytes", .integer, "largest memory of the process, bytes"),
        ViewColumn("share", .real, "of the wall time of the run's stages, 0 to 1"),
        ViewColumn("reused", .integer, "1 when the run took the result of an earlier one, else 0"),
        .pipeline,
      ], order: "position", stageCost(of: "stage"), latest: stageCost(of: latestStages))
    + pair(
      "lineage", about: "Every artifact with all that it came from.",
      columns: [
        .name.saying("the instance that made the artifact"),
        ViewColumn("artifact", .text, "SHA-256 of its bytes"),
        ViewColumn("depth", .integer, "executions between the two, from 1"),
        ViewColumn("ancestor", .text, "SHA-256 of what it came from"),
        ViewColumn("execution_id", .text, "the execution that read the ancestor"),
        .kind.saying("of that execution"), .pipeline,
      ], order: "name, artifact, depth, ancestor", lineage,
      // A table is made of it before anything is joined to it: unfolded into a join it is sought in all runs.
      latest: "SELECT DISTINCT * FROM run_lineage WHERE run_id IN (SELECT id FROM latest_run)")

  private static let runColumns: [ViewColumn] = [
    ViewColumn("id", .text, "the run's id"), .pipeline,
    ViewColumn("started_at", .text, "UTC, ISO 8601"),
    ViewColumn("finished_at", .text, "UTC, ISO 8601, NULL while it runs"),
    ViewColumn("status", .text, "running, succeeded, failed or interrupted"),
    ViewColumn("seed", .integer, "from which every stage's is made"),
    ViewColumn("git_commit", .text, "of the checkout that the pipeline file lies in"),
  ]
  private static let runFacts =
    "r.id, p.name AS pipeline, r.started_at, r.finished_at, r.status, r.seed, r.git_commit"

  /// The newest run of pipeline `p`; `condition` is on `r2`.
  private static func newest(_ condition: String = "") -> String {
    """
    (SELECT r2.id FROM pipeline p2 CROSS JOIN run r2
        WHERE p2.name = p.name AND r2.pipeline_id = p2.id\(condition)
        ORDER BY r2.sequence DESC, r2.id DESC LIMIT 1)
    """
  }

  private static let newestRun = ViewDeclaration(
    name: "newest_run", about: "The newest run of each pipeline, whatever it did.",
    columns: runColumns,
    sql: """
      SELECT \(runFacts) FROM (SELECT DISTINCT name FROM pipeline) p
      CROSS JOIN run r WHERE r.id = \(newest()) ORDER BY p.name
      """)

  /// As `RunRecord.isWhole`.
  private static let isWhole = """

        AND r2.status = 'succeeded' AND NOT EXISTS (
          SELECT 1 FROM event e WHERE e.run_id = r2.id
          AND substr(e.message, 1, \(RunRecord.partial.count)) = \(Escape.sql(RunRecord.partial)))
    """

  /// One that failed, was interrupted or did a part does not hide what is known.
  private static let latestRun = ViewDeclaration(
    name: "latest_run",
    about: "The latest whole run of each pipeline, the newest where none is whole.",
    columns: runColumns + [
      ViewColumn("newer", .text, "a later run that failed, was interrupted or did a part")
    ],
    sql: """
      SELECT \(runFacts), nullif(\(newest()), r.id) AS newer
      FROM (SELECT DISTINCT name FROM pipeline) p
      CROSS JOIN run r WHERE r.id = coalesce(\(newest(isWhole)), \(newest())) ORDER BY p.name
      """)

  private static let latestStages =
    "(SELECT * FROM stage WHERE run_id IN (SELECT id FROM latest_run))"

  /// The stages are chosen inside: SQLite would sum the shares of every run before it drops most.
  private static func stageCost(of stages: String) -> String {
    """
    SELECT s.run_id, s.name, s.name AS stage, s.kind, e.wall_seconds, e.cpu_seconds,
      e.peak_rss_bytes,
      e.wall_seconds / nullif(sum(e.wall_seconds) OVER (PARTITION BY s.run_id), 0) AS share,
      CAST(CASE s.status WHEN 'reused' THEN 1 ELSE 0 END AS BIGINT) AS reused,
      p.name AS pipeline, s.id AS position
    FROM \(stages) s
    CROSS JOIN run r
    CROSS JOIN pipeline p
    CROSS JOIN execution e
    WHERE r.id = s.run_id AND p.id = r.pipeline_id AND e.id = s.execution_id
    """
  }

  /// Every artifact of a run with all that it came from.
  ///
  /// Ancestors are sought from each artifact by itself, through a table function of its hash: a
  /// recursive view could only be made whole and then searched.
  private static let lineage = """
    SELECT f.run_id, f.name, f.artifact, \(integer("j.value", "$[0]")) AS depth,
      \(text("j.value", "$[1]")) AS ancestor, \(text("j.value", "$[2]")) AS execution_id,
      \(text("j.value", "$[3]")) AS kind, f.pipeline, f.position
    FROM (
      SELECT s.run_id, s.name, o.sha256 AS artifact, p.name AS pipeline, s.id AS position, (
        WITH RECURSIVE ancestry (depth, ancestor, execution_id) AS (
          SELECT 1, i.sha256, i.execution_id
          FROM execution_output x CROSS JOIN execution e CROSS JOIN execution_input i
          WHERE x.sha256 = o.sha256 AND e.id = x.execution_id AND e.status = 'succeeded'
            AND i.execution_id = x.execution_id AND i.sha256 <> x.sha256
          UNION
          SELECT a.depth + 1, i.sha256, i.execution_id
          FROM ancestry a CROSS JOIN execution_output x CROSS JOIN execution e
          CROSS JOIN execution_input i
          WHERE a.depth < 64 AND x.sha256 = a.ancestor AND e.id = x.execution_id
            AND e.status = 'succeeded' AND i.execution_id = x.execution_id
            AND i.sha256 <> x.sha256)
        SELECT json_group_array(json_array(b.depth, b.ancestor, b.execution_id, b.kind))
        FROM (
          SELECT min(a.depth) AS depth, a.ancestor, a.execution_id, e.kind
          FROM ancestry a CROSS JOIN execution e WHERE e.id = a.execution_id
          GROUP BY a.ancestor, a.execution_id, e.kind) b) AS ancestors
      FROM stage s JOIN execution_output o ON o.execution_id = s.execution_id
      JOIN run r ON r.id = s.run_id JOIN pipeline p ON p.id = r.pipeline_id
      WHERE s.id = \(firstOfEqual("s"))) f
    CROSS JOIN json_each(f.ancestors) j
    """
}

extension ViewColumn {
  fileprivate static let kind = ViewColumn("kind", .text, "the stage's kind")
}
