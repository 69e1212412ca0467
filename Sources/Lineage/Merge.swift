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
  /// Runs here of which people said more there, with all that was said.
  package fileprivate(set) var noted: [RunRecord] = []
  /// Executions and runs that both have.
  package fileprivate(set) var known = 0
  /// Ids there whose namesakes here are something else, with the ids that they get.
  package fileprivate(set) var renamed: [String: String] = [:]
  /// Runs there that have no end yet.
  package fileprivate(set) var unfinished: [String] = []
  /// Hashes of the objects that are to be copied.
  package fileprivate(set) var objects: [String] = []
  package fileprivate(set) var bytes = 0
  var isEmpty: Bool { executions.isEmpty && runs.isEmpty && objects.isEmpty && noted.isEmpty }
  /// Known when it has been done.
  package fileprivate(set) var differences: [Difference] = []
  /// All successes there, under the ids that they have here.
  fileprivate var successes: [ExecutionRecord] = []
}

extension Store {
  /// What `other` would bring into the store in `folder`.
  ///
  /// - Throws: `StoreError.damaged`, `.lostReceipts`, `.missing` when one of them is not whole, or no store.
  package static func merge(
    of other: URL, into folder: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) -> Merge {
    let other = other.resolvingSymlinksInPath()
    try checkSource(other, unlike: folder.resolvingSymlinksInPath(), vocabulary)
    // What the database alone still knows would go with it.
    try requireReceipts(folder)
    let theirs = try Receipts.whole(in: other, vocabulary)
    let mine = try Receipts.whole(in: folder, vocabulary)
    var merge = Merge()
    try merge.take(theirs, besides: mine)
    try check(merge, besides: mine, from: other, vocabulary)
    try merge.find(theirs, in: other, besides: mine)
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
    let other = other.resolvingSymlinksInPath()
    if !merge.isEmpty {
      // Cut off from here on, the next session puts it in order.
      try Doubts.write([.merging], in: folder)
      try copy(merge.objects, from: other, to: folder, progress)
      // What uses comes after what it uses.
      for record in merge.executions { try record.writeReceipt(in: folder) }
      for record in merge.runs + merge.noted { try record.writeReceipt(in: folder) }
      try renewDatabase(in: folder, from: try Receipts(in: folder, vocabulary), vocabulary)
      Doubts.leave([], in: folder)
    }
    merge.differences = try differences(merge, in: try open(folder, .readOnly, vocabulary))
  }

  private static func copy(
    _ objects: [String], from other: URL, to folder: URL, _ progress: (Int, Int) throws -> Void
  ) throws {
    var new: [String] = []
    do {
      for (number, hash) in objects.enumerated() {
        let (source, target) = (objectURL(hash, in: other), objectURL(hash, in: folder))
        for url in [source, target] {
          try Places.check(url.deletingLastPathComponent(), is: .folder)
        }
        if try StoreFile.kind(target) == nil { new.append(Places.path(target, in: folder)) }
        try AtomicFile.copy(source, to: target, hash: hash, in: folder)
        try progress(number + 1, objects.count)
      }
    } catch {
      // Nothing names them yet. What cannot be taken back the next session puts in order.
      let copying = error
      do {
        let place = try StoreFolder(folder)
        for path in new { try place.removeFile(path) }
        Doubts.leave([], in: folder)
      } catch {}
      throw copying
    }
  }

  private static func checkSource(
    _ other: URL, unlike folder: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) {
    guard let own = try StoreFile.status(folder.path), let their = try StoreFile.status(other.path)
    else { throw .missing(path: other.path) }
    if (own.st_dev, own.st_ino) == (their.st_dev, their.st_ino) {
      throw .sameStore(path: other.path)
    }
    do {
      // Whatever else keeps it from being read is said by who reads it.
      try checkPlace(other, vocabulary)
      try requireReceipts(other, besides: try Removal.begun(in: other), evenDamaged: true)
    } catch .sql(_, let reason) {
      throw .damaged(path: databaseURL(in: other).path, reason: reason)
    }
  }

  /// Tries in memory whether the tables take all of it, with every input.
  private static func check(
    _ merge: Merge, besides mine: Receipts, from other: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) {
    let left: [ExecutionRecord]
    do {
      left = try mine.with(merge.executions, merge.runs).index(vocabulary).left
    } catch .damaged(let path, let reason) {
      throw .damaged(path: other.appending(path: path).path, reason: reason)
    }
    let new = Set(merge.executions.map(\.id))
    if let first = left.first(where: { new.contains($0.id) }) {
      throw .damaged(
        path: other.path,
        reason: "execution \(first.id) names an input that no receipt has as an output"
      )
    }
  }

  private static func differences(_ merge: Merge, in store: Store) throws(StoreError)
    -> [Merge.Difference]
  {
    let ids = Set(merge.successes.map(\.id))
    var differences: [Merge.Difference] = []
    for theirs in merge.successes {
      let found = try store.database.rows(
        """
        SELECT id, instructions FROM execution WHERE key = ? AND status = 'succeeded'
        ORDER BY attempt DESC, finished_at DESC, id DESC
        """, [.text(theirs.key)])
      for row in found {
        let id = try row.text("id")
        if ids.contains(id) { continue }
        // A later success of the same bytes may stand for theirs.
        let mine = try ExecutionRow.references("execution_output", id, store.database)
        if mine != theirs.outputs.sorted(by: { $0.role < $1.role }) {
          differences.append(
            Merge.Difference(
              key: theirs.key, kind: theirs.kind, mine: id, theirs: theirs.id,
              myInstructions: try row.optionalText("instructions"),
              theirInstructions: theirs.instructions))
        }
        break
      }
    }
    return differences
  }
}

// MARK: - What is the same

extension Merge {
  /// An execution is known by all that it says, under whichever id: earlier versions gave `KEY-1` in every
  /// store, and such a one gets another id where that is taken.
  fileprivate mutating func take(_ theirs: Receipts, besides mine: Receipts) throws(StoreError) {
    let taken = Dictionary(
      mine.executions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    // What a run here still names, though it was lost, is not to be somebody else's.
    let named = Set(mine.runs.flatMap(\.executionIDs))
    var here: [String: String] = [:]
    var known: [String: String] = [:]
    for record in mine.executions { known[try record.markedID()] = record.id }
    for var record in theirs.executions {
      let id = record.id
      let mark = try record.markedID()
      if let own = taken[id] == record ? id : known[mark] {
        self.known += 1
        here[id] = own
        record.id = own
      } else {
        if taken[id] != nil || named.contains(id) && id != mark {
          record.id = try record.ownID()
          renamed[id] = record.id
        }
        here[id] = record.id
        known[mark] = record.id
        executions.append(record)
      }
      if record.status == "succeeded" { successes.append(record) }
    }
    try take(theirs.runs, here, besides: mine)
  }

  /// - Parameter here: the ids that the executions there have here.
  private mutating func take(
    _ theirs: [RunRecord], _ here: [String: String], besides mine: Receipts
  ) throws(StoreError) {
    var taken: [String: String] = [:]
    for run in mine.runs { taken[run.id] = try run.mark() }
    let own = Dictionary(mine.runs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for run in theirs {
      if run.status == "running" {
        unfinished.append(run.id)
        continue
      }
      let mark = try run.mark()
      // `ID-MARK` is what one of mine was called there.
      let former = run.id.hasSuffix("-" + mark) ? String(run.id.dropLast(mark.count + 1)) : run.id
      let other = "\(run.id.prefix(100))-\(mark)"
      if let id = [run.id, former, other].first(where: { taken[$0] == mark }) {
        known += 1
        if let noted = own[id]?.adding(notesOf: run) { self.noted.append(noted) }
        continue
      }
      var record = run.using { here[$0] }
      if taken[run.id] != nil {
        record = record.named(other)
        renamed[run.id] = other
      }
      taken[record.id] = mark
      runs.append(record)
    }
  }

  /// Looks for every object that is needed before anything is copied; what is lost here and whole there is
  /// brought in with the rest.
  fileprivate mutating func find(_ theirs: Receipts, in other: URL, besides mine: Receipts)
    throws(StoreError)
  {
    let new = Set(executions.flatMap { $0.artifacts.map(\.sha256) })
    var seen: Set<String> = []
    for artifact in theirs.executions.flatMap(\.artifacts)
    where seen.insert(artifact.sha256).inserted {
      let isNew = new.contains(artifact.sha256)
      let own = Store.objectURL(artifact.sha256, in: mine.folder)
      if try Store.size(of: own) == artifact.bytes {
        // What is known already is `verify`'s to read.
        let problem = isNew ? try Verification.problem(own, artifact.sha256) : nil
        if problem == nil { continue }
      }
      let url = Store.objectURL(artifact.sha256, in: other)
      try Places.check(url.deletingLastPathComponent(), is: .folder)
      guard try Store.size(of: url) == artifact.bytes else {
        if !isNew { continue }
        throw .damaged(path: url.path, reason: "missing, or of another size than its receipt says")
      }
      objects.append(artifact.sha256)
      bytes += artifact.bytes
    }
  }
}

extension ExecutionRecord {
  /// The id that it has in stores of this version.
  fileprivate func markedID() throws(StoreError) -> String {
    let mark = id.split(separator: "-").last ?? ""
    let isMarked = mark.count == 12 && mark.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    return isMarked ? id : try ownID()
  }
}

extension RunRecord {
  /// Stands for all that it says but for ids, which differ from store to store and may be lost, and for
  /// what people said of it since.
  fileprivate func mark() throws(StoreError) -> String {
    var record = using { _ in nil }.named("")
    record.events.removeAll { $0.level == EventRecord.note }
    return try Receipt.mark(record)
  }

  /// With what was said of it elsewhere; `nil` when that is all here.
  fileprivate func adding(notesOf other: RunRecord) -> RunRecord? {
    let new = other.events.filter { $0.level == EventRecord.note && !events.contains($0) }
    if new.isEmpty { return nil }
    var record = self
    let notes = (events.filter { $0.level == EventRecord.note } + new).sorted { $0.at < $1.at }
    record.events = events.filter { $0.level != EventRecord.note } + notes
    return record
  }

  fileprivate var executionIDs: [String] {
    stages.compactMap(\.executionID) + events.compactMap(\.executionID)
  }

  /// With other ids of executions; one that is not there is not used.
  fileprivate func using(_ ids: (String) -> String?) -> RunRecord {
    var record = self
    for place in record.stages.indices {
      record.stages[place].executionID = record.stages[place].executionID.flatMap(ids)
    }
    for place in record.events.indices {
      record.events[place].executionID = record.events[place].executionID.flatMap(ids)
    }
    return record
  }

  fileprivate func named(_ id: String) -> RunRecord {
    var record = self
    record.id = id
    for place in record.stages.indices { record.stages[place].runID = id }
    return record
  }
}
