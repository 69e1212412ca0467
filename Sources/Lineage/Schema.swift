/// The database's schema: a public interface, documented in README.
///
/// What a program adds to it comes from its `Vocabulary`.
enum Schema {
  /// "LOCU".
  static let applicationID = 0x4C4F_4355

  /// History: each migration raises the version by one and is never changed afterwards. A new
  /// database is made from `tables`, and a migrated one has the same columns and indices.
  ///
  /// 1. The tables as they first were.
  /// 2. `quick-views`: an execution's stage within one run, however many runs reused it, and the
  ///    newest runs are found without a scan.
  /// 3. `homes`: `metric` has a column a dimension, instead of `step` and `arm` that meant several
  ///    things each; `manifest` and `measure`; an execution's kind version and instruction set.
  /// 4. `side-by-side`: results of a key that have other bytes all count, and runs are in the order of a
  ///    counter instead of the clock; what a run was asked for beside its file, and on which machine.
  /// 5. `quick-reruns`: no index of stages by name. Each row that a rerun adds lay in another of its pages;
  ///    runs are gone through from the newest instead.
  static let migrations: [(name: String, sql: @Sendable (Vocabulary) -> String)] = [
    ("quick-views", { _ in quickViews }), ("homes", homes), ("side-by-side", { _ in sideBySide }),
    ("quick-reruns", { _ in "DROP INDEX stage_by_name;" }),
  ]

  static var version: Int { 1 + migrations.count }

  /// The tables of a new database.
  static func tables(_ vocabulary: Vocabulary) -> String {
    ([core, metric(vocabulary.dimensions), manifest, measure]
      + vocabulary.tables.map { table($0) }).joined(separator: "\n")
  }

  /// How a dimension is declared as a column of `metric`.
  static func column(_ dimension: MetricDimension) -> String {
    "\"\(dimension.name)\" \(dimension.type.rawValue)"
  }

  /// How a column of a further table is declared.
  static func column(_ column: TableDeclaration.Column) -> String {
    "\"\(column.name)\" \(column.type.rawValue)" + (column.isLate ? "" : " NOT NULL")
      + (column.check.map { " CHECK (\($0))" } ?? "")
  }

  private static func metric(_ dimensions: [MetricDimension]) -> String {
    let columns = dimensions.filter { !$0.isLate }.map { "  \(column($0)),\n" }.joined()
    let late = dimensions.filter(\.isLate).map { ",\n  \(column($0))" }.joined()
    let indexed =
      ["execution_id", "name", "subject"] + dimensions.prefix(1).map { "\"\($0.name)\"" }
    return """
      CREATE TABLE metric (
        execution_id TEXT NOT NULL REFERENCES execution (id),
        name TEXT NOT NULL,
        value REAL NOT NULL,
      \(columns)  subject TEXT,
        ci_low REAL,
        ci_high REAL,
        n INTEGER,
        unit TEXT\(late)
      ) STRICT;
      CREATE INDEX metric_by_name ON metric (\(indexed.joined(separator: ", ")));
      """
  }

  static func table(_ declaration: TableDeclaration) -> String {
    let columns = declaration.columns.map { "  \(self.column($0)),\n" }.joined()
    let key = ["execution_id"] + declaration.key.map { "\"\($0)\"" }
    return """
      CREATE TABLE "\(declaration.name)" (
        execution_id TEXT NOT NULL REFERENCES execution (id),
      \(columns)  PRIMARY KEY (\(key.joined(separator: ", ")))
      ) STRICT, WITHOUT ROWID;
      """
  }

  private static let core = """
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
      git_commit TEXT,
      sequence INTEGER NOT NULL DEFAULT 0,
      options TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(options)),
      machine TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(machine))
    ) STRICT;
    CREATE INDEX run_by_pipeline ON run (pipeline_id, sequence);
    CREATE INDEX run_by_sequence ON run (sequence, id);
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
      attempt INTEGER NOT NULL,
      kind_version INTEGER,
      instructions TEXT
    ) STRICT;
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
    CREATE INDEX stage_by_execution ON stage (execution_id, run_id);
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
    CREATE TABLE event (
      run_id TEXT NOT NULL REFERENCES run (id),
      execution_id TEXT REFERENCES execution (id),
      at TEXT NOT NULL,
      level TEXT NOT NULL,
      message TEXT NOT NULL
    ) STRICT;
    CREATE INDEX event_by_run ON event (run_id, at);
    """

  /// What the files say of themselves that are one JSON object with a type.
  private static let manifest = """
    CREATE TABLE manifest (
      sha256 TEXT PRIMARY KEY REFERENCES artifact (sha256),
      type TEXT NOT NULL,
      body TEXT NOT NULL CHECK (json_valid(body))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX manifest_by_type ON manifest (type);
    """

  /// What the names in `metric` mean: not of the receipts, but of the program that wrote last.
  private static let measure = """
    CREATE TABLE measure (
      name TEXT PRIMARY KEY,
      unit TEXT,
      dimensions TEXT NOT NULL,
      interval TEXT,
      kinds TEXT NOT NULL,
      sentence TEXT NOT NULL,
      source TEXT NOT NULL
    ) STRICT;
    """

  private static let quickViews = """
    DROP INDEX stage_by_execution;
    CREATE INDEX stage_by_execution ON stage (execution_id, run_id);
    CREATE INDEX run_by_start ON run (started_at, id);
    """

  private static let sideBySide = """
    ALTER TABLE run ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
    UPDATE run
    SET sequence = coalesce(CAST(round((julianday(started_at) - 2440587.5) * 86400000) AS INTEGER), 0);
    ALTER TABLE run ADD COLUMN options TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(options));
    ALTER TABLE run ADD COLUMN machine TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(machine));
    DROP INDEX run_by_pipeline;
    DROP INDEX run_by_start;
    CREATE INDEX run_by_pipeline ON run (pipeline_id, sequence);
    CREATE INDEX run_by_sequence ON run (sequence, id);
    DROP INDEX execution_success;
    \(ExecutionRow.settle);
    """

  @Sendable
  private static func homes(_ vocabulary: Vocabulary) -> String {
    """
    ALTER TABLE execution ADD COLUMN kind_version INTEGER;
    ALTER TABLE execution ADD COLUMN instructions TEXT;
    \(manifest)
    \(measure)
    ALTER TABLE metric RENAME TO metric_2;
    DROP INDEX metric_by_name;
    \(metric(vocabulary.dimensions))
    \(vocabulary.upgrade.sql);
    DROP TABLE metric_2;
    """
  }
}
