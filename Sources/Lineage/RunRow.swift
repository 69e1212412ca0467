import Foundation

/// Between a run's record and its rows.
enum RunRow {
  static func record(_ id: String, in database: Connection) throws(StoreError) -> RunRecord {
    let found = try database.rows(
      """
      SELECT r.*, p.name AS pipeline, p.path, p.source
      FROM run r JOIN pipeline p ON p.id = r.pipeline_id WHERE r.id = ?
      """, [.text(id)])
    guard let row = found.first else { throw .reference("run \(id)") }
    var record = RunRecord(
      id: id, pipeline: try row.text("pipeline"), path: try row.text("path"),
      source: try row.text("source"), startedAt: try row.text("started_at"),
      sequence: try row.integer("sequence"), finishedAt: try row.optionalText("finished_at"),
      status: try row.text("status"),
      trigger: try row.text("trigger"),
      seed: UInt64(bitPattern: Int64(try row.integer("seed"))), host: try row.text("host"),
      locusVersion: try row.text("locus_version"), gitCommit: try row.optionalText("git_commit"),
      options: try value("options", of: row, in: database),
      machine: try value("machine", of: row, in: database))
    for row in try database.rows(
      "SELECT name, kind, key, status, reason, execution_id FROM stage WHERE run_id = ? ORDER BY id",
      [.text(id)])
    {
      record.stages.append(
        StageRecord(
          runID: id, name: try row.text("name"), kind: try row.text("kind"),
          key: try row.optionalText("key"), status: try row.text("status"),
          reason: try row.text("reason"), executionID: try row.optionalText("execution_id")))
    }
    for row in try database.rows(
      "SELECT execution_id, at, level, message FROM event WHERE run_id = ? ORDER BY rowid",
      [.text(id)])
    {
      record.events.append(
        EventRecord(
          executionID: try row.optionalText("execution_id"), at: try row.text("at"),
          level: try row.text("level"), message: try row.text("message")))
    }
    return record
  }

  static func value<Value: Decodable>(
    _ column: String, of row: Row, in database: Connection
  ) throws(StoreError) -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: Data(try row.text(column).utf8))
    } catch let error as StoreError {
      throw error
    } catch {
      throw .damaged(
        path: database.path, reason: "column \(column) of a run is not what it should be")
    }
  }

  static func text(_ value: some Encodable) throws(StoreError) -> String {
    do {
      return String(decoding: try Receipt.encoder.encode(value), as: UTF8.self)
    } catch {
      throw .column("run", problem: "\(error)")
    }
  }

  /// Puts a run with its stages and events into the tables. What it says of executions that are not
  /// there stays in its receipt alone. Runs inside a transaction.
  static func insert(_ record: RunRecord, into database: Connection) throws(StoreError) {
    let hash = SHA256.hash(Data(record.source.utf8))
    try database.run(
      "INSERT OR IGNORE INTO pipeline (name, path, source_sha256, source) VALUES (?, ?, ?, ?)",
      [.text(record.pipeline), .text(record.path), .text(hash), .text(record.source)])
    try database.run(
      """
      INSERT INTO run SELECT ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM pipeline
      WHERE name = ? AND path = ? AND source_sha256 = ?
      """,
      [
        .text(record.id), .text(record.startedAt), .optional(record.finishedAt),
        .text(record.status), .text(record.trigger), .integer(Int64(bitPattern: record.seed)),
        .text(record.host), .text(record.locusVersion), .optional(record.gitCommit),
        .integer(Int64(record.sequence ?? 0)), .text(try text(record.options ?? [])),
        .text(try text(record.machine ?? [:])), .text(record.pipeline), .text(record.path),
        .text(hash),
      ])
    try insert(record.stages, runID: record.id, into: database)
    try insert(record.events, runID: record.id, into: database)
  }

  /// A later record of the same stage replaces an earlier one.
  static func insert(_ stages: [StageRecord], runID: String, into database: Connection)
    throws(StoreError)
  {
    try database.insert(
      """
      INSERT INTO stage (run_id, name, kind, key, status, reason, execution_id)
      VALUES (?, ?, ?, ?, ?, ?, (SELECT id FROM execution WHERE id = ?))
      ON CONFLICT (run_id, name) DO UPDATE SET kind = excluded.kind, key = excluded.key,
        status = excluded.status, reason = excluded.reason, execution_id = excluded.execution_id
      """,
      stages.map {
        [
          .text(runID), .text($0.name), .text($0.kind), .optional($0.key), .text($0.status),
          .text($0.reason), .optional($0.executionID),
        ]
      })
  }

  static func insert(_ events: [EventRecord], runID: String, into database: Connection)
    throws(StoreError)
  {
    try database.insert(
      "INSERT INTO event VALUES (?, (SELECT id FROM execution WHERE id = ?), ?, ?, ?)",
      events.map {
        [
          .text(runID), .optional($0.executionID), .text($0.at), .text($0.level), .text($0.message),
        ]
      })
  }
}
