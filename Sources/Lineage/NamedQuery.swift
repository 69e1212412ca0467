extension NamedQuery {
  /// Those that any store can answer.
  static let own: [NamedQuery] = [
    NamedQuery(
      name: "latest-run", summary: "The latest whole run of each pipeline",
      sql: "SELECT * FROM latest_run"),
    NamedQuery(
      name: "costs", summary: "Time and memory of each stage",
      sql: """
        SELECT name, kind, wall_seconds, share, cpu_seconds, peak_rss_bytes, reused, pipeline
        FROM stage_cost ORDER BY pipeline, wall_seconds DESC, name
        """, descriptions: ["pipeline", "reused"]),
    NamedQuery(
      name: "stages", summary: "What the newest runs needed, and why",
      sql: """
        SELECT s.name, s.status, s.reason, s.run_id FROM stage s
        WHERE s.run_id IN (SELECT id FROM newest_run) ORDER BY s.id
        """),
    NamedQuery(
      name: "measures", summary: "What the names in the table metric mean",
      sql: "SELECT * FROM measure ORDER BY rowid"),
  ]
}
