import Formats
import Foundation

// A finished execution is: objects in place, then its receipt, then one transaction. Whatever is
// missing of these after a crash, the next opening or the next run completes.

extension Store {
  /// Makes a stage's files artifacts and records its success.
  ///
  /// - Returns: the record with its id, its outputs and its times.
  package func publish(
    _ execution: ExecutionRecord, files: [StageFileToPublish], runID: String
  ) throws(StoreError) -> ExecutionRecord {
    var record = execution
    record.status = "succeeded"
    record.error = nil
    for metric in record.metrics {
      if let value = metric.numbers.first(where: { !$0.isFinite }) {
        throw .metric(name: metric.name, value: value)
      }
    }
    try date(&record)
    for file in files {
      let manifest = try file.manifest()
      let (sha256, bytes) = try adopt(file)
      record.outputs.append(ArtifactReference(role: file.role, sha256: sha256))
      record.artifacts.append(
        ArtifactRecord(
          sha256: sha256, kind: file.kind, mediaType: file.mediaType, bytes: bytes,
          createdAt: record.finishedAt, manifest: manifest))
    }
    record.id = try record.ownID()
    try commit(record)
    return record
  }

  /// Records that an execution failed or was interrupted, with its error; returns its id.
  package func recordFailure(_ execution: ExecutionRecord, runID: String) throws(StoreError)
    -> String
  {
    var record = execution
    try date(&record)
    record.id = try record.ownID()
    try commit(record)
    return record.id
  }

  private func date(_ record: inout ExecutionRecord) throws(StoreError) {
    let last = try database.integer(
      "SELECT max(attempt) FROM execution WHERE key = ?", [.text(record.key)])
    record.attempt = min(max(last ?? 0, 0), Receipt.mostAttempts - 1) + 1
    record.setTimes()
  }

  func commit(_ record: ExecutionRecord) throws(StoreError) {
    try record.writeReceipt(in: folder)
    try index { [database, vocabulary] () throws(StoreError) in
      try ExecutionRow.insert(record, into: database, vocabulary)
    }
    if !waiting.isEmpty && !isBehind { try takeIn(waiting, after: record.id) }
  }

  /// Moves a file among the objects, read-only; one that is already there whole is left alone.
  private func adopt(_ file: StageFileToPublish) throws(StoreError) -> (String, Int) {
    let (sha256, bytes) = try file.content()
    let target = objectURL(sha256)
    try Places.check(target.deletingLastPathComponent(), is: .folder)
    // A link to the same content is not the store's own.
    if try Self.size(of: target) == bytes, try Verification.problem(target, sha256) == nil {
      return (sha256, bytes)
    }
    if try StoreFile.kind(target) == .folder { try Aside.move(target, in: folder) }
    try AtomicFile.move(file.url, to: target, in: folder, mode: 0o444)
    return (sha256, bytes)
  }
}

extension StageFileToPublish {
  /// What a manifest says; `nil` for any other file. It stands in the receipt too, and only one text
  /// of it has the artifact's hash.
  func manifest() throws(StoreError) -> JSONValue? {
    guard mediaType == ArtifactRecord.manifestMediaType else { return nil }
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      throw StoreError(writing: error, path: url.path)
    }
    guard let body = try? JSONValue.parse(data), body["type"]?.string != nil else {
      throw .manifest(role: role, reason: "not a JSON object with a text `type`")
    }
    guard Data(body.canonicalText().utf8) == data else {
      throw .manifest(role: role, reason: "not canonical text")
    }
    return body
  }

  /// The hash of what is in it, and how much.
  func content() throws(StoreError) -> (sha256: String, bytes: Int) {
    let sha256: String
    do {
      sha256 = try SHA256.hash(fileAt: url)
    } catch {
      throw StoreError(writing: error, path: url.path)
    }
    guard let bytes = try Store.size(of: url) else {
      throw .inputOutput(path: url.path, reason: "is no ordinary file")
    }
    return (sha256, bytes)
  }
}

extension ExecutionRecord {
  /// It has finished now, and began when what it took says.
  package mutating func setTimes() {
    let now = Date()
    finishedAt = timestamp(now)
    startedAt = timestamp(now.addingTimeInterval(-wallSeconds))
  }
}
