import Foundation

extension Store {
  /// What the latest run of the very same pipeline file that succeeded before another one was recorded to
  /// come from.
  package func marksBefore(_ id: String) throws(StoreError) -> (
    gitCommit: String?, machine: [String: String]
  )? {
    let found = try database.rows(
      """
      SELECT r.git_commit, r.machine FROM run own JOIN run r ON r.pipeline_id = own.pipeline_id
      WHERE own.id = ? AND r.status = 'succeeded' AND r.sequence < own.sequence
      ORDER BY r.sequence DESC LIMIT 1
      """, [.text(id)])
    return try found.first.map { row throws(StoreError) in
      (try row.optionalText("git_commit"), try RunRow.value("machine", of: row, in: database))
    }
  }

  /// Says of a run that has begun what took time to find out of where it comes from.
  package func amendRun(_ id: String, gitCommit: String?, machine: [String: String])
    throws(StoreError)
  {
    var record = try Receipt.read(RunRecord.self, from: RunRecord.receiptURL(id, in: folder))
    record.gitCommit = gitCommit
    record.machine = machine
    try record.writeReceipt(in: folder)
    let text = try RunRow.text(machine)
    try index { [database] () throws(StoreError) in
      try database.run(
        "UPDATE run SET git_commit = ?, machine = ? WHERE id = ?",
        [.optional(gitCommit), .text(text), .text(id)])
    }
  }
}
