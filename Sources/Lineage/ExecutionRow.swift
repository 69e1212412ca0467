import Formats
import Foundation

/// Between an execution's record and its rows.
enum ExecutionRow {
  static func record(_ result: QueryResult, _ row: [SQLValue], in database: Connection)
    throws(StoreError) -> ExecutionRecord
  {
    func text(_ column: String) -> String { result.value(row, column).text ?? "" }
    func integer(_ column: String) -> Int { result.value(row, column).integer ?? 0 }
    func number(_ column: String) -> Double { result.value(row, column).number ?? 0 }
    let id = text("id")
    let parameters: JSONValue
    do {
      parameters = try JSONValue.parse(Data(text("params").utf8))
    } catch {
      throw .damaged(path: database.path, reason: "execution \(id) has parameters that are no JSON")
    }
    var record = ExecutionRecord(
      key: text("key"), kind: text("kind"), parameters: parameters,
      seed: UInt64(bitPattern: Int64(integer("seed"))),
      inputs: try references("execution_input", id, database))
    record.id = id
    record.startedAt = text("started_at")
    record.finishedAt = text("finished_at")
    record.status = text("status")
    record.error = result.value(row, "error").text
    record.cpuSeconds = number("cpu_seconds")
    record.wallSeconds = number("wall_seconds")
    record.peakRSSBytes = integer("peak_rss_bytes")
    record.threads = integer("threads")
    record.attempt = integer("attempt")
    record.outputs = try references("execution_output", id, database)
    return record
  }

  private static func references(_ table: String, _ id: String, _ database: Connection)
    throws(StoreError) -> [ArtifactReference]
  {
    let found = try database.query(
      "SELECT role, sha256 FROM \(table) WHERE execution_id = ? ORDER BY role", [.text(id)])
    return found.rows.map {
      ArtifactReference(role: $0[0].text ?? "", sha256: $0[1].text ?? "")
    }
  }

  /// Puts a record with everything that belongs to it into the tables; a later success of a key
  /// replaces an earlier one, in whichever order they come. Runs inside a transaction.
  static func insert(_ record: ExecutionRecord, into database: Connection) throws(StoreError) {
    var status = record.status
    if status == "succeeded" {
      let other = try database.query(
        "SELECT attempt FROM execution WHERE key = ? AND status = 'succeeded'", [.text(record.key)])
      if let attempt = other.rows.first?.first?.integer, attempt > record.attempt {
        status = "replaced"
      } else {
        try database.run(
          "UPDATE execution SET status = 'replaced' WHERE key = ? AND status = 'succeeded'",
          [.text(record.key)])
      }
    }
    try database.run(
      "INSERT INTO execution VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      [
        .text(record.id), .text(record.key), .text(record.kind),
        .text(record.parameters.canonicalText()), .integer(Int64(bitPattern: record.seed)),
        .text(record.startedAt), .text(record.finishedAt), .text(status),
        .optional(record.error), .real(record.cpuSeconds), .real(record.wallSeconds),
        .integer(Int64(record.peakRSSBytes)), .integer(Int64(record.threads)),
        .integer(Int64(record.attempt)),
      ])
    // What several made is told as the first of them did.
    try database.insert(
      """
      INSERT INTO artifact VALUES (?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE
      SET kind = excluded.kind, media_type = excluded.media_type, created_at = excluded.created_at
      WHERE (excluded.created_at, excluded.kind, excluded.media_type)
        < (artifact.created_at, artifact.kind, artifact.media_type)
      """,
      record.artifacts.map {
        [
          .text($0.sha256), .text($0.kind), .text($0.mediaType), .integer(Int64($0.bytes)),
          .text($0.createdAt),
        ]
      })
    for (table, references) in [
      ("execution_input", record.inputs), ("execution_output", record.outputs),
    ] {
      try database.insert(
        "INSERT INTO \(table) VALUES (?, ?, ?)",
        references.map { [.text(record.id), .text($0.role), .text($0.sha256)] })
    }
    try database.insert(
      "INSERT INTO metric VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      record.metrics.map { row in
        [
          .text(record.id), .text(row.name), .real(row.value), .optional(row.step),
          .optional(row.sigma), .optional(row.k), .optional(row.seed), .optional(row.arm),
          .optional(row.ciLow), .optional(row.ciHigh), .optional(row.n), .optional(row.unit),
        ]
      })
    try database.insert(
      "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      record.outcomes.map { row in
        [
          .text(record.id), .integer(Int64(row.k)), .integer(Int64(row.layout)),
          .integer(Int64(row.seed)), .integer(Int64(row.requested)), .integer(Int64(row.found)),
          .integer(Int64(row.drawn)), .integer(row.exact ? 1 : 0),
        ]
      })
  }
}
