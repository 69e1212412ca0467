import CSQLite
import Foundation

extension Store {
  /// Makes the database again from receipts and objects alone; the old one is replaced at the end.
  ///
  /// - Returns: how many executions and runs were read.
  public static func rebuild(_ folder: URL) throws(StoreError) -> (executions: Int, runs: Int) {
    // What is not a store of ours is refused before anything is written.
    do {
      _ = try open(folder, .readOnly)
    } catch .missing {
      guard FileManager.default.fileExists(atPath: folder.appending(path: "receipts").path) else {
        throw .missing(path: folder.path)
      }
    }
    try Links.refuse(in: folder)
    let draft = folder.appending(path: "tmp/rebuild-" + UUID().uuidString)
    try AtomicFile.makeFolder(draft)
    defer { try? FileManager.default.removeItem(at: draft) }
    let store = try open(draft, .readWrite)
    let executions: [ExecutionRecord] = try receipts(folder, Receipt.executions)
    let runs: [RunRecord] = try receipts(folder, Receipt.runs)
    try store.database.transaction { () throws(StoreError) in
      for record in executions.sorted(by: { ($0.finishedAt, $0.id) < ($1.finishedAt, $1.id) }) {
        try damaged("\(Receipt.executions)/\(record.id).json", in: folder) {
          () throws(StoreError) in try ExecutionRow.insert(record, into: store.database)
        }
      }
      for record in runs.sorted(by: { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }) {
        try damaged("\(Receipt.runs)/\(record.id).json", in: folder) {
          () throws(StoreError) in try store.insert(record)
        }
      }
    }
    try store.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    try store.database.execute("PRAGMA journal_mode = DELETE")
    for suffix in ["-wal", "-shm"] {
      try? FileManager.default.removeItem(at: folder.appending(path: "locus.sqlite" + suffix))
    }
    try AtomicFile.move(store.databaseURL, to: folder.appending(path: "locus.sqlite"))
    return (executions.count, runs.count)
  }

  /// What the tables refuse is the receipt's fault, not that of a statement somebody typed.
  private static func damaged(
    _ receipt: String, in folder: URL, _ body: () throws(StoreError) -> Void
  ) throws(StoreError) {
    do {
      try body()
    } catch .sql(_, let reason) {
      throw .damaged(path: folder.appending(path: receipt).path, reason: reason)
    }
  }

  private static func receipts<T: Receipted>(_ folder: URL, _ kind: String) throws(StoreError)
    -> [T]
  {
    let place = folder.appending(path: kind)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
    var records: [T] = []
    for name in names.sorted() where name.hasSuffix(".json") {
      records.append(try Receipt.read(T.self, from: place.appending(path: name)))
    }
    return records
  }
}
