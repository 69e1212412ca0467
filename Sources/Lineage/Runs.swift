import Foundation

extension Store {
  /// Begins a run and returns its id: the time, the pipeline and four random digits.
  ///
  /// Runs that still claim to be running are marked as interrupted: the caller holds the lock.
  public func beginRun(
    pipeline: String, path: String, source: String, trigger: String, seed: UInt64, host: String,
    locusVersion: String, gitCommit: String?
  ) throws(StoreError) -> String {
    let now = Date()
    for dead in try database.query("SELECT id FROM run WHERE status = 'running'").column("id") {
      if let id = dead.text { try finishRun(id, status: "interrupted") }
    }
    let moment = timestamp(now).filter { $0.isNumber || $0 == "T" }.prefix(15)
    let suffix = String(UInt16.random(in: 0...UInt16.max), radix: 16)
    let record = RunRecord(
      id: "\(moment)Z-\(pipeline)-\(String(repeating: "0", count: 4 - suffix.count))\(suffix)",
      pipeline: pipeline, path: path, source: source, startedAt: timestamp(now), status: "running",
      trigger: trigger, seed: seed, host: host, locusVersion: locusVersion, gitCommit: gitCommit)
    try writeReceipt(record)
    try database.transaction { () throws(StoreError) in try insert(record) }
    return record.id
  }

  /// Ends a run; its receipt gets its stages and events.
  public func finishRun(_ id: String, status: String) throws(StoreError) {
    try database.run(
      "UPDATE run SET status = ?, finished_at = ? WHERE id = ?",
      [.text(status), .text(timestamp()), .text(id)])
    try writeReceipt(try run(id))
  }

  /// Records what a run needed of a stage; a later record of the same stage replaces it.
  public func recordStage(_ stage: StageRecord) throws(StoreError) { try insert([stage]) }

  /// Records many at once.
  public func recordStages(_ stages: [StageRecord]) throws(StoreError) {
    try database.transaction { () throws(StoreError) in try insert(stages) }
  }

  private func insert(_ stages: [StageRecord]) throws(StoreError) {
    try database.insert(
      """
      INSERT INTO stage (run_id, name, kind, key, status, reason, execution_id)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (run_id, name) DO UPDATE SET kind = excluded.kind, key = excluded.key,
        status = excluded.status, reason = excluded.reason, execution_id = excluded.execution_id
      """,
      stages.map { stage in
        [
          .text(stage.runID), .text(stage.name), .text(stage.kind), .optional(stage.key),
          .text(stage.status), .text(stage.reason), .optional(stage.executionID),
        ]
      })
  }

  public func recordEvent(
    runID: String, executionID: String?, level: String, message: String
  ) throws(StoreError) {
    try database.run(
      "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
      [
        .text(runID), .optional(executionID), .text(timestamp()), .text(level), .text(message),
      ])
  }

  /// A run with its stages and events.
  public func run(_ id: String) throws(StoreError) -> RunRecord {
    let found = try database.query(
      """
      SELECT r.*, p.name AS pipeline, p.path, p.source
      FROM run r JOIN pipeline p ON p.id = r.pipeline_id WHERE r.id = ?
      """, [.text(id)])
    guard let row = found.rows.first else { throw .reference("run \(id)") }
    func text(_ column: String) -> String { found.value(row, column).text ?? "" }
    var record = RunRecord(
      id: id, pipeline: text("pipeline"), path: text("path"), source: text("source"),
      startedAt: text("started_at"), finishedAt: found.value(row, "finished_at").text,
      status: text("status"), trigger: text("trigger"),
      seed: UInt64(bitPattern: Int64(found.value(row, "seed").integer ?? 0)), host: text("host"),
      locusVersion: text("locus_version"), gitCommit: found.value(row, "git_commit").text)
    let stages = try database.query(
      "SELECT name, kind, key, status, reason, execution_id FROM stage WHERE run_id = ? ORDER BY id",
      [.text(id)])
    record.stages = stages.rows.map {
      StageRecord(
        runID: id, name: $0[0].text ?? "", kind: $0[1].text ?? "", key: $0[2].text,
        status: $0[3].text ?? "", reason: $0[4].text ?? "", executionID: $0[5].text)
    }
    let events = try database.query(
      "SELECT execution_id, at, level, message FROM event WHERE run_id = ? ORDER BY rowid",
      [.text(id)])
    record.events = events.rows.map {
      EventRecord(
        executionID: $0[0].text, at: $0[1].text ?? "", level: $0[2].text ?? "",
        message: $0[3].text ?? "")
    }
    return record
  }

  private func writeReceipt(_ record: RunRecord) throws(StoreError) {
    guard isPlainName(record.id, most: 128) else {
      throw .damaged(path: databaseURL.path, reason: "a run has an id that is no name")
    }
    let url = folder.appending(path: "\(Receipt.runs)/\(record.id).json")
    try AtomicFile.write(
      try Receipt.data(record, path: url.path), to: url, temporary: temporaryFolder)
  }

  /// Brings in runs whose process died between their receipt and their row.
  func importRunReceipts() throws(StoreError) {
    let place = folder.appending(path: Receipt.runs)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
    let ids = Set(try database.query("SELECT id FROM run").column("id").compactMap(\.text))
    for name in names.sorted()
    where name.hasSuffix(".json") && !ids.contains(String(name.dropLast(5))) {
      // A damaged one is verify's to report.
      guard let record = try? Receipt.read(RunRecord.self, from: place.appending(path: name)) else {
        continue
      }
      do {
        try database.transaction { () throws(StoreError) in try insert(record) }
      } catch .sql {
        continue
      }
    }
  }

  /// Puts a run with its stages and events into the tables. Runs inside a transaction.
  func insert(_ record: RunRecord) throws(StoreError) {
    let hash = SHA256.hash(Data(record.source.utf8))
    try database.run(
      "INSERT OR IGNORE INTO pipeline (name, path, source_sha256, source) VALUES (?, ?, ?, ?)",
      [.text(record.pipeline), .text(record.path), .text(hash), .text(record.source)])
    try database.run(
      """
      INSERT INTO run SELECT ?, id, ?, ?, ?, ?, ?, ?, ?, ? FROM pipeline
      WHERE name = ? AND path = ? AND source_sha256 = ?
      """,
      [
        .text(record.id), .text(record.startedAt), .optional(record.finishedAt),
        .text(record.status), .text(record.trigger), .integer(Int64(bitPattern: record.seed)),
        .text(record.host), .text(record.locusVersion), .optional(record.gitCommit),
        .text(record.pipeline), .text(record.path), .text(hash),
      ])
    for stage in record.stages { try recordStage(stage) }
    try database.insert(
      "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
      record.events.map {
        [
          .text(record.id), .optional($0.executionID), .text($0.at), .text($0.level),
          .text($0.message),
        ]
      })
  }
}
