import Formats

/// The views of any store, made anew whenever their text changes: they hold nothing.
///
/// `run_X` covers every run; `X` is the latest run of each pipeline, for a quick look. Joins are
/// written in the order in which they shall be made (SQLite keeps a CROSS JOIN's): from the stages of
/// a run to the few rows that belong to them, so that no view reads a big table from end to end.
extension ViewDeclaration {
  static let own: [ViewDeclaration] = [
    newestRun, latestRun,
    ViewDeclaration(name: "run_stage_cost", sql: stageCost(of: "stage")),
    ViewDeclaration(
      name: "stage_cost",
      sql: """
        SELECT stage, kind, wall_seconds, cpu_seconds, peak_rss_bytes, share, reused, pipeline
        FROM (\(stageCost(of: "(SELECT * FROM stage WHERE run_id IN (SELECT id FROM latest_run))")))
        """),
    ViewDeclaration(name: "run_lineage", sql: runLineage),
    ViewDeclaration(
      name: "lineage",
      sql: """
        SELECT DISTINCT artifact, depth, ancestor, execution_id, kind FROM run_lineage
        WHERE run_id IN (SELECT id FROM latest_run)
        """),
  ]

  private static let runColumns =
    "r.id, p.name AS pipeline, r.started_at, r.finished_at, r.status, r.seed, r.git_commit"

  /// The newest run of pipeline `p`; `condition` is on `r2`.
  private static func newest(_ condition: String = "") -> String {
    """
    (SELECT r2.id FROM pipeline p2 CROSS JOIN run r2 ON r2.pipeline_id = p2.id
        WHERE p2.name = p.name\(condition) ORDER BY r2.sequence DESC, r2.id DESC LIMIT 1)
    """
  }

  private static let newestRun = ViewDeclaration(
    name: "newest_run",
    sql: """
      SELECT \(runColumns) FROM (SELECT DISTINCT name FROM pipeline) p
      JOIN run r ON r.id = \(newest())
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
    sql: """
      SELECT \(runColumns), nullif(\(newest()), r.id) AS newer
      FROM (SELECT DISTINCT name FROM pipeline) p
      JOIN run r ON r.id = coalesce(\(newest(isWhole)), \(newest()))
      """)

  /// The stages are chosen inside: SQLite would sum the shares of every run before it drops most.
  private static func stageCost(of stages: String) -> String {
    """
    SELECT s.run_id, s.name AS stage, s.kind, e.wall_seconds, e.cpu_seconds, e.peak_rss_bytes,
      e.wall_seconds / sum(e.wall_seconds) OVER (PARTITION BY s.run_id) AS share,
      s.status = 'reused' AS reused, p.name AS pipeline
    FROM \(stages) s
    CROSS JOIN run r ON r.id = s.run_id
    CROSS JOIN pipeline p ON p.id = r.pipeline_id
    CROSS JOIN execution e ON e.id = s.execution_id
    """
  }

  /// Every artifact of a run with all that it came from.
  ///
  /// Ancestors are sought from each artifact by itself, through a table function of its hash: a
  /// recursive view could only be made whole and then searched.
  private static let runLineage = """
    SELECT s.run_id, o.sha256 AS artifact, json_extract(j.value, '$[0]') AS depth,
      json_extract(j.value, '$[1]') AS ancestor, json_extract(j.value, '$[2]') AS execution_id,
      json_extract(j.value, '$[3]') AS kind
    FROM stage s
    JOIN execution_output o ON o.execution_id = s.execution_id
    CROSS JOIN json_each((
      WITH RECURSIVE ancestry (depth, ancestor, execution_id) AS (
        SELECT 1, i.sha256, i.execution_id
        FROM execution_output x
        CROSS JOIN execution e ON e.id = x.execution_id AND e.status = 'succeeded'
        CROSS JOIN execution_input i ON i.execution_id = x.execution_id AND i.sha256 <> x.sha256
        WHERE x.sha256 = o.sha256
        UNION
        SELECT a.depth + 1, i.sha256, i.execution_id
        FROM ancestry a
        CROSS JOIN execution_output x ON x.sha256 = a.ancestor
        CROSS JOIN execution e ON e.id = x.execution_id AND e.status = 'succeeded'
        CROSS JOIN execution_input i ON i.execution_id = x.execution_id AND i.sha256 <> x.sha256
        WHERE a.depth < 64)
      SELECT json_group_array(json_array(b.depth, b.ancestor, b.execution_id, b.kind))
      FROM (
        SELECT min(a.depth) AS depth, a.ancestor, a.execution_id, e.kind
        FROM ancestry a CROSS JOIN execution e ON e.id = a.execution_id
        GROUP BY a.ancestor, a.execution_id) b)) j
    """
}
