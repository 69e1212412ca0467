import CSQLite

// From receipts to rows. The rows depend on nothing but the receipts, not even on the order in which
// they were written: a database that grew run by run equals one that was made from them at once.

/// A row that the schema refuses is a fault of its receipt, not of a question that somebody asked.
private func indexing(
  _ kind: String, _ id: String, _ body: () throws(StoreError) -> Void
) throws(StoreError) {
  do {
    try body()
  } catch .sql(_, let reason) {
    throw .damaged(path: "\(kind)/\(id).json", reason: reason)
  }
}

extension Receipts {
  /// A database of them in memory, and the executions that could not be put there.
  func index(_ vocabulary: Vocabulary) throws(StoreError) -> (
    database: Connection, left: [ExecutionRecord]
  ) {
    let database = try Connection(
      ":memory:", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    try Schema.migrate(database, to: vocabulary)
    return (database, try fill(database, vocabulary))
  }

  /// Puts all of it into an empty database.
  ///
  /// - Returns: the executions that could not be put there: the receipt of what made one of their
  ///   inputs is not here.
  func fill(_ database: Connection, _ vocabulary: Vocabulary) throws(StoreError)
    -> [ExecutionRecord]
  {
    var left: [ExecutionRecord] = []
    try database.transaction { () throws(StoreError) in
      left = try ExecutionRow.insert(executions, into: database, vocabulary)
      for run in runs {
        try indexing(Receipt.runs, run.id) { () throws(StoreError) in
          try RunRow.insert(run, into: database)
        }
      }
    }
    return left
  }
}

extension Store {
  /// Brings in what a crash, or another program that held it, kept from the database.
  func importReceipts() throws(StoreError) {
    let executions = try unknown(Receipt.executions, "execution")
    let runs = try unknown(Receipt.runs, "run")
    // The database may have seen a run begin and not end.
    var ended: [RunRecord] = []
    for id in try database.texts("SELECT id FROM run WHERE status = 'running'") {
      let record = try Receipt.readIfWhole(
        RunRecord.self, from: RunRecord.receiptURL(id, in: folder))
      if let record, record.status != "running" { ended.append(record) }
    }
    if executions.isEmpty && runs.isEmpty && ended.isEmpty { return }
    // A damaged receipt is verify's to report; the stage that it stood for simply runs again.
    let receipts = try Receipts(in: folder, vocabulary, executions: executions, runs: runs)
    try takeIn(receipts.executions)
    try database.transaction { () throws(StoreError) in
      for run in receipts.runs {
        try indexing(Receipt.runs, run.id) { () throws(StoreError) in
          try RunRow.insert(run, into: database)
        }
      }
      for run in ended { try renew(run) }
    }
  }

  /// Says of a run that the database knows already what its receipt says. Within a transaction.
  func renew(_ run: RunRecord) throws(StoreError) {
    try RunRow.insert(run.stages, runID: run.id, into: database)
    try database.run("DELETE FROM event WHERE run_id = ?", [.text(run.id)])
    try RunRow.insert(run.events, runID: run.id, into: database)
    try database.run(
      "UPDATE run SET status = ?, finished_at = ? WHERE id = ?",
      [.text(run.status), .optional(run.finishedAt), .text(run.id)])
  }

  /// The receipts that the database does not know.
  func unknown(_ kind: String, _ table: String) throws(StoreError) -> Set<String> {
    let files = try Receipts.ids(kind, in: folder)
    if files.isEmpty { return [] }
    return files.subtracting(try database.texts("SELECT id FROM \(table)"))
  }

  /// Takes in what finds its inputs; the rest waits.
  ///
  /// - Parameter id: of an execution that was made again, perhaps under the id that it had.
  func takeIn(_ records: [ExecutionRecord], after id: String? = nil) throws(StoreError) {
    let waited = Set(waiting.map(\.id))
    try database.transaction { () throws(StoreError) in
      waiting = try ExecutionRow.insert(records, into: database, vocabulary)
      let arrived = waited.subtracting(waiting.map(\.id))
      if !arrived.isEmpty { try relink(arrived.union(id.map { [$0] } ?? [])) }
    }
  }

  /// Says again, of runs that used executions which had to wait, that they did.
  private func relink(_ ids: Set<String>) throws(StoreError) {
    for run in try Receipts(in: folder, vocabulary, executions: []).runs {
      func isMeant(_ id: String?) -> Bool { id.map(ids.contains) ?? false }
      try RunRow.insert(
        run.stages.filter { isMeant($0.executionID) }, runID: run.id, into: database)
      if run.events.contains(where: { isMeant($0.executionID) }) {
        try database.run("DELETE FROM event WHERE run_id = ?", [.text(run.id)])
        try RunRow.insert(run.events, runID: run.id, into: database)
      }
    }
  }
}

extension ExecutionRow {
  /// Inserts each record as soon as its inputs are known; returns those that never are.
  /// Cost: the records times the depth of their lineage.
  static func insert(
    _ records: [ExecutionRecord], into database: Connection, _ vocabulary: Vocabulary
  ) throws(StoreError) -> [ExecutionRecord] {
    var known = Set(try database.texts("SELECT sha256 FROM artifact"))
    var left = records
    while true {
      var next: [ExecutionRecord] = []
      for record in left {
        guard record.inputs.allSatisfy({ known.contains($0.sha256) }) else {
          next.append(record)
          continue
        }
        try indexing(Receipt.executions, record.id) { () throws(StoreError) in
          try insert(record, into: database, vocabulary)
        }
        known.formUnion(record.outputs.map(\.sha256))
      }
      if next.isEmpty || next.count == left.count { return next }
      left = next
    }
  }
}
