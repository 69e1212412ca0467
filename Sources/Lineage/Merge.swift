import Foundation

/// What another store has and this one has not.
package struct Merge: Sendable {
  /// A key of which both have results, with other bytes.
  package struct Difference: Sendable, Hashable {
    package var key: String
    package var kind: String
    package var mine: String
    package var theirs: String
    /// The instruction sets that made them; `nil`: not recorded.
    package var myInstructions: String?
    package var theirInstructions: String?
  }

  /// In the order in which they finished, under the ids that they get here.
  package fileprivate(set) var executions: [ExecutionRecord] = []
  package fileprivate(set) var runs: [RunRecord] = []
  /// Executions and runs that both have.
  package fileprivate(set) var known = 0
  /// Ids there whose namesakes here are something else, with the ids that they get.
  package fileprivate(set) var renamed: [String: String] = [:]
  /// Runs there that have no end yet.
  package fileprivate(set) var unfinished: [String] = []
  /// Hashes of the objects that are to be copied.
  package fileprivate(set) var objects: [String] = []
  package fileprivate(set) var bytes = 0
  /// Known when it has been done.
  package fileprivate(set) var differences: [Difference] = []
}

extension Store {
  /// What `other` would bring into the store in `folder`.
  ///
  /// - Throws: `StoreError.damaged`, `.lostReceipts`, `.missing` when `other` is not whole, or no store.
  package static func merge(
    of other: URL, into folder: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) -> Merge {
    try checkSource(other, unlike: folder, vocabulary)
    let theirs = try Receipts(in: other, vocabulary)
    if let first = theirs.damaged.first {
      throw .damaged(path: first.url.path, reason: first.reason)
    }
    let mine = try Receipts(in: folder, vocabulary)
    if let first = mine.damaged.first {
      throw .damaged(path: first.url.path, reason: first.reason)
    }
    var merge = Merge()
    try merge.take(theirs, besides: mine)
    try merge.find(in: other, besides: mine)
    return merge
  }

  /// Copies what `merge` found: objects first, each held against its hash, then receipts. Cut off
  /// anywhere, it leaves a store that the next session makes whole, and can be done again. The caller holds
  /// the lock and has healed.
  ///
  /// - Parameter progress: is told how many of how many objects were copied.
  package static func carryOut(
    _ merge: inout Merge, from other: URL, into folder: URL, _ vocabulary: Vocabulary,
    progress: (Int, Int) throws -> Void
  ) throws {
    if merge.executions.isEmpty && merge.runs.isEmpty { return }
    let temporary = folder.appending(path: "tmp")
    try AtomicFile.makeFolder(temporary)
    // Cut off from here on, the next session puts it in order.
    try Doubts.write([.merging], in: folder)
    var new: [URL] = []
    do {
      for (number, hash) in merge.objects.enumerated() {
        let target = objectURL(hash, in: folder)
        try Places.check(target.deletingLastPathComponent(), is: .folder)
        if try StoreFile.kind(target) == nil { new.append(target) }
        try AtomicFile.copy(
          objectURL(hash, in: other), to: target, hash: hash, temporary: temporary)
        try progress(number + 1, merge.objects.count)
      }
    } catch {
      // Nothing names them yet.
      for url in new { unlink(url.path) }
      Doubts.leave([], in: folder)
      throw error
    }
    // What uses comes after what it uses.
    for record in merge.executions { try write(record, Receipt.executions, folder, temporary) }
    for record in merge.runs { try write(record, Receipt.runs, folder, temporary) }
    try renewDatabase(in: folder, from: try Receipts(in: folder, vocabulary), vocabulary)
    Doubts.leave([], in: folder)
    merge.differences = try differences(merge, in: try open(folder, .readOnly, vocabulary))
  }

  private static func write(
    _ record: some Receipted, _ kind: String, _ folder: URL, _ temporary: URL
  ) throws(StoreError) {
    let url = folder.appending(path: "\(kind)/\(record.id).json")
    try AtomicFile.write(
      try Receipt.data(record, path: url.path), to: url, temporary: temporary)
  }

  private static func checkSource(
    _ other: URL, unlike folder: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) {
    guard let own = try StoreFile.status(folder.path), let their = try StoreFile.status(other.path)
    else { throw .missing(path: other.path) }
    if (own.st_dev, own.st_ino) == (their.st_dev, their.st_ino) {
      throw .sameStore(path: other.path)
    }
    // Whatever else keeps it from being read is said by who reads it.
    try checkPlace(other, vocabulary)
    try requireReceipts(other, besides: try Removal.begun(in: other), evenDamaged: true)
  }

  private static func differences(_ merge: Merge, in store: Store) throws(StoreError)
    -> [Merge.Difference]
  {
    let new = Set(merge.executions.map(\.id))
    var differences: [Merge.Difference] = []
    for theirs in merge.executions where theirs.status == "succeeded" {
      // A later success of the same bytes may stand for theirs.
      let found = try store.database.rows(
        """
        SELECT id, instructions FROM execution WHERE key = ? AND status = 'succeeded'
        ORDER BY attempt DESC, finished_at DESC, id DESC
        """, [.text(theirs.key)])
      var mine: Row?
      for row in found {
        let id = try row.text("id")
        if mine == nil && !new.contains(id) { mine = row }
      }
      guard let mine else { continue }
      let id = try mine.text("id")
      if try store.references(outputsOf: id) == theirs.outputs.sorted(by: { $0.role < $1.role }) {
        continue
      }
      differences.append(
        Merge.Difference(
          key: theirs.key, kind: theirs.kind, mine: id, theirs: theirs.id,
          myInstructions: try mine.optionalText("instructions"),
          theirInstructions: theirs.instructions))
    }
    return differences
  }

  private func references(outputsOf id: String) throws(StoreError) -> [ArtifactReference] {
    var found: [ArtifactReference] = []
    for row in try database.rows(
      "SELECT role, sha256 FROM execution_output WHERE execution_id = ? ORDER BY role", [.text(id)])
    {
      found.append(ArtifactReference(role: try row.text("role"), sha256: try row.text("sha256")))
    }
    return found
  }
}

extension Merge {
  fileprivate mutating func take(_ theirs: Receipts, besides mine: Receipts) throws(StoreError) {
    let myExecutions = Dictionary(
      mine.executions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for var record in theirs.executions {
      if let namesake = myExecutions[record.id], namesake != record {
        let id = try record.ownID()
        renamed[record.id] = id
        record.id = id
      }
      if myExecutions[record.id] == nil { executions.append(record) } else { known += 1 }
    }
    let myRuns = Dictionary(mine.runs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for var record in theirs.runs {
      if record.status == "running" {
        unfinished.append(record.id)
        continue
      }
      let id = record.id
      for place in record.stages.indices {
        record.stages[place].executionID = renamed(record.stages[place].executionID)
      }
      for place in record.events.indices {
        record.events[place].executionID = renamed(record.events[place].executionID)
      }
      if let namesake = myRuns[id], namesake != record {
        record.id = "\(id)-\(try Receipt.mark(record))"
        renamed[id] = record.id
        for place in record.stages.indices { record.stages[place].runID = record.id }
      }
      if myRuns[record.id] == nil { runs.append(record) } else { known += 1 }
    }
  }

  private func renamed(_ id: String?) -> String? { id.map { renamed[$0] ?? $0 } }

  /// Looks for every object that is needed before anything is copied.
  fileprivate mutating func find(in other: URL, besides mine: Receipts) throws(StoreError) {
    var seen: Set<String> = []
    for artifact in executions.flatMap(\.artifacts) where seen.insert(artifact.sha256).inserted {
      let own = Store.objectURL(artifact.sha256, in: mine.folder)
      if try Store.size(of: own) == artifact.bytes,
        try Verification.problem(own, artifact.sha256) == nil
      {
        continue
      }
      let url = Store.objectURL(artifact.sha256, in: other)
      guard try Store.size(of: url) == artifact.bytes else {
        throw .damaged(path: url.path, reason: "missing, or of another size than its receipt says")
      }
      objects.append(artifact.sha256)
      bytes += artifact.bytes
    }
  }
}
