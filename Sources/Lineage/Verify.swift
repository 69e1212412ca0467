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
      let rows = try database.query("SELECT id FROM \(table) ORDER BY id").column("id")
      for id in rows.compactMap(\.text) {
        let url = folder.appending(path: "\(kind)/\(id).json")
        do {
          if table == "execution" {
            let record = try Receipt.read(ExecutionRecord.self, from: url)
            if record.id != id {
              throw StoreError.damaged(path: url.path, reason: "is of \(record.id)")
            }
          } else {
            let record = try Receipt.read(RunRecord.self, from: url)
            if record.id != id {
              throw StoreError.damaged(path: url.path, reason: "is of \(record.id)")
            }
          }
        } catch {
          let damaged = try database.query(
            "SELECT DISTINCT name FROM stage WHERE execution_id = ? OR run_id = ?",
            [.text(id), .text(id)])
          faults.append(
            Fault(
              place: "receipt", subject: url.path, problem: "\(error)",
              damages: damaged.column("name").compactMap(\.text)))
        }
      }
    }
    return faults
  }
}
