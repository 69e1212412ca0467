import Foundation

// A finished execution is: objects in place, then its receipt, then one transaction. Whatever is
// missing of these after a crash, the next opening or the next run completes.

extension Store {
  /// Makes a stage's files artifacts and records its success.
  ///
  /// - Returns: the record with its id, its outputs and its times.
  public func publish(
    _ execution: ExecutionRecord, files: [StageFileToPublish], runID: String
  ) throws(StoreError) -> ExecutionRecord {
    var record = execution
    record.status = "succeeded"
    record.error = nil
    for metric in record.metrics {
      for value in [metric.value, metric.ciLow, metric.ciHigh, metric.step, metric.sigma] {
        if let value, !value.isFinite { throw .metric(name: metric.name, value: value) }
      }
    }
    try complete(&record)
    for file in files {
      let (sha256, bytes) = try adopt(file)
      record.outputs.append(ArtifactReference(role: file.role, sha256: sha256))
      record.artifacts.append(
        ArtifactRecord(
          sha256: sha256, kind: file.kind, mediaType: file.mediaType, bytes: bytes,
          createdAt: record.finishedAt))
    }
    try commit(record)
    return record
  }

  /// Records that an execution failed or was interrupted, with its error; returns its id.
  public func recordFailure(_ execution: ExecutionRecord, runID: String) throws(StoreError)
    -> String
  {
    var record = execution
    try complete(&record)
    try commit(record)
    return record.id
  }

  private func complete(_ record: inout ExecutionRecord) throws(StoreError) {
    let last = try database.query(
      "SELECT max(attempt) FROM execution WHERE key = ?", [.text(record.key)])
    record.attempt = last.rows.first?.first?.integer ?? 0
    // A receipt is never written over, not even one that the database does not know.
    repeat {
      record.attempt += 1
      record.id = "\(record.key.prefix(16))-\(record.attempt)"
    } while FileManager.default.fileExists(atPath: receiptURL(execution: record.id).path)
    let now = Date()
    record.finishedAt = timestamp(now)
    record.startedAt = timestamp(now.addingTimeInterval(-record.wallSeconds))
  }

  private func commit(_ record: ExecutionRecord) throws(StoreError) {
    let url = receiptURL(execution: record.id)
    try AtomicFile.write(
      try Receipt.data(record, path: url.path), to: url, temporary: temporaryFolder)
    try database.transaction { () throws(StoreError) in
      try ExecutionRow.insert(record, into: database)
    }
  }

  func receiptURL(execution id: String) -> URL {
    folder.appending(path: "\(Receipt.executions)/\(id).json")
  }

  /// Moves a file among the objects, read-only; one that is already there whole is left alone.
  private func adopt(_ file: StageFileToPublish) throws(StoreError) -> (String, Int) {
    let sha256: String
    do {
      sha256 = try SHA256.hash(fileAt: file.url)
    } catch {
      throw AtomicFile.failure(error, path: file.url.path)
    }
    let target = objectURL(sha256)
    guard let bytes = Self.size(of: file.url) else {
      throw .inputOutput(path: file.url.path, reason: "is no ordinary file")
    }
    try Links.refuse(target.deletingLastPathComponent())
    // A link to the same content is not the store's own.
    if Self.size(of: target) == bytes, (try? SHA256.hash(fileAt: target)) == sha256 {
      return (sha256, bytes)
    }
    do {
      let permissions: [FileAttributeKey: Any] = [.posixPermissions: 0o444]
      try FileManager.default.setAttributes(permissions, ofItemAtPath: file.url.path)
    } catch {
      throw AtomicFile.failure(error, path: file.url.path)
    }
    try AtomicFile.move(file.url, to: target)
    return (sha256, bytes)
  }

  /// Brings in receipts that a crash kept from the database.
  func importReceipts() throws(StoreError) {
    let folder = folder.appending(path: Receipt.executions)
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
      return
    }
    let ids = Set(try database.query("SELECT id FROM execution").column("id").compactMap(\.text))
    var records: [ExecutionRecord] = []
    for name in names where name.hasSuffix(".json") && !ids.contains(String(name.dropLast(5))) {
      // A damaged receipt is verify's to report; the stage that it stood for simply runs again.
      let url = folder.appending(path: name)
      if let record = try? Receipt.read(ExecutionRecord.self, from: url) { records.append(record) }
    }
    for record in records.sorted(by: { ($0.finishedAt, $0.id) < ($1.finishedAt, $1.id) }) {
      do {
        try database.transaction { () throws(StoreError) in
          try ExecutionRow.insert(record, into: database)
        }
      } catch .sql {
        // It needs an artifact whose own receipt is damaged: verify names both, and a run makes
        // what is missing anew. The rest of the store stays usable.
        continue
      }
    }
  }
}
