import CSQLite
import Foundation

/// Reads a store again from one end to the other and names what is not as it was left.
///
/// Receipts and objects are hashed; from the receipts a second index is made in memory, and the
/// database is held against it, table by table and row by row.
struct Verification {
  private let folder: URL
  /// Whether a run is going on: what it is about to record is no fault.
  private let isRunning: () -> Bool
  private let start = Date()
  /// Its `main` is the index of the receipts; `old` the database of the store, when that can be read.
  private let index: Connection
  private let receipts: Receipts
  private var hasDatabase = false
  private(set) var faults: [Fault] = []
  /// Executions of which a fault is already known, or that are being recorded: what the database says
  /// of them is no news.
  private var excluded: Set<String> = []
  /// Executions that name an input which no execution with a whole receipt has made.
  private var waiting: [String] = []

  private let vocabulary: Vocabulary

  init(_ folder: URL, _ vocabulary: Vocabulary, isRunning: @escaping () -> Bool)
    throws(StoreError)
  {
    self.folder = folder
    self.vocabulary = vocabulary
    self.isRunning = isRunning
    receipts = try Receipts(in: folder, vocabulary)
    index = try Connection(
      ":memory:", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
      about: Store.databaseURL(in: folder).path)
    try Schema.migrate(index, to: vocabulary)
    let left = try receipts.fill(index, vocabulary)
    try attach()
    for (url, reason) in receipts.damaged {
      let id = String(url.lastPathComponent.dropLast(5))
      excluded.insert(id)
      add(.receipt, relative(url), reason, try restingOn(execution: id))
    }
    waiting = left.map(\.id)
    excluded.formUnion(waiting)
  }

  private mutating func add(
    _ place: Fault.Place, _ subject: String, _ problem: String, _ damages: [String] = []
  ) {
    faults.append(Fault(place: place, subject: subject, problem: problem, damages: damages))
  }

  private func relative(_ url: URL) -> String {
    url.pathComponents.suffix(url.pathComponents.count - folder.pathComponents.count)
      .joined(separator: "/")
  }

  // MARK: - The database

  private mutating func attach() throws(StoreError) {
    let path = Store.databaseURL(in: folder).path
    guard try StoreFile.kind(Store.databaseURL(in: folder)) != nil else {
      add(.database, "locus.sqlite", "missing")
      return
    }
    let escaped = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
    for mode in ["mode=ro", "immutable=1"] where !hasDatabase {
      do throws(StoreError) {
        try index.run("ATTACH ? AS old", [.text("file:\(escaped)?\(mode)")])
        if try index.integer("SELECT count(*) FROM old.sqlite_schema") == 0 {
          throw StoreError.damaged(path: path, reason: "it is empty")
        }
        hasDatabase = true
      } catch {
        try? index.execute("DETACH old")
        if mode == "immutable=1" { try addDatabase(error) }
      }
    }
  }

  /// Receipts that are missing, and those that need them.
  mutating func checkReceipts() throws(StoreError) {
    if hasDatabase { try checkMissingReceipts() }
    // Where another receipt's fault does not explain it already.
    if faults.contains(where: { $0.place == .receipt }) { return }
    for id in waiting {
      add(
        .receipt, "\(Receipt.executions)/\(id).json", "names an input that nothing known has made",
        try restingOn(execution: id))
    }
  }

  mutating func checkDatabase() throws(StoreError) {
    guard hasDatabase else { return }
    do {
      for problem in try index.texts("PRAGMA old.integrity_check") where problem != "ok" {
        // A disk that fails is a problem to SQLite, too.
        try StoreFile.skim(Store.databaseURL(in: folder).path)
        add(.database, "locus.sqlite", problem)
      }
      for row in try index.rows("PRAGMA old.foreign_key_check") {
        // Tables without rowids have no number to tell.
        let number = try row.optionalInteger("rowid").map { "row \($0)" } ?? "a row"
        add(
          .database, "table \(try row.text("table"))", "\(number) names a row that is not there")
      }
      for (subject, problem) in try SchemaComparison(
        index: index, vocabulary: vocabulary
      ).problems() {
        add(.database, subject, problem)
      }
      try checkRows()
    } catch {
      try addDatabase(error)
    }
  }

  /// A database that cannot be read may be whole.
  private mutating func addDatabase(_ error: StoreError) throws(StoreError) {
    guard error.isBroken else { throw error }
    add(.database, "locus.sqlite", "\(error)")
  }

  private struct Difference {
    var tables: [String] = []
    var isInDatabase = false
    var isInReceipts = false

    var problem: String {
      let list = tables.joined(separator: ", ")
      return switch (isInDatabase, isInReceipts) {
      case (true, true): "not what the receipts say, in \(list)"
      case (true, false): "rows that no receipt gives, in \(list)"
      default: "rows of the receipts are missing, in \(list)"
      }
    }
  }

  private mutating func checkRows() throws(StoreError) {
    var differences: [String: Difference] = [:]
    let existing = Set(try index.texts("SELECT name FROM old.sqlite_schema WHERE type = 'table'"))
    // An older schema may lack a table.
    for (table, subject) in vocabulary.tablesOfReceipts where existing.contains(table) {
      let inDatabase = try rows(of: table, subject, only: "old", not: "main")
      let inReceipts = try rows(of: table, subject, only: "main", not: "old")
      for name in inDatabase.union(inReceipts) {
        differences[name, default: Difference()].tables.append(table)
        if inDatabase.contains(name) { differences[name]?.isInDatabase = true }
        if inReceipts.contains(name) { differences[name]?.isInReceipts = true }
      }
    }
    for name in try beingRecorded() { differences[name] = nil }
    for name in excluded {
      differences[name] = nil
      // Their artifacts, and what runs say of them.
      for (column, table) in [("sha256", "execution_output"), ("run_id", "stage")] {
        for other in try index.texts(
          "SELECT \(column) FROM old.\(table) WHERE execution_id = ?", [.text(name)])
        {
          differences[other] = nil
        }
      }
    }
    for (name, difference) in differences.sorted(by: { $0.key < $1.key }) {
      add(.database, name, difference.problem, try restingOn(execution: name))
    }
  }

  private func rows(of table: String, _ subject: String, only first: String, not second: String)
    throws(StoreError) -> Set<String>
  {
    // An older schema may lack a column, and had another rule for which of several successes counts.
    let version = try index.integer("PRAGMA old.user_version") ?? 0
    let isOther = table == "execution" && version < 4
    let columns = try index.texts(
      "SELECT name FROM pragma_table_info('\(table)', 'old') INTERSECT"
        + " SELECT name FROM pragma_table_info('\(table)', 'main')"
    ).filter { column in
      // A stage's number follows from how the rows came, not from what the receipts say.
      !(isOther && column == "status") && !(table == "stage" && column == "id")
    }.map { "\"\($0)\"" }.joined(separator: ", ")
    // Equal rows are counted, so that one that is there twice is noticed.
    func rows(_ place: String) -> String {
      "SELECT \(columns), count(*) FROM \(place).\(table) GROUP BY \(columns)"
    }
    return Set(
      try index.texts(
        "SELECT DISTINCT \(subject) FROM (\(rows(first)) EXCEPT \(rows(second)))"))
  }

  private mutating func checkMissingReceipts() throws(StoreError) {
    for (table, kind) in [("execution", Receipt.executions), ("run", Receipt.runs)] {
      // A `gc` is at work, or was cut off: the next session completes it.
      let going = try Receipts.goingIDs(kind, in: folder)
      excluded.formUnion(going)
      let files = try Receipts.ids(kind, in: folder).union(going)
      for id in try index.texts("SELECT id FROM old.\(table) ORDER BY id")
      where !files.contains(id) {
        excluded.insert(id)
        add(.receipt, "\(kind)/\(id).json", "missing", try restingOn(execution: id))
      }
    }
  }

  /// What a run that is going on has recorded since the reading began, or is about to.
  private mutating func beingRecorded() throws(StoreError) -> Set<String> {
    guard isRunning() else { return [] }
    let then = timestamp(start.addingTimeInterval(-2))
    let recorded = try index.texts(
      """
      SELECT id FROM old.execution WHERE finished_at >= ?1
      UNION SELECT id FROM old.run WHERE finished_at IS NULL OR finished_at >= ?1
      """, [.text(then)])
    let late = receipts.executions.filter { $0.finishedAt >= then }.map(\.id)
    excluded.formUnion(recorded + late)
    return excluded
  }

  // MARK: - Objects

  /// - Parameters:
  ///   - suspects: the objects to read; `nil`: all.
  ///   - progress: is told how many of how many objects were read.
  mutating func checkObjects(only suspects: Set<String>?, _ progress: (Int, Int) -> Void)
    throws(StoreError)
  {
    let known = try index.texts(
      "SELECT sha256 FROM main.artifact"
        + (hasDatabase ? " UNION SELECT sha256 FROM old.artifact" : "")
        + " ORDER BY sha256")
    for (number, sha256) in known.enumerated() where suspects?.contains(sha256) != false {
      if let problem = try Self.problem(Store.objectURL(sha256, in: folder), sha256) {
        add(.object, sha256, problem, try restingOn(object: sha256))
      }
      progress(number + 1, known.count)
    }
    if isRunning() { return }
    // Those of executions that wait for a lost input are no strays.
    for path in try Store.strayObjects(
      in: folder, known: Set(known).union(receipts.artifacts))
    {
      add(.object, path, "belongs to no execution")
    }
  }

  /// What is wrong with a file that should have this content.
  ///
  /// - Throws: when it cannot be read; then nobody knows.
  static func problem(_ url: URL, _ sha256: String) throws(StoreError) -> String? {
    switch try StoreFile.kind(url) {
    case nil: return "missing"
    case .file:
      let found: String?
      do {
        found = try StoreFile.hash(url)
      } catch let error as StoreError {
        throw error
      } catch {
        throw .cannotRead(path: url.path, reason: "\(error)")
      }
      return found == sha256 ? nil : "its content has another hash"
    default: return "is no ordinary file"
    }
  }

  // MARK: - What is damaged

  private var schema: String { hasDatabase ? "old" : "main" }

  private func restingOn(object sha256: String) throws(StoreError) -> [String] {
    try stages("SELECT ?1 AS sha256", sha256)
  }

  /// Also of a run, which nothing rests on.
  private func restingOn(execution id: String) throws(StoreError) -> [String] {
    try stages("SELECT sha256 FROM \(schema).execution_output WHERE execution_id = ?1", id)
  }

  /// The stages that made, used or came after what `seeds` selects, and those of execution `subject`.
  private func stages(_ seeds: String, _ subject: String) throws(StoreError) -> [String] {
    // An older schema has no counter.
    let isCounted = try index.integer(
      "SELECT count(*) FROM pragma_table_info('run', '\(schema)') WHERE name = 'sequence'")
    let order = isCounted == 1 ? "sequence" : "started_at"
    let found = try index.rows(
      """
      WITH RECURSIVE damaged (sha256) AS (
        \(seeds)
        UNION
        SELECT o.sha256 FROM damaged d
        CROSS JOIN \(schema).execution_input i ON i.sha256 = d.sha256
        CROSS JOIN \(schema).execution_output o ON o.execution_id = i.execution_id)
      , execution_damaged (id) AS (
        SELECT ?1
        UNION SELECT o.execution_id FROM damaged d
          CROSS JOIN \(schema).execution_output o ON o.sha256 = d.sha256
        UNION SELECT i.execution_id FROM damaged d
          CROSS JOIN \(schema).execution_input i ON i.sha256 = d.sha256)
      , latest (id, newest) AS (
        SELECT r.id, max(r.\(order)) FROM \(schema).run r
        JOIN \(schema).pipeline p ON p.id = r.pipeline_id GROUP BY p.name)
      SELECT s.name, s.run_id, s.run_id IN (SELECT id FROM latest) AS is_latest
      FROM execution_damaged x CROSS JOIN \(schema).stage s ON s.execution_id = x.id
      ORDER BY s.id
      """, [.text(subject)])
    var older: [String] = []
    var latest: [String] = []
    for row in found {
      let name = try row.text("name")
      if try row.flag("is_latest") {
        latest.append(name)
      } else {
        older.append("\(name) (run \(try row.text("run_id")))")
      }
    }
    var seen: Set<String> = []
    return (latest.isEmpty ? older : latest).filter { seen.insert($0).inserted }
  }
}

extension Store {
  /// Refuses what is no store: nothing is there, or something of another program or version.
  static func checkPlace(_ folder: URL, _ vocabulary: Vocabulary) throws(StoreError) {
    do {
      _ = try open(folder, .readOnly, vocabulary)
    } catch .missing, .damaged, .notADatabase {
      if try !Places.hasReceipts(folder) {
        _ = try open(folder, .readOnly, vocabulary)
      }
    }
  }
}
