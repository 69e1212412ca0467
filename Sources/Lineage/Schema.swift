/// The database's schema: a public interface, documented in README.
enum Schema {
  /// "LOCU".
  static let applicationID = 0x4C4F_4355

  /// History: each migration raises the version by one and is never changed afterwards.
  ///
  /// 1. `first`: the tables.
  /// 2. `quick-views`: an execution's stage within one run, however many runs reused it, and the
  ///    newest runs are found without a scan.
  static let migrations: [(name: String, sql: String)] = [
    ("first", first), ("quick-views", quickViews),
  ]

  static var version: Int { migrations.count }

  private static let first = """
    CREATE TABLE pipeline (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      path TEXT NOT NULL,
      source_sha256 TEXT NOT NULL,
      source TEXT NOT NULL,
      UNIQUE (name, path, source_sha256)
    ) STRICT;
    CREATE TABLE run (
      id TEXT PRIMARY KEY,
      pipeline_id INTEGER NOT NULL REFERENCES pipeline (id),
      started_at TEXT NOT NULL,
      finished_at TEXT,
      status TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted')),
      trigger TEXT NOT NULL,
      seed INTEGER NOT NULL,
      host TEXT NOT NULL,
      locus_version TEXT NOT NULL,
      git_commit TEXT
    ) STRICT;
    CREATE INDEX run_by_pipeline ON run (pipeline_id, started_at);
    CREATE TABLE execution (
      id TEXT PRIMARY KEY,
      key TEXT NOT NULL,
      kind TEXT NOT NULL,
      params TEXT NOT NULL CHECK (json_valid(params)),
      seed INTEGER NOT NULL,
      started_at TEXT NOT NULL,
      finished_at TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('succeeded', 'failed', 'interrupted', 'replaced')),
      error TEXT,
      cpu_seconds REAL NOT NULL,
      wall_seconds REAL NOT NULL,
      peak_rss_bytes INTEGER NOT NULL,
      threads INTEGER NOT NULL,
      attempt INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX execution_success ON execution (key) WHERE status = 'succeeded';
    CREATE INDEX execution_by_key ON execution (key);
    CREATE TABLE stage (
      id INTEGER PRIMARY KEY,
      run_id TEXT NOT NULL REFERENCES run (id),
      name TEXT NOT NULL,
      kind TEXT NOT NULL,
      key TEXT,
      status TEXT NOT NULL
        CHECK (status IN ('running', 'executed', 'reused', 'failed', 'skipped', 'interrupted')),
      reason TEXT NOT NULL,
      execution_id TEXT REFERENCES execution (id),
      UNIQUE (run_id, name)
    ) STRICT;
    CREATE INDEX stage_by_execution ON stage (execution_id);
    CREATE INDEX stage_by_name ON stage (name);
    CREATE TABLE artifact (
      sha256 TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      media_type TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE execution_input (
      execution_id TEXT NOT NULL REFERENCES execution (id),
      role TEXT NOT NULL,
      sha256 TEXT NOT NULL REFERENCES artifact (sha256),
      PRIMARY KEY (execution_id, role)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX execution_input_by_artifact ON execution_input (sha256);
    CREATE TABLE execution_output (
      execution_id TEXT NOT NULL REFERENCES execution (id),
      role TEXT NOT NULL,
      sha256 TEXT NOT NULL REFERENCES artifact (sha256),
      PRIMARY KEY (execution_id, role)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX execution_output_by_artifact ON execution_output (sha256);
    CREATE TABLE metric (
      execution_id TEXT NOT NULL REFERENCES execution (id),
      name TEXT NOT NULL,
      value REAL NOT NULL,
      step REAL,
      sigma REAL,
      k INTEGER,
      seed INTEGER,
      arm TEXT,
      ci_low REAL,
      ci_high REAL,
      n INTEGER,
      unit TEXT
    ) STRICT;
    CREATE INDEX metric_by_name ON metric (execution_id, name, arm, k);
    CREATE TABLE outcome (
      execution_id TEXT NOT NULL REFERENCES execution (id),
      k INTEGER NOT NULL,
      layout INTEGER NOT NULL,
      seed INTEGER NOT NULL,
      requested INTEGER NOT NULL,
      found INTEGER NOT NULL,
      drawn INTEGER NOT NULL,
      exact INTEGER NOT NULL CHECK (exact IN (0, 1)),
      PRIMARY KEY (execution_id, seed, k, layout)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE event (
      run_id TEXT NOT NULL REFERENCES run (id),
      execution_id TEXT REFERENCES execution (id),
      at TEXT NOT NULL,
      level TEXT NOT NULL,
      message TEXT NOT NULL
    ) STRICT;
    CREATE INDEX event_by_run ON event (run_id, at);
    """

  private static let quickViews = """
    DROP INDEX stage_by_execution;
    CREATE INDEX stage_by_execution ON stage (execution_id, run_id);
    CREATE INDEX run_by_start ON run (started_at, id);
    """
}
