import Foundation

/// What `gc` removes, or would.
package struct Removal: Sendable, Codable, Hashable {
  package internal(set) var runs: [String] = []
  package internal(set) var executions: [String] = []
  /// Paths within the store.
  package internal(set) var objects: [String] = []
  /// Other paths within the store: what was set aside, and checkpoints that nothing needs.
  package internal(set) var leftovers: [String] = []
  /// What all these files take.
  package internal(set) var bytes = 0

  package var isEmpty: Bool {
    runs.isEmpty && executions.isEmpty && objects.isEmpty && leftovers.isEmpty
  }
}

// A full disk has no room for a list of what shall go. So the receipts that shall go are given other names,
// one after the other, those that use before those that they use: after each of these steps the store is
// whole, and what was begun is written in the names themselves. Then go the objects that only they tell
// of, which makes room; then the database is made anew; then they go.

extension Receipt {
  /// The ending of a receipt that is about to go.
  static let going = ".going"
}

extension Removal {
  /// Earlier versions wrote down what they were about to remove.
  static func url(in folder: URL) -> URL { folder.appending(path: "removal.json") }

  /// What is left of a removal that was begun; `nil` when there is none.
  ///
  /// Nothing in a list is believed but names of receipts, and objects where objects lie.
  static func begun(in folder: URL) throws(StoreError) -> Removal? {
    var removal = Removal()
    removal.runs = try Receipts.goingIDs(Receipt.runs, in: folder).sorted()
    removal.executions = try Receipts.goingIDs(Receipt.executions, in: folder).sorted()
    guard let data = try StoreFile.read(url(in: folder)) else {
      return removal.isEmpty ? nil : removal
    }
    // One that cannot be understood was never begun: it was not yet whole.
    guard let listed = try? JSONDecoder().decode(Removal.self, from: data) else { return removal }
    func names(_ listed: [String], _ known: [String]) -> [String] {
      known + Set(listed.filter { isPlainName($0, most: 128) }).subtracting(known).sorted()
    }
    removal.runs = names(listed.runs, removal.runs)
    removal.executions = names(listed.executions, removal.executions)
    removal.objects = listed.objects.filter { Places.objectHash($0) != nil }
    return removal
  }

  /// Begins it: what no receipt tells of goes at once, the receipts that shall go get their other names.
  func begin(in folder: URL) throws(StoreError) {
    let place = try StoreFolder(folder)
    for path in leftovers {
      if path.hasPrefix("checkpoints/") {
        try CheckpointFolder.remove(path, from: folder)
      } else if path.hasPrefix("\(OrderFolder.name)/") {
        try OrderFolder(store: folder, key: URL(filePath: path).lastPathComponent).remove()
      } else {
        try place.removeFile(path)
      }
    }
    try rename(in: folder)
  }

  func rename(in folder: URL) throws(StoreError) {
    for (kind, ids) in [(Receipt.runs, runs), (Receipt.executions, executions)] {
      let place = folder.appending(path: kind)
      var names: [(String, String)] = []
      for id in ids where try StoreFile.kind(place.appending(path: id + ".json")) != nil {
        names.append((id + ".json", id + Receipt.going))
      }
      try AtomicFile.rename(names, in: kind, of: folder)
    }
  }

  /// Removes the objects that only receipts tell of which are about to go.
  func removeObjects(in folder: URL, besides receipts: Receipts) throws(StoreError) {
    let known = receipts.artifacts
    var hashes = Set(objects.compactMap(Places.objectHash))
    for id in executions {
      let url = folder.appending(path: "\(Receipt.executions)/\(id)\(Receipt.going)")
      // Of one that is damaged the next `gc` finds the objects.
      guard let record = try Receipt.readIfWhole(ExecutionRecord.self, from: url) else { continue }
      hashes.formUnion(record.allArtifacts)
    }
    let place = try StoreFolder(folder)
    for hash in hashes.subtracting(known).sorted() where SHA256.isHash(hash) {
      let path = "objects/\(hash.prefix(2))/\(hash.dropFirst(2))"
      if try StoreFile.kind(folder.appending(path: path)) == .file { try place.removeFile(path) }
    }
  }

  /// Ends it, when the database knows nothing any more of what went.
  func end(in folder: URL) throws(StoreError) {
    let place = try StoreFolder(folder)
    for id in runs {
      try place.removeFile("\(Receipt.runs)/\(id).journal")
      try place.removeFile("\(Receipt.runs)/\(id)\(Receipt.going)")
    }
    for id in executions { try place.removeFile("\(Receipt.executions)/\(id)\(Receipt.going)") }
    try place.removeFile("removal.json")
  }
}

extension Store {
  /// Removes it and makes the database anew. The caller holds the lock. A crash on the way is completed
  /// by the next session.
  package static func remove(
    _ removal: Removal, from folder: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) {
    let folder = folder.standardizedFileURL
    try Receipts.refuseNewer(in: folder)
    let place = try StoreFolder(folder)
    // Objects that no receipt tells of; of the others the receipts go first.
    let known = try Receipts(in: folder, vocabulary, runs: []).artifacts
    for path in removal.objects {
      if let hash = Places.objectHash(path), !known.contains(hash) { try place.removeFile(path) }
    }
    try removal.begin(in: folder)
    if removal.runs.isEmpty && removal.executions.isEmpty { return }
    _ = try completeRemoval(folder, vocabulary)
  }

  /// Completes a `gc` that was cut off, and no more. The caller holds the lock.
  /// - Returns: what was done, a line each.
  package static func completeRemoval(
    _ folder: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) -> [String] {
    let folder = folder.standardizedFileURL
    guard let removal = try Removal.begun(in: folder) else { return [] }
    try Receipts.refuseNewer(in: folder)
    try requireReceipts(folder, besides: removal, evenDamaged: true)
    var receipts = try Receipts(in: folder, vocabulary)
    receipts.drop(removal)
    if let damaged = receipts.damaged.first {
      throw .damaged(path: damaged.url.path, reason: damaged.reason)
    }
    try removal.rename(in: folder)
    try removal.removeObjects(in: folder, besides: receipts)
    try renewDatabase(in: folder, from: receipts, vocabulary)
    try removal.end(in: folder)
    return ["completed a removal that was cut off"]
  }

  /// Refuses a store whose database knows what has no receipt: made anew it would know less, and what only
  /// a lost receipt tells of would look as if nobody needed it.
  ///
  /// - Parameter evenDamaged: goes on where the database is damaged and knows nothing any more.
  static func requireReceipts(
    _ folder: URL, besides removal: Removal? = nil, evenDamaged: Bool = false
  ) throws(StoreError) {
    let lost: (executions: [String], runs: [String])
    do {
      lost = try lostReceipts(folder, besides: removal)
    } catch {
      guard evenDamaged, error.isDamage else { throw error }
      return
    }
    let paths =
      lost.executions.map { "\(Receipt.executions)/\($0).json" }
      + lost.runs.map { "\(Receipt.runs)/\($0).json" }
    if !paths.isEmpty { throw .lostReceipts(path: folder.path, paths) }
  }

  /// The executions and runs that the database knows and that have no receipt.
  static func lostReceipts(
    _ folder: URL, besides removal: Removal?
  ) throws(StoreError) -> (executions: [String], runs: [String]) {
    let url = databaseURL(in: folder)
    guard try StoreFile.kind(url) != nil else { return ([], []) }
    let database = try openToRead(url.path)
    // Killed before its first transaction, it knows nothing.
    if try identity(of: database) == .empty { return ([], []) }
    // First what the database knows: a run beside it writes the receipt before the row.
    let executions = try database.texts("SELECT id FROM execution ORDER BY id")
    let runs = try database.texts("SELECT id FROM run ORDER BY id")
    func lost(_ ids: [String], _ kind: String, _ going: [String]) throws(StoreError) -> [String] {
      let found = try Receipts.ids(kind, in: folder).union(going)
        .union(Receipts.goingIDs(kind, in: folder))
      return ids.filter { !found.contains($0) }
    }
    return (
      try lost(executions, Receipt.executions, removal?.executions ?? []),
      try lost(runs, Receipt.runs, removal?.runs ?? [])
    )
  }
}
