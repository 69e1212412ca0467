import Formats
import Foundation

/// Between an execution's record and its rows.
enum ExecutionRow {
  static func record(_ row: Row, in database: Connection) throws(StoreError) -> ExecutionRecord {
    let id = try row.text("id")
    let parameters: JSONValue
    do {
      parameters = try JSONValue.parse(Data(try row.text("params").utf8))
    } catch {
      throw .damaged(path: database.path, reason: "execution \(id) has parameters that are no JSON")
    }
    var record = ExecutionRecord(
      key: try row.text("key"), kind: try row.text("kind"), parameters: parameters,
      seed: UInt64(bitPattern: Int64(try row.integer("seed"))),
      inputs: try references("execution_input", id, database))
    record.id = id
    record.startedAt = try row.text("started_at")
    record.finishedAt = try row.text("finished_at")
    record.status = try row.text("status")
    record.error = try row.optionalText("error")
    record.cpuSeconds = try row.number("cpu_seconds")
    record.wallSeconds = try row.number("wall_seconds")
    record.peakRSSBytes = try row.integer("peak_rss_bytes")
    record.threads = try row.integer("threads")
    record.attempt = try row.integer("attempt")
    record.kindVersion = try row.optionalInteger("kind_version")
    record.instructions = try row.optionalText("instructions")
    record.outputs = try references("execution_output", id, database)
    return record
  }

  /// By role.
  static func references(_ table: String, _ id: String, _ database: Connection)
    throws(StoreError) -> [ArtifactReference]
  {
    var references: [ArtifactReference] = []
    for row in try database.rows(
      "SELECT role, sha256 FROM \(table) WHERE execution_id = ? ORDER BY role", [.text(id)])
    {
      references.append(
        ArtifactReference(role: try row.text("role"), sha256: try row.text("sha256")))
    }
    return references
  }

  /// Puts a record with everything that belongs to it into the tables; a later success of a key
  /// replaces an earlier one that made the same bytes, in whichever order they come. Runs inside a
  /// transaction.
  static func insert(
    _ record: ExecutionRecord, into database: Connection, _ vocabulary: Vocabulary
  ) throws(StoreError) {
    try insert(execution: record, into: database)
    try insert(record.artifacts, into: database)
    for (table, references) in [
      ("execution_input", record.inputs), ("execution_output", record.outputs),
    ] {
      try database.insert(
        "INSERT INTO \(table) VALUES (?, ?, ?)",
        references.map { [.text(record.id), .text($0.role), .text($0.sha256)] })
    }
    if record.status == "succeeded" {
      try database.run(settle + " AND key = ?", [.text(record.key)])
    }
    try insert(record.metrics, of: record, into: database, vocabulary.dimensions)
    for (name, rows) in record.tables {
      guard let table = vocabulary.tables.first(where: { $0.name == name }) else {
        throw .undeclared("table \(name)", execution: record.id)
      }
      try insert(rows, of: record, into: table, database)
    }
  }

  /// Says of every success whether a later one of its key made the same bytes.
  ///
  /// Successes of one key with other bytes stand side by side: machines with other instruction sets, or
  /// other mathematical libraries, round otherwise, and each run keeps what it used.
  static let settle: String = {
    func outputs(_ execution: String) -> String {
      """
      (SELECT group_concat(role || ' ' || sha256) FROM
          (SELECT role, sha256 FROM execution_output WHERE execution_id = \(execution).id ORDER BY role))
      """
    }
    return """
      UPDATE execution SET status = CASE WHEN EXISTS (
        SELECT 1 FROM execution o WHERE o.key = execution.key AND o.status IN ('succeeded', 'replaced')
        AND (o.attempt, o.finished_at, o.id)
          > (execution.attempt, execution.finished_at, execution.id)
        AND \(outputs("o"))
          IS \(outputs("execution"))) THEN 'replaced' ELSE 'succeeded' END
      WHERE status IN ('succeeded', 'replaced')
      """
  }()

  private static func insert(execution record: ExecutionRecord, into database: Connection)
    throws(StoreError)
  {
    try database.run(
      """
      INSERT INTO execution (id, key, kind, params, seed, started_at, finished_at, status, error,
        cpu_seconds, wall_seconds, peak_rss_bytes, threads, attempt, kind_version, instructions)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(record.id), .text(record.key), .text(record.kind),
        .text(record.parameters.canonicalText()), .integer(Int64(bitPattern: record.seed)),
        .text(record.startedAt), .text(record.finishedAt), .text(record.status),
        .optional(record.error), .real(record.cpuSeconds), .real(record.wallSeconds),
        .integer(Int64(record.peakRSSBytes)), .integer(Int64(record.threads)),
        .integer(Int64(record.attempt)), .optional(record.kindVersion),
        .optional(record.instructions),
      ])
  }

  private static func insert(_ artifacts: [ArtifactRecord], into database: Connection)
    throws(StoreError)
  {
    // What several made is told as the first of them did.
    try database.insert(
      """
      INSERT INTO artifact VALUES (?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE
      SET kind = excluded.kind, media_type = excluded.media_type, created_at = excluded.created_at
      WHERE (excluded.created_at, excluded.kind, excluded.media_type)
        < (artifact.created_at, artifact.kind, artifact.media_type)
      """,
      artifacts.map {
        [
          .text($0.sha256), .text($0.kind), .text($0.mediaType), .integer(Int64($0.bytes)),
          .text($0.createdAt),
        ]
      })
    var manifests: [[SQLValue]] = []
    for artifact in artifacts {
      guard let body = artifact.manifest, let type = body["type"]?.string else { continue }
      manifests.append([.text(artifact.sha256), .text(type), .text(body.canonicalText())])
    }
    try database.insert("INSERT OR IGNORE INTO manifest VALUES (?, ?, ?)", manifests)
  }

  private static func insert(
    _ metrics: [MetricRow], of record: ExecutionRecord, into database: Connection,
    _ dimensions: [MetricDimension]
  ) throws(StoreError) {
    if metrics.isEmpty { return }
    let known = Set(dimensions.map(\.name))
    for metric in metrics {
      if let other = metric.dimensions.keys.first(where: { !known.contains($0) }) {
        throw .undeclared("dimension \(other) of metric \(metric.name)", execution: record.id)
      }
    }
    let columns =
      ["execution_id", "name", "value"] + dimensions.map { "\"\($0.name)\"" }
      + ["subject", "ci_low", "ci_high", "n", "unit"]
    try database.insert(
      insertion(into: "metric", columns),
      metrics.map { row in
        [.text(record.id), .text(row.name), .real(row.value)]
          + dimensions.map { row.dimensions[$0.name]?.sql ?? .null }
          + [
            .optional(row.subject), .optional(row.ciLow), .optional(row.ciHigh), .optional(row.n),
            .optional(row.unit),
          ]
      })
  }

  private static func insert(
    _ rows: TableRows, of record: ExecutionRecord, into table: TableDeclaration,
    _ database: Connection
  ) throws(StoreError) {
    let known = Set(table.columns.map(\.name))
    if let other = rows.columns.first(where: { !known.contains($0) }) {
      throw .undeclared("column \(other) of table \(table.name)", execution: record.id)
    }
    try database.insert(
      insertion(into: table.name, ["execution_id"] + rows.columns.map { "\"\($0)\"" }),
      rows.rows.map { [.text(record.id)] + $0.map(\.sql) })
  }

  private static func insertion(into table: String, _ columns: [String]) -> String {
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    return "INSERT INTO \"\(table)\" (\(columns.joined(separator: ", "))) VALUES (\(places))"
  }
}
