import Foundation

extension Store {
  /// Whether `heal` has something to do.
  package static func needsHealing(_ folder: URL) throws(StoreError) -> Bool {
    if try StoreFile.kind(Doubts.url(in: folder)) != nil { return true }
    return try Removal.begun(in: folder) != nil
  }

  /// Puts in order what `verify` found, and completes a `gc` that was cut off. The caller holds the
  /// lock.
  ///
  /// Whatever is not what it should be is moved to the folder `damaged`, so that nothing is lost and
  /// nothing uses it again; receipts that are missing are written again from the database; then the
  /// database is made anew from the receipts that are whole. What is missing afterwards the next run makes.
  /// - Throws: also when something cannot be read, which may be whole; then nothing is set aside.
  /// - Returns: what was done, a line each.
  package static func heal(_ folder: URL, _ vocabulary: Vocabulary) throws(StoreError) -> [String] {
    guard try needsHealing(folder) else { return [] }
    let folder = folder.standardizedFileURL
    // Nothing is set aside of a store that holds what only a newer version can read.
    try Receipts.refuseNewer(in: folder)
    let removal = try Removal.begun(in: folder)
    var receipts = try Receipts(in: folder, vocabulary)
    var done = try setObjectsAside(folder, receipts)
    for (url, reason) in receipts.damaged {
      let place = try Aside.move(url, in: folder)
      done.append("moved \(url.lastPathComponent) to \(place): \(reason)")
    }
    let isWhole = receipts.damaged.isEmpty
    done += try keepRows(folder, vocabulary, besides: removal, damaged: receipts.damaged.map(\.url))
    receipts = try Receipts(in: folder, vocabulary)
    // An object of a damaged receipt is no stray.
    if isWhole, try Doubts(in: folder).faults.contains(.merging) {
      for path in try strayObjects(in: folder, known: receipts.artifacts) {
        let place = try Aside.move(folder.appending(path: path), in: folder)
        done.append("moved \(path) to \(place): it came with a merge that was cut off")
      }
    }
    if let removal {
      try removal.rename(in: folder)
      receipts.drop(removal)
      // What a damaged receipt told of is not known any more: the next `gc` decides.
      if isWhole { try removal.removeObjects(in: folder, besides: receipts) }
      done.append("completed a removal that was cut off")
    }
    let left = try renewDatabase(in: folder, from: receipts, vocabulary)
    try removal?.end(in: folder)
    done.append("made the database anew from the receipts")
    if !left.isEmpty {
      done.append("\(left.count) executions wait for one of their inputs to be made again")
    }
    Doubts.leave([], in: folder)
    return done
  }

  private static func setObjectsAside(_ folder: URL, _ receipts: Receipts) throws(StoreError)
    -> [String]
  {
    var done: [String] = []
    let known = receipts.artifacts
    for fault in try Doubts(in: folder).faults where fault.place == .object {
      // What is written in the file leads nowhere but among the objects.
      let isHash = SHA256.isHash(fault.subject)
      let stray = Places.objectHash(fault.subject)
      guard let hash = isHash ? fault.subject : stray, isHash || !known.contains(hash) else {
        continue
      }
      let url = objectURL(hash, in: folder)
      try Places.check(url.deletingLastPathComponent(), is: .folder)
      guard try StoreFile.kind(url) != nil else { continue }
      if isHash, try Verification.problem(url, hash) == nil { continue }
      let place = try Aside.move(url, in: folder)
      done.append("moved object \(fault.subject) to \(place): \(fault.problem)")
    }
    return done
  }

  /// Before the database goes, what it alone has left: whatever lost its receipt gets it again.
  private static func keepRows(
    _ folder: URL, _ vocabulary: Vocabulary, besides removal: Removal?, damaged: [URL]
  ) throws(StoreError) -> [String] {
    let old = databaseURL(in: folder)
    guard try StoreFile.kind(old) != nil else { return [] }
    do {
      return try writeLostReceipts(folder, vocabulary, besides: removal, damaged: damaged)
    } catch {
      // One without its tables is damaged too; what cannot be read may be whole.
      guard error.isBroken else { throw error }
      let place = try Aside.move(old, in: folder)
      return ["moved the database to \(place): \(error)"]
    }
  }

  private static func writeLostReceipts(
    _ folder: URL, _ vocabulary: Vocabulary, besides removal: Removal?, damaged: [URL]
  ) throws(StoreError) -> [String] {
    let lost = try lostReceipts(folder, besides: removal)
    if lost.runs.isEmpty && lost.executions.isEmpty { return [] }
    let database = try openToRead(databaseURL(in: folder).path, vocabulary)
    var done: [String] = []
    for id in lost.runs {
      try RunRow.record(id, in: database).writeReceipt(in: folder)
      done.append("wrote the receipt of run \(id) again from the database")
    }
    // An execution whose receipt was damaged is made again: its rows may be those of the damaged one.
    let damaged = Set(damaged.map(\.lastPathComponent))
    for id in lost.executions where !damaged.contains(id + ".json") {
      try ExecutionRow.whole(id, in: database, vocabulary).writeReceipt(in: folder)
      done.append("wrote the receipt of execution \(id) again from the database")
    }
    return done
  }
}
