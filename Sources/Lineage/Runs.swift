import Foundation

// A run's receipt is written when it begins and when it ends; what happens between goes into its
// journal, then into the database.

extension Store {
  /// Begins a run and returns its id: the time, the pipeline and eight random digits.
  ///
  /// What killed runs left is put in order first: the caller holds the lock, so that a run which still
  /// claims to be running is not, and no temporary file of Locus is anybody's.
  package func beginRun(
    pipeline: String, path: String, source: String, trigger: String, seed: UInt64, host: String,
    locusVersion: String, gitCommit: String?, options: [String] = [],
    machine: [String: String] = [:]
  ) throws(StoreError) -> String {
    for dead in try unfinishedRuns() { try close(dead) }
    try Self.removeLeftovers(in: folder)
    let now = Date()
    let startedAt = timestamp(now)
    let last = try database.rows(
      "SELECT id, started_at, sequence FROM run ORDER BY sequence DESC, id DESC LIMIT 1"
    ).first
    let present = Int((now.timeIntervalSince1970 * 1000).rounded(.down))
    let previous = try last.map { row throws(StoreError) in try row.integer("sequence") } ?? -1
    let sequence = max(present, min(previous, Receipt.lastSequence - 1) + 1)
    let moment = startedAt.filter { $0.isNumber || $0 == "T" }.prefix(15)
    let suffix = String(UInt32.random(in: 0...UInt32.max), radix: 16)
    let record = RunRecord(
      id: "\(moment)Z-\(pipeline)-\(String(repeating: "0", count: 8 - suffix.count))\(suffix)",
      pipeline: pipeline, path: path, source: source, startedAt: startedAt, sequence: sequence,
      status: "running",
      trigger: trigger, seed: seed, host: host, locusVersion: locusVersion,
      gitCommit: gitCommit, options: options, machine: machine)
    try record.writeReceipt(in: folder)
    try index { [database] () throws(StoreError) in try RunRow.insert(record, into: database) }
    if let last { try warn(of: last, in: record) }
    return record.id
  }

  /// Says once that the run before began at a time that is still to come.
  private func warn(of last: Row, in record: RunRecord) throws(StoreError) {
    let before = try last.text("started_at")
    if before <= record.startedAt { return }
    try recordEvent(
      runID: record.id, executionID: nil, level: "warning",
      message:
        "run \(try last.text("id")) began at \(before), which is later than now: the clock was"
        + " set. Times are as the clock tells them; runs stay in the order in which they were made")
  }

  /// Runs that did not tell of their end; nobody else is at work where this is asked.
  package func unfinishedRuns() throws(StoreError) -> [String] {
    try database.texts("SELECT id FROM run WHERE status = 'running'")
  }

  /// Ends a run that was killed. Its receipt, completed from the journal, counts.
  private func close(_ id: String) throws(StoreError) {
    if var known = try Receipt.readIfWhole(
      RunRecord.self, from: RunRecord.receiptURL(id, in: folder))
    {
      known = try Journal.completed(known, in: folder)
      try database.transaction { () throws(StoreError) in try renew(known) }
      if known.status != "running" { return try end(known) }
    }
    try finishRun(id, status: "interrupted")
  }

  /// Ends a run; its receipt gets its stages and events.
  ///
  /// - Parameter stages: what is not recorded yet. In the receipt at once, it need not be in the journal.
  package func finishRun(_ id: String, status: String, stages: [StageRecord] = [])
    throws(StoreError)
  {
    try bringIn(patience: patience)
    var record =
      isBehind
      ? try Journal.completed(
        Receipt.read(RunRecord.self, from: RunRecord.receiptURL(id, in: folder)), in: folder)
      : try run(id)
    for stage in stages { record.add(stage) }
    record.status = status
    record.finishedAt = max(timestamp(), record.startedAt)
    for index in record.stages.indices where record.stages[index].status == "running" {
      record.stages[index].status = "interrupted"
    }
    try end(record, adding: stages)
  }

  private func end(_ record: RunRecord, adding stages: [StageRecord] = []) throws(StoreError) {
    try record.writeReceipt(in: folder)
    try index { [database] () throws(StoreError) in
      try RunRow.insert(stages, runID: record.id, into: database)
      try database.run(
        "UPDATE run SET status = ?, finished_at = ? WHERE id = ?",
        [.text(record.status), .optional(record.finishedAt), .text(record.id)])
      try database.run(
        "UPDATE stage SET status = 'interrupted' WHERE run_id = ? AND status = 'running'",
        [.text(record.id)])
    }
    // No harm where it stays: the receipt holds it all.
    try? StoreFolder(folder).removeFile("\(Receipt.runs)/\(record.id).journal")
  }

  /// Records what a run needed of a stage; a later record of the same stage replaces it.
  package func recordStage(_ stage: StageRecord) throws(StoreError) { try recordStages([stage]) }

  /// Records stages of one run at once.
  package func recordStages(_ stages: [StageRecord]) throws(StoreError) {
    guard let runID = stages.first?.runID else { return }
    try Journal.append(
      stages.map { Journal.Entry(stage: $0) }, to: runID, in: folder)
    try index { [database] () throws(StoreError) in
      try RunRow.insert(stages, runID: runID, into: database)
    }
  }

  package func recordEvent(
    runID: String, executionID: String?, level: String, message: String
  ) throws(StoreError) {
    let event = EventRecord(
      executionID: executionID, at: timestamp(), level: level, message: message)
    try Journal.append([Journal.Entry(event: event)], to: runID, in: folder)
    try index { [database] () throws(StoreError) in
      try RunRow.insert([event], runID: runID, into: database)
    }
  }

  /// Keeps what a person says of a run with it, as an event of its own level. The caller holds the lock.
  ///
  /// The receipt is what is added to, never what the database makes of it. Cut off between the two, the next
  /// session makes the database anew.
  /// - Throws: `StoreError.damaged`, `.newerReceipt` for a receipt that is not to be written over.
  package func note(runID: String, _ message: String) throws(StoreError) {
    let url = RunRecord.receiptURL(runID, in: folder)
    var record = try Receipt.read(RunRecord.self, from: url)
    // Nobody else is at work: it was killed.
    if record.status == "running" {
      try close(runID)
      record = try Receipt.read(RunRecord.self, from: url)
    }
    let event = EventRecord(
      executionID: nil, at: timestamp(), level: EventRecord.note, message: message)
    record.events.append(event)
    // Nothing is written while another program holds the database.
    try database.transaction { () throws(StoreError) in
      try RunRow.insert([event], runID: runID, into: database)
      try Doubts.write([.noting], in: folder)
      try record.writeReceipt(in: folder)
    }
    Doubts.leave([], in: folder)
  }

  /// A run with its stages and events.
  package func run(_ id: String) throws(StoreError) -> RunRecord {
    try RunRow.record(id, in: database)
  }
}
