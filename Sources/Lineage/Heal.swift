import CSQLite
import Foundation

extension Store {
  /// Whether `heal` has something to do.
  package static func needsHealing(_ folder: URL) -> Bool {
    [Doubts.url(in: folder), Removal.url(in: folder)].contains {
      FileManager.default.fileExists(atPath: $0.path)
    }
  }

  /// Completes a `gc` that was cut off, and no more. The caller holds the lock.
  /// - Returns: what was done, a line each.
  package static func completeRemoval(
    _ folder: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) -> [String] {
    let folder = folder.standardizedFileURL
    guard FileManager.default.fileExists(atPath: Removal.url(in: folder).path) else { return [] }
    try Removal.complete(in: folder, vocabulary)
    return ["completed a removal that was cut off"]
  }

  /// Puts in order what `verify` found, and completes a `gc` that was cut off. The caller holds the
  /// lock.
  ///
  /// Whatever is not what it should be is moved to the folder `damaged`, so that nothing is lost and
  /// nothing uses it again; the receipts of runs are written again from their rows; then the database
  /// is made anew from the receipts that are whole. What is missing afterwards the next run makes.
  /// - Returns: what was done, a line each.
  package static func heal(_ folder: URL, _ vocabulary: Vocabulary) throws(StoreError) -> [String] {
    guard needsHealing(folder) else { return [] }
    let folder = folder.standardizedFileURL
    // Nothing is set aside of a store that holds what only a newer version can read.
    try Receipts.refuseNewer(in: folder)
    try Removal.complete(in: folder, vocabulary)
    let doubts = Doubts(in: folder)
    var done: [String] = []
    for fault in doubts.faults where fault.place == .object {
      let isHash = SHA256.isHash(fault.subject)
      let url =
        isHash ? objectURL(fault.subject, in: folder) : folder.appending(path: fault.subject)
      // What is written in the file leads nowhere but among the objects.
      guard url.path.hasPrefix(folder.appending(path: "objects").path + "/"),
        !fault.subject.split(separator: "/").contains(".."),
        FileManager.default.fileExists(atPath: url.path),
        !isHash || Verification.problem(url, fault.subject) != nil
      else { continue }
      try moveAside(url, in: folder)
      done.append("moved object \(fault.subject) to damaged/: \(fault.problem)")
    }
    let receipts = try Receipts(in: folder, vocabulary)
    for (url, reason) in receipts.damaged {
      try moveAside(url, in: folder)
      done.append("moved \(url.lastPathComponent) to damaged/: \(reason)")
    }
    done += try keepRows(folder, of: receipts, vocabulary)
    let left = try replaceDatabase(
      in: folder, from: try Receipts(in: folder, vocabulary), vocabulary, evenIncomplete: true)
    done.append("made the database anew from the receipts")
    if !left.isEmpty {
      done.append("\(left.count) executions wait for one of their inputs to be made again")
    }
    Doubts.leave([], in: folder)
    return done
  }

  /// Before the database goes, what it alone has left: runs get their receipts again, executions that
  /// lost theirs are kept among the damaged, where their ids are not given away.
  private static func keepRows(
    _ folder: URL, of receipts: Receipts, _ vocabulary: Vocabulary
  ) throws(StoreError) -> [String] {
    let old = databaseURL(in: folder)
    guard FileManager.default.fileExists(atPath: old.path) else { return [] }
    let database: Connection
    let rows: (runs: [String], executions: [String])
    do {
      database = try openToRead(old.path, vocabulary)
      rows = (
        try database.texts("SELECT id FROM run"), try database.texts("SELECT id FROM execution")
      )
    } catch {
      try moveAside(old, in: folder)
      return ["moved the database to damaged/: \(error)"]
    }
    var done: [String] = []
    let runs = Set(receipts.runs.map(\.id))
    for id in rows.runs where !runs.contains(id) {
      let url = folder.appending(path: "\(Receipt.runs)/\(id).json")
      let record = try RunRow.record(id, in: database)
      try AtomicFile.write(try Receipt.data(record, path: url.path), to: url)
      done.append("wrote the receipt of run \(id) again from the database")
    }
    let executions = Set(receipts.executions.map(\.id))
    for id in rows.executions where !executions.contains(id) {
      let url = aside(folder.appending(path: "\(Receipt.executions)/\(id).json"), in: folder)
      if FileManager.default.fileExists(atPath: url.path) { continue }
      let found = try database.rows("SELECT * FROM execution WHERE id = ?", [.text(id)])
      guard let row = found.first else { continue }
      let record = try ExecutionRow.record(row, in: database)
      try AtomicFile.makeFolder(url.deletingLastPathComponent())
      try AtomicFile.write(try Receipt.data(record, path: url.path), to: url)
      done.append("gave up execution \(id), which has no receipt")
    }
    return done
  }

  /// Where something damaged goes: the same path below `damaged`.
  static func aside(_ url: URL, in folder: URL) -> URL {
    let path = url.pathComponents.dropFirst(folder.pathComponents.count).joined(separator: "/")
    return folder.appending(path: "damaged/" + path)
  }

  func aside(_ url: URL) -> URL { Self.aside(url, in: folder) }

  private static func moveAside(_ url: URL, in folder: URL) throws(StoreError) {
    let target = aside(url, in: folder)
    try AtomicFile.makeFolder(target.deletingLastPathComponent())
    if rename(url.path, target.path) != 0 { throw StoreError(errno, writing: target) }
  }
}
