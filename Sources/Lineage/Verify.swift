import Foundation

/// Something of the store that is not as it was left, and what it damages.
public struct Fault: Sendable, Hashable {
  /// `object`, `receipt` or `database`.
  public var place: String
  public var subject: String
  public var problem: String
  /// Stages, newest run first, whose results rest on it.
  public var damages: [String]
}

extension Store {
  /// Hashes every object and receipt again and checks the database against them.
  ///
  /// `progress` is told how many of how many objects were read.
  public func verify(progress: (Int, Int) -> Void = { _, _ in }) throws(StoreError) -> [Fault] {
    var faults: [Fault] = []
    let integrity = try database.query("PRAGMA integrity_check")
    for row in integrity.rows where row.first?.text != "ok" {
      faults.append(
        Fault(
          place: "database", subject: databaseURL.path, problem: row.first?.text ?? "not intact",
          damages: []))
    }
    for row in try database.query("PRAGMA foreign_key_check").rows {
      let table = row.first?.text ?? "?"
      faults.append(
        Fault(
          place: "database", subject: "table \(table)",
          problem: "row \(row[1].integer ?? 0) names a row that is not there", damages: []))
    }
    faults += try verifyObjects(progress)
    faults += try verifyReceipts()
    return faults
  }

  private func verifyObjects(_ progress: (Int, Int) -> Void) throws(StoreError) -> [Fault] {
    var faults: [Fault] = []
    let artifacts = try database.query("SELECT sha256, bytes FROM artifact ORDER BY sha256")
    for (index, row) in artifacts.rows.enumerated() {
      let sha256 = row[0].text ?? ""
      let url = objectURL(sha256)
      var problem: String?
      if Self.size(of: url) == nil {
        problem = "missing"
      } else if (try? SHA256.hash(fileAt: url)) != sha256 {
        problem = "its content has another hash"
      }
      if let problem {
        faults.append(
          Fault(
            place: "object", subject: sha256, problem: problem,
            damages: try stages(restingOn: sha256)))
      }
      progress(index + 1, artifacts.rows.count)
    }
    let known = Set(artifacts.column("sha256").compactMap(\.text))
    let objects = folder.appending(path: "objects")
    let files = FileManager.default.enumerator(at: objects, includingPropertiesForKeys: nil)
    while let url = files?.nextObject() as? URL {
      if Self.size(of: url) == nil { continue }
      let name = url.deletingLastPathComponent().lastPathComponent + url.lastPathComponent
      if !known.contains(name) {
        faults.append(
          Fault(place: "object", subject: url.path, problem: "belongs to no execution", damages: [])
        )
      }
    }
    return faults
  }

  /// The instances of the newest runs that made an object or used it, directly or not.
  private func stages(restingOn sha256: String) throws(StoreError) -> [String] {
    try database.query(
      """
      SELECT DISTINCT s.name FROM stage s JOIN execution_output o USING (execution_id)
      WHERE s.run_id IN (SELECT id FROM latest_run) AND (o.sha256 = ?1 OR o.sha256 IN
        (SELECT artifact FROM lineage WHERE ancestor = ?1))
      ORDER BY s.id
      """, [.text(sha256)]
    ).column("name").compactMap(\.text)
  }

  private func verifyReceipts() throws(StoreError) -> [Fault] {
    var faults: [Fault] = []
    for (kind, table) in [(Receipt.executions, "execution"), (Receipt.runs, "run")] {
      let place = folder.appending(path: kind)
      let rows = Set(try database.query("SELECT id FROM \(table)").column("id").compactMap(\.text))
      let files = Set(
        ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? [])
          .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) })
      for id in rows.union(files).sorted() {
        let url = place.appending(path: id + ".json")
        do {
          if !rows.contains(id) {
            throw StoreError.damaged(path: url.path, reason: "no row has it")
          }
          if table == "execution" {
            try compare(try Receipt.read(ExecutionRecord.self, from: url), id, url)
          } else if try Receipt.read(RunRecord.self, from: url).id != id {
            throw StoreError.damaged(path: url.path, reason: "is of another run")
          }
        } catch {
          let damaged = try database.query(
            "SELECT DISTINCT name FROM stage WHERE execution_id = ?1 OR run_id = ?1", [.text(id)])
          faults.append(
            Fault(
              place: "receipt", subject: url.path, problem: "\(error)",
              damages: damaged.column("name").compactMap(\.text)))
        }
      }
    }
    return faults
  }

  /// Whether the rows say what the receipt says.
  private func compare(_ record: ExecutionRecord, _ id: String, _ url: URL) throws(StoreError) {
    func check(_ holds: Bool, _ what: String) throws(StoreError) {
      if !holds { throw .damaged(path: url.path, reason: "the database has \(what)") }
    }
    try check(record.id == id, "another execution under this name")
    let row = try database.query(
      "SELECT key, kind, status FROM execution WHERE id = ?", [.text(id)])
    let status = row.rows.first?[2].text
    try check(
      row.rows.first?[0].text == record.key && row.rows.first?[1].text == record.kind
        && (status == record.status || status == "replaced"), "another key, kind or status")
    let metrics = try database.query(
      "SELECT name, value, step, k, arm, ci_low, ci_high, n FROM metric WHERE execution_id = ?",
      [.text(id)])
    let expected = record.metrics.map { metric -> [SQLValue] in
      [
        .text(metric.name), .real(metric.value), .optional(metric.step), .optional(metric.k),
        .optional(metric.arm), .optional(metric.ciLow), .optional(metric.ciHigh),
        .optional(metric.n),
      ]
    }
    try check(Set(metrics.rows) == Set(expected), "other metrics")
    let outcomes = try database.query(
      "SELECT k, layout, seed, requested, found, drawn, exact FROM outcome WHERE execution_id = ?",
      [.text(id)])
    let rows = record.outcomes.map { outcome -> [SQLValue] in
      [
        outcome.k, outcome.layout, outcome.seed, outcome.requested, outcome.found, outcome.drawn,
        outcome.exact ? 1 : 0,
      ].map { .integer(Int64($0)) }
    }
    try check(Set(outcomes.rows) == Set(rows), "other outcomes")
    for (table, references) in [
      ("execution_input", record.inputs), ("execution_output", record.outputs),
    ] {
      let found = try database.query(
        "SELECT role, sha256 FROM \(table) WHERE execution_id = ?", [.text(id)])
      try check(
        Set(found.rows) == Set(references.map { [.text($0.role), .text($0.sha256)] }),
        "other files")
    }
  }
}
