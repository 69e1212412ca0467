import Foundation

extension Store {
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
