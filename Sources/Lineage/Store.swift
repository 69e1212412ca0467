import CSQLite
import Foundation

/// The store: objects and receipts on disk, and the database that is their index.
///
/// One thread uses a store at a time. Writers hold Workflow's lock; readers need nothing.
package final class Store {
  package enum Access: Sendable { case readWrite, readOnly }

  package let folder: URL
  let database: Connection
  package let vocabulary: Vocabulary
  /// Executions whose receipts name an input that nothing known has made, until something does.
  var waiting: [ExecutionRecord] = []
  /// Rows that another program keeps from the database, in their order.
  var backlog: [() throws(StoreError) -> Void] = []
  var patience = Store.patience
  /// What `verify` found damaged: not used again before it has been healed.
  let doubts: Doubts

  init(_ folder: URL, _ database: Connection, _ vocabulary: Vocabulary) throws(StoreError) {
    self.folder = folder
    self.database = database
    self.vocabulary = vocabulary
    doubts = try Doubts(in: folder)
  }

  package var databaseURL: URL { Self.databaseURL(in: folder) }
  package var temporaryFolder: URL { folder.appending(path: "tmp") }

  /// Opens a store; `.readWrite` makes one where there is none.
  ///
  /// Refuses, without a change, what is not a store of this version or an older one. An older one is
  /// migrated when it is opened to write; who reads sees a migrated copy in memory.
  package static func open(_ folder: URL, _ access: Access, _ vocabulary: Vocabulary)
    throws(StoreError) -> Store
  {
    let path = databaseURL(in: folder).path
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder)
    if exists && !isFolder.boolValue { throw .notAFolder(path: folder.path) }
    try Places.check(folder)
    let hasDatabase = try StoreFile.kind(databaseURL(in: folder)) != nil
    switch access {
    case .readOnly:
      guard hasDatabase else {
        if let host = foreignHost(of: folder) {
          throw .elsewhere(path: databaseFolder(in: folder).path, host: host)
        }
        throw .missing(path: folder.path)
      }
      let connection = try openToRead(path)
      if try identity(of: connection) == .empty { throw .missing(path: folder.path) }
      let store = try Store(folder, try current(connection, vocabulary), vocabulary)
      // What the database does not know yet may be for a newer version only.
      for (kind, table) in [(Receipt.executions, "execution"), (Receipt.runs, "run")] {
        try Receipts.refuseNewer(kind, try store.unknown(kind, table), in: folder)
      }
      return store
    case .readWrite:
      try AtomicFile.makeFolder(folder)
      if let host = foreignHost(of: folder) {
        throw .elsewhere(path: databaseFolder(in: folder).path, host: host)
      }
      let base = databaseFolder(in: folder)
      try AtomicFile.makeFolder(base)
      if let type = FileSystem.network(of: base.path) {
        throw .network(path: base.path, type: type)
      }
      // What is foreign is refused before anything is written.
      try Places.refuseForeign(folder)
      if [folder, base].contains(where: { !FileManager.default.isWritableFile(atPath: $0.path) })
        || hasDatabase && !FileManager.default.isWritableFile(atPath: path)
      {
        throw .cannotWrite(path: path, reason: "no permission to write")
      }
      try AtomicFile.makeFolder(folder.appending(path: "tmp"))
      let connection = try Connection(path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
      let store = try Store(folder, connection, vocabulary)
      try store.prepareToWrite()
      return store
    }
  }

  static func openToRead(_ path: String) throws(StoreError) -> Connection {
    let connection = try Connection(path, flags: SQLITE_OPEN_READONLY)
    do {
      // Reads the log as any query does, and does not parse what the tables and views are.
      _ = try connection.integer("PRAGMA schema_version")
      return connection
    } catch .cannotWrite, .full {
      // A write-ahead log needs a shared file beside the database; where that cannot be made, nobody
      // writes either. Without it the log cannot be read: what is there would be older than it seems.
      let log = path + "-wal"
      if try FileStamp(path: log).map({ $0.size > 0 }) == true {
        throw .cannotRead(
          path: log,
          reason:
            "the newest rows are in it, and beside it nothing can be written; copy the store to where"
            + " it can, or let `locus status` read it once there")
      }
      let escaped = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
      return try Connection(
        "file:\(escaped)?immutable=1", flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
    }
  }

  /// A connection that reads the database as this version has it.
  static func openToRead(_ path: String, _ vocabulary: Vocabulary) throws(StoreError) -> Connection
  {
    try current(try openToRead(path), vocabulary)
  }

  /// The connection itself, with this version's views before those of an earlier build; or, for a database of
  /// an older schema or with fewer columns, a migrated copy in memory.
  private static func current(_ connection: Connection, _ vocabulary: Vocabulary)
    throws(StoreError) -> Connection
  {
    let version = try connection.integer("PRAGMA user_version") ?? 0
    if version == 0 || version > Schema.version { return connection }
    let hasAll =
      version == Schema.version ? try Schema.hasAll(of: vocabulary, in: connection) : false
    if hasAll {
      try Schema.showViews(of: vocabulary, on: connection)
      return connection
    }
    let copy = try Connection(":memory:", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    try copy.fill(from: connection)
    do {
      try Schema.migrate(copy, to: vocabulary)
    } catch .sql(_, let reason) {
      throw .damaged(path: connection.path, reason: reason)
    }
    return copy
  }

  /// An empty database is what a crash or a full disk between creation and the first transaction
  /// leaves.
  enum Identity { case ours, empty }

  static func identity(of database: Connection) throws(StoreError) -> Identity {
    let path = database.path
    let application = try database.integer("PRAGMA application_id") ?? 0
    let version = try database.integer("PRAGMA user_version") ?? 0
    if application != Schema.applicationID {
      let tables = try database.integer("SELECT count(*) FROM sqlite_schema")
      let isEmpty = application == 0 && version == 0 && tables == 0
      if isEmpty { return .empty }
      throw .foreign(path: path, found: "application id \(application)")
    }
    if version < 0 { throw .foreign(path: path, found: "schema version \(version)") }
    if version > Schema.version {
      throw .newer(path: path, version: version, known: Schema.version)
    }
    return .ours
  }

  private func prepareToWrite() throws(StoreError) {
    try Schema.refuseStrangers(in: database, vocabulary)
    try database.execute("PRAGMA journal_mode = WAL")
    try database.execute("PRAGMA synchronous = NORMAL")
    try database.execute("PRAGMA foreign_keys = ON")
    if try !Schema.isCurrent(database, for: vocabulary) {
      try Schema.migrate(database, to: vocabulary)
    }
    try importReceipts()
  }

  // MARK: - Reading

  /// Any statement, for the program's own use.
  package func query(_ sql: String, _ bindings: [SQLValue] = []) throws(StoreError) -> QueryResult {
    try database.query(sql, bindings)
  }

  /// Where the object with this hash lies. A text that is no hash leads to no file.
  package func objectURL(_ sha256: String) -> URL { Self.objectURL(sha256, in: folder) }

  package static func objectURL(_ sha256: String, in folder: URL) -> URL {
    guard SHA256.isHash(sha256) else { return folder.appending(path: "objects/none") }
    return folder.appending(path: "objects/\(sha256.prefix(2))/\(sha256.dropFirst(2))")
  }

  /// Whether the object is there with the size that was recorded.
  package func hasObject(_ sha256: String) throws(StoreError) -> Bool {
    let recorded = try database.integer(
      "SELECT bytes FROM artifact WHERE sha256 = ?", [.text(sha256)])
    guard let bytes = recorded, !doubts.objects.contains(sha256) else {
      return false
    }
    return try Self.size(of: objectURL(sha256)) == bytes
  }

  /// `nil` for anything but an ordinary file.
  static func size(of url: URL) throws(StoreError) -> Int? {
    try FileStamp(path: url.path).map { Int($0.size) }
  }

  /// The success that counts for a key, of several with other bytes one of the instruction set that is
  /// preferred, then the latest: asked for each stage of each run, so it reads little.
  package func succeededExecution(key: String, preferring instructions: String? = nil)
    throws(StoreError) -> SucceededExecution?
  {
    let found = try database.rows(
      """
      SELECT e.id, e.instructions, o.role, o.sha256 FROM execution e
      LEFT JOIN execution_output o ON o.execution_id = e.id
      WHERE e.id = (
        SELECT id FROM execution WHERE key = ? AND status = 'succeeded'
        ORDER BY instructions IS ? DESC, attempt DESC, finished_at DESC, id DESC LIMIT 1)
      ORDER BY o.role
      """, [.text(key), .optional(instructions)])
    guard let first = found.first else { return nil }
    let id = try first.text("id")
    if doubts.executions.contains(id) { return nil }
    var execution = SucceededExecution(
      id: id, key: key, instructions: try first.optionalText("instructions"), outputs: [])
    for row in found {
      // One without outputs has a row all the same.
      guard let role = try row.optionalText("role") else { continue }
      execution.outputs.append(ArtifactReference(role: role, sha256: try row.text("sha256")))
    }
    return execution
  }

  /// Whether anything in it was computed otherwise than by `instructions`.
  package func hasOthers(than instructions: String) throws(StoreError) -> Bool {
    try database.integer(
      """
      SELECT EXISTS (SELECT 1 FROM execution WHERE status = 'succeeded' AND instructions <> ?)
      """, [.text(instructions)]) == 1
  }

  /// What a stage of this name last used or did in a pipeline: runs explain themselves against it.
  package func latestExecution(pipeline: String, stage: String) throws(StoreError)
    -> ExecutionRecord?
  {
    try execution(
      where: """
        id = (SELECT s.execution_id \(Self.newestStages) WHERE s.name = ?2
          AND s.execution_id IS NOT NULL ORDER BY r.sequence DESC, r.id DESC LIMIT 1)
        """, [.text(pipeline), .text(stage)])
  }

  /// What a stage of this name took when it last succeeded in a pipeline, else another instance of `base`;
  /// `nil` when none did.
  package func lastSeconds(pipeline: String, stage: String, orOf base: String) throws(StoreError)
    -> Double?
  {
    for condition in [
      "s.name = ?2", "(s.name = ?3 OR substr(s.name, 1, length(?3) + 1) = ?3 || '[')",
    ] {
      let found = try database.rows(
        """
        SELECT e.wall_seconds AS seconds \(Self.newestStages)
        JOIN execution e ON e.id = s.execution_id
        WHERE \(condition) AND e.status IN ('succeeded', 'replaced')
        ORDER BY r.sequence DESC, r.id DESC, s.id DESC LIMIT 1
        """, [.text(pipeline), .text(stage), .text(base)])
      if let row = found.first { return try row.number("seconds") }
    }
    return nil
  }

  /// The stages `s` of the runs `r` of the pipelines named `?1`, joined so that the newest run, which most
  /// often has what is asked for, is looked at first and the others not at all.
  private static let newestStages = """
    FROM run r CROSS JOIN pipeline p ON p.id = r.pipeline_id AND p.name = ?1
    CROSS JOIN stage s ON s.run_id = r.id
    """

  private func execution(where condition: String, _ bindings: [SQLValue]) throws(StoreError)
    -> ExecutionRecord?
  {
    let found = try database.rows("SELECT * FROM execution WHERE \(condition)", bindings)
    guard let row = found.first else { return nil }
    return try ExecutionRow.record(row, in: database)
  }
}

extension Store {
  /// Of the library that is loaded.
  package static var sqliteVersion: String { String(cString: sqlite3_libversion()) }
}
