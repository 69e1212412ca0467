import CSQLite
import Foundation

extension Store {
  /// Makes the database again from receipts and objects alone; the old one is replaced at the end.
  /// The caller holds the lock.
  ///
  /// - Throws: `StoreError.damaged` when a receipt is, `.lostReceipts` when one is missing: the database
  ///   would know less than before.
  /// - Returns: how many executions and runs were read.
  package static func rebuild(_ folder: URL, _ vocabulary: Vocabulary) throws(StoreError) -> (
    executions: Int, runs: Int
  ) {
    try checkPlace(folder, vocabulary)
    // A database that is damaged is what a rebuild is for.
    try requireReceipts(folder, evenDamaged: true)
    let receipts = try Receipts.whole(in: folder, vocabulary)
    let left = try replaceDatabase(in: folder, from: receipts, vocabulary)
    if let first = left.first {
      throw .damaged(
        path: folder.appending(path: "\(Receipt.executions)/\(first.id).json").path,
        reason: "it names an input that no receipt has as an output")
    }
    return (receipts.executions.count, receipts.runs.count)
  }

  /// Makes the database anew; on a disk without room for a second one, in the place of the first: that is
  /// whole again when whoever healed has finished, and whatever asked for the healing asks until then.
  ///
  /// - Returns: the executions that cannot be in the new database, for want of an input.
  @discardableResult
  static func renewDatabase(
    in folder: URL, from receipts: Receipts, _ vocabulary: Vocabulary
  ) throws(StoreError) -> [ExecutionRecord] {
    do {
      return try replaceDatabase(in: folder, from: receipts, vocabulary, evenIncomplete: true)
    } catch {
      guard case .full = error, try StoreFile.kind(databaseURL(in: folder)) != nil else {
        throw error
      }
      return try refillDatabase(in: folder, from: receipts, vocabulary)
    }
  }

  private static func refillDatabase(
    in folder: URL, from receipts: Receipts, _ vocabulary: Vocabulary
  ) throws(StoreError) -> [ExecutionRecord] {
    let connection = try Connection(
      databaseURL(in: folder).path, flags: SQLITE_OPEN_READWRITE)
    // No log and no shared file: both would need room.
    try connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    try connection.execute("PRAGMA journal_mode = MEMORY")
    try Schema.refuseStrangers(in: connection, vocabulary)
    try Schema.migrate(connection, to: vocabulary)
    try connection.transaction { () throws(StoreError) in
      for (table, _) in vocabulary.tablesOfReceipts.reversed() {
        try connection.execute("DELETE FROM \(table)")
      }
    }
    return try receipts.fill(connection, vocabulary)
  }

  /// - Returns: the executions that cannot be in the new database, for want of an input.
  private static func replaceDatabase(
    in folder: URL, from receipts: Receipts, _ vocabulary: Vocabulary,
    evenIncomplete: Bool = false
  ) throws(StoreError) -> [ExecutionRecord] {
    let base = databaseFolder(in: folder)
    let place = try StoreFolder(base)
    let draft = "tmp/" + Places.newRebuild()
    let new = try place.makeFolder(draft).url.appending(path: Places.database)
    defer { try? place.removeAll(draft) }
    let left = try {
      () throws(StoreError) in
      let connection = try Connection(
        new.path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
      try keepPersonal(from: databaseURL(in: folder), in: connection, vocabulary)
      try connection.execute("PRAGMA foreign_keys = ON")
      // Cut off, it is thrown away.
      try connection.execute("PRAGMA journal_mode = OFF")
      try Schema.migrate(connection, to: vocabulary)
      return try receipts.fill(connection, vocabulary)
    }()
    if !left.isEmpty && !evenIncomplete { return left }
    let old = databaseURL(in: folder)
    // The log of the old database must not be applied to the new one; what it holds is first brought
    // home, so that a crash in between leaves the old database whole.
    if let connection = try? Connection(old.path, flags: SQLITE_OPEN_READWRITE) {
      try? connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }
    for suffix in ["-wal", "-shm"] { try place.removeFile(Places.database + suffix) }
    try AtomicFile.move(new, to: old, in: base)
    return left
  }

  /// Copies what people added to the old database into the new one. The old one is copied whole and
  /// emptied of what is Locus' own: no statement is made from what it holds.
  ///
  /// - Throws: `StoreError.stranger`, and `.damaged` where the old database is damaged but has such things.
  private static func keepPersonal(
    from old: URL, in new: Connection, _ vocabulary: Vocabulary
  ) throws(StoreError) {
    guard FileManager.default.fileExists(atPath: old.path),
      let database = try? openToRead(old.path), let items = try? SchemaItem.all(in: database),
      (try? identity(of: database)) == .ours
    else { return }
    try Schema.refuseStrangers(in: database, vocabulary)
    if !items.contains(where: \.isPersonal) { return }
    let problems = try database.texts("PRAGMA integrity_check")
    if problems != ["ok"] {
      throw .damaged(
        path: old.path,
        reason: "it holds tables or views of yours, \(SchemaItem.personalPrefix)…, which cannot be"
          + " copied; move the file away to go on without them")
    }
    try new.fill(from: database)
    for item in Schema.own(vocabulary).sorted(by: { $0.name < $1.name }) {
      switch item.type {
      case "view": try new.execute("DROP VIEW IF EXISTS \"\(item.name)\"")
      case "table": try new.execute("DROP TABLE IF EXISTS \"\(item.name)\"")
      default: break
      }
    }
    try new.execute("PRAGMA user_version = 0")
  }
}
