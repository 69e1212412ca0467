import CSQLite
import Formats
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("The store")
struct StoreTests {
  @Test("views derive model, labelling and arm from the lineage")
  func views() throws {
    let fixture = try StoreFixture()
    let store = fixture.store
    let run = try fixture.begin()
    try fixture.study(run)
    try store.finishRun(run, status: "succeeded")
    func rows(_ sql: String) throws -> [[SQLValue]] { try store.query(sql).rows }
    let single = SQLValue.text("baseline[labelling=single]")
    #expect(
      try rows(
        "SELECT model, labelling, arm, k, window_load, recall, ci_low, n FROM length_generalization ORDER BY arm"
      )
        == [
          [
            single, .text("single"), .text("conditioner"), .integer(5), .null, .real(0.9), .null,
            .integer(100),
          ],
          [
            single, .text("single"), .text("none"), .integer(5), .real(5), .real(0.75), .real(0.7),
            .integer(100),
          ],
        ])
    #expect(
      try rows("SELECT model, arm, k_max, ci_low, ci_high, threshold, n FROM k_max")
        == [
          [single, .text("none"), .integer(3), .integer(2), .integer(4), .real(0.9), .integer(24)]
        ])
    #expect(
      try rows(
        "SELECT baseline, intervention, arm, metric, effect, p, p_holm, n FROM intervention_effect")
        == [
          [
            single, .text("masked"), .text("conditioner"), .text("recall"), .real(0.15),
            .real(0.01),
            .real(0.02), .integer(24),
          ]
        ])
    #expect(
      try rows("SELECT model, arm, sigma, k, space, window, share FROM locality")
        == [
          [single, .text("none"), .real(2), .integer(3), .text("pixel"), .integer(13), .real(0.8)]
        ])
    #expect(
      try rows("SELECT model, pictures, loss FROM training_curve")
        == [[single, .integer(100), .real(0.5)], [single, .integer(200), .real(0.25)]])
    let costs = try rows("SELECT share, reused FROM stage_cost")
    #expect(costs.count == 7)
    #expect(costs.allSatisfy { abs(($0[0].number ?? 0) - 1.0 / 7) < 1e-12 && $0[1] == .integer(0) })
    #expect(
      try rows(
        "SELECT depth, kind FROM lineage WHERE artifact = '\(fixture.hash("c"))' AND ancestor = '\(fixture.hash("p"))'"
      ).first?[1]
        == .text("train"))
    #expect(
      try rows("SELECT id, status, pipeline FROM latest_run") == [
        [.text(run), .text("succeeded"), .text("study")]
      ])
  }

  @Test("a log that cannot be read beside its database is told of, not passed over")
  func lostShare() throws {
    if geteuid() == 0 {
      print("a log on a read-only medium: not shown to root, who may write everywhere")
      return
    }
    let fixture = try StoreFixture()
    _ = try fixture.begin()
    let copy = fixture.folder.appending(path: "copy")
    try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(
        at: fixture.folder.appending(path: "locus.sqlite" + suffix),
        to: copy.appending(path: "locus.sqlite" + suffix))
    }
    // As on a medium where no shared file can be made.
    chmod(copy.path, 0o555)
    defer { chmod(copy.path, 0o755) }
    let path = copy.appending(path: "locus.sqlite").path
    let error = #expect(throws: StoreError.self) { try Store.openToRead(path) }
    #expect(error?.description.hasPrefix(path + "-wal: cannot be read") == true)
    chmod(copy.path, 0o755)
    try FileManager.default.removeItem(at: copy.appending(path: "locus.sqlite-wal"))
    chmod(copy.path, 0o555)
    _ = try Store.openToRead(path)
  }

  @Test("a run that failed or did a part does not hide the latest whole one")
  func wholeStays() throws {
    let fixture = try StoreFixture()
    func latest() throws -> [SQLValue] {
      try fixture.store.query("SELECT id, newer FROM latest_run").rows[0]
    }
    let failed = try fixture.begin()
    try fixture.store.finishRun(failed, status: "failed")
    // There is no other.
    #expect(try latest() == [.text(failed), .null])
    let whole = try fixture.begin()
    try fixture.study(whole)
    #expect(try latest() == [.text(whole), .null])
    try fixture.store.finishRun(whole, status: "succeeded")
    for status in ["failed", "interrupted", "succeeded"] {
      let next = try fixture.begin()
      if status == "succeeded" {
        try fixture.store.recordEvent(
          runID: next, executionID: nil, level: "info",
          message: RunRecord.partial + "1 of 7 stages")
      }
      #expect(try latest() == [.text(whole), .text(next)])
      try fixture.store.finishRun(next, status: status)
      #expect(try latest() == [.text(whole), .text(next)])
      #expect(
        try fixture.store.query("SELECT id, status FROM newest_run").rows
          == [[.text(next), .text(status)]])
    }
    #expect(try !fixture.store.query("SELECT * FROM k_max").rows.isEmpty)
  }

  @Test("a second run that reuses everything shows the same rows once, under its own names")
  func secondRun() throws {
    let fixture = try StoreFixture()
    let first = try fixture.begin()
    let executions = try fixture.study(first)
    try fixture.store.finishRun(first, status: "succeeded")
    let second = try fixture.begin()
    let names = [
      "scenes", "renamed", "masked", "plain", "masked_evaluated", "comparison", "locality",
    ]
    for (name, execution) in zip(names, executions) {
      try fixture.record(second, name, execution, "reused")
    }
    try fixture.store.finishRun(second, status: "succeeded")
    #expect(try fixture.store.query("SELECT model FROM k_max").rows == [[.text("renamed")]])
    #expect(try fixture.store.query("SELECT * FROM run_k_max").rows.count == 2)
    #expect(
      try fixture.store.query("SELECT DISTINCT reused FROM stage_cost").rows == [[.integer(1)]])
  }

  @Test("a later success of a key replaces an earlier one of the same bytes")
  func replaced() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let first = try fixture.stage(run, "a", "generate", files: [("x", "1")])
    let second = try fixture.stage(run, "a", "generate", files: [("x", "1")])
    #expect(first.id != second.id)
    #expect((first.attempt, second.attempt) == (1, 2))
    #expect(try fixture.store.succeededExecution(key: first.key)?.id == second.id)
    #expect(
      try fixture.store.query("SELECT status FROM execution ORDER BY attempt").column("status")
        == [.text("replaced"), .text("succeeded")])
    var failed = ExecutionRecord(
      key: first.key, kind: "generate", parameters: .null, seed: 1, inputs: [])
    failed.status = "failed"
    failed.error = "why"
    _ = try fixture.store.recordFailure(failed, runID: run)
    #expect(try fixture.store.succeededExecution(key: first.key)?.id == second.id)
  }

  @Test(
    "successes of a key with other bytes stand side by side; one's own instruction set comes first")
  func sideBySide() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let key = fixture.hash("a")
    func publish(_ instructions: String?, _ text: String) throws -> ExecutionRecord {
      var execution = ExecutionRecord(
        key: key, kind: "generate", parameters: .object([:]), seed: 1, inputs: [])
      execution.instructions = instructions
      return try fixture.store.publish(
        execution, files: [try fixture.file("x", text, "text/plain")], runID: run)
    }
    let wide = try publish("avx512", "1")
    let narrow = try publish("avx2", "2")
    let again = try publish("avx512", "1")
    func chosen(_ instructions: String?) throws -> String? {
      try fixture.store.succeededExecution(key: key, preferring: instructions)?.id
    }
    #expect(try chosen("avx2") == narrow.id)
    #expect(try chosen("avx512") == again.id)
    // Of none that computes as asked for, the latest.
    #expect(try chosen("neon") == again.id && chosen(nil) == again.id)
    #expect(
      try fixture.store.texts("SELECT id FROM execution WHERE status = 'replaced'") == [wide.id])
    // In whichever order receipts come.
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(
      try Store.open(fixture.folder, .readOnly, .locus).texts(
        "SELECT id FROM execution WHERE status = 'succeeded' ORDER BY attempt")
        == [narrow.id, again.id])
  }

  @Test("objects are read-only files under their hash, and not written twice")
  func objects() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    try fixture.stage(run, "a", "generate", files: [("x", "same")])
    let url = fixture.store.objectURL(fixture.hash("same"))
    #expect(try String(contentsOf: url, encoding: .utf8) == "same")
    let before = try FileManager.default.attributesOfItem(atPath: url.path)
    #expect(before[.posixPermissions] as? Int == 0o444)
    try fixture.stage(run, "b", "generate", files: [("x", "same")])
    let after = try FileManager.default.attributesOfItem(atPath: url.path)
    #expect(before[.systemFileNumber] as? Int == after[.systemFileNumber] as? Int)
    #expect(try fixture.store.hasObject(fixture.hash("same")))
    #expect(try !fixture.store.hasObject("../../etc/passwd"))
    #expect(fixture.store.objectURL("../../etc/passwd").lastPathComponent == "none")
  }

  @Test("metrics that are no finite numbers are refused by name")
  func notFinite() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    #expect(throws: StoreError.self) {
      try fixture.stage(
        run, "a", "train", files: [], metrics: [MetricRow(name: "loss", value: .nan)])
    }
    #expect(try fixture.store.query("SELECT count(*) FROM execution").rows == [[.integer(0)]])
  }

  @Test("a receipt that a crash kept from the database is brought in by the next opening")
  func crash() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let execution = try fixture.stage(
      run, "a", "train", files: [("x", "1")], metrics: [MetricRow(name: "loss", value: 1)])
    try fixture.store.database.execute(
      "DELETE FROM stage; DELETE FROM metric; DELETE FROM execution_output; DELETE FROM execution")
    let again = try Store.open(fixture.folder, .readWrite, .locus)
    #expect(try again.succeededExecution(key: execution.key)?.id == execution.id)
    #expect(try again.query("SELECT name FROM metric").rows == [[.text("loss")]])
  }

  @Test("a receipt that needs a lost artifact does not block the store, and is never written over")
  func lostArtifact() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let executions = try fixture.study(run)
    let damaged = fixture.store.receiptURL(execution: executions[1].id)
    try Data("{}".utf8).write(to: damaged)
    try fixture.store.database.execute(
      """
      PRAGMA foreign_keys = OFF; DELETE FROM stage; DELETE FROM metric; DELETE FROM outcome;
      DELETE FROM execution_output; DELETE FROM execution_input; DELETE FROM execution;
      DELETE FROM artifact
      """)
    let again = try Store.open(fixture.folder, .readWrite, .locus)
    #expect(try again.succeededExecution(key: executions[0].key) != nil)
    #expect(try again.succeededExecution(key: executions[1].key) == nil)
    let anew = try again.publish(
      ExecutionRecord(
        key: executions[1].key, kind: "train", parameters: .null, seed: 1, inputs: []),
      files: [], runID: run)
    #expect(anew.id != executions[1].id)
    #expect(try Data(contentsOf: damaged) == Data("{}".utf8))
  }

  @Test("rebuild refuses what is not a store")
  func rebuildRefuses() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-rebuild-\(UUID().uuidString)")
    #expect(throws: StoreError.missing(path: folder.path)) { try Store.rebuild(folder, .locus) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let database = folder.appending(path: "locus.sqlite")
    try Data("theirs, and long enough to be looked at".utf8).write(to: database)
    #expect(throws: StoreError.self) { try Store.rebuild(folder, .locus) }
    #expect(try Data(contentsOf: database) == Data("theirs, and long enough to be looked at".utf8))
  }

  @Test("rows are strict, and name what exists")
  func constraints() throws {
    let fixture = try StoreFixture()
    try fixture.study(try fixture.begin())
    let tables = try fixture.store.query("SELECT sql FROM sqlite_schema WHERE type = 'table'")
    #expect(tables.column("sql").allSatisfy { $0.text?.contains("STRICT") == true })
    for sql in [
      "INSERT INTO metric (execution_id, name, value) VALUES ('nobody', 'x', 1)",
      "UPDATE metric SET value = 'text'", "UPDATE stage SET status = 'odd'",
      "UPDATE execution SET params = 'no json'", "DELETE FROM artifact",
      "INSERT INTO outcome SELECT * FROM outcome",
    ] {
      #expect(throws: StoreError.self, "\(sql)") { try fixture.store.database.execute(sql) }
    }
  }

  @Test("a run that died is marked by the next one")
  func deadRun() throws {
    let fixture = try StoreFixture()
    let dead = try fixture.begin()
    _ = try fixture.begin()
    #expect(try fixture.store.run(dead).status == "interrupted")
  }

  @Test("foreign, newer and broken databases are refused and left as they are")
  func refusals() throws {
    func refused(_ expected: Int32, _ make: (URL) throws -> Void) throws {
      let folder = FileManager.default.temporaryDirectory.appending(
        path: "locus-foreign-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let database = folder.appending(path: "locus.sqlite")
      try make(database)
      let before = try? Data(contentsOf: database)
      for access in [Store.Access.readWrite, .readOnly] {
        do {
          _ = try Store.open(folder, access, .locus)
          Issue.record("opened")
        } catch {
          #expect(error.exitCode == expected, "\(error)")
          #expect(error.description.contains(folder.lastPathComponent))
        }
      }
      #expect(try before == (before == nil ? nil : Data(contentsOf: database)))
    }
    func execute(_ sql: String, _ url: URL) throws {
      let connection = try Connection(url.path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
      try connection.execute(sql)
    }
    try refused(65) { try execute("CREATE TABLE theirs (a)", $0) }
    try refused(65) {
      try execute("PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = 99", $0)
    }
    try refused(65) {
      try execute("PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = -1", $0)
    }
    try refused(65) { try Data("SQLite? no, just text of some length".utf8).write(to: $0) }
    try refused(65) {
      try FileManager.default.createDirectory(at: $0, withIntermediateDirectories: true)
    }
    let nowhere = FileManager.default.temporaryDirectory.appending(
      path: "locus-none-\(UUID().uuidString)")
    #expect(throws: StoreError.missing(path: nowhere.path)) {
      try Store.open(nowhere, .readOnly, .locus)
    }
  }

  @Test("damage that is gone when the database is read again was a disk that failed once")
  func failedOnce() throws {
    let fixture = try StoreFixture()
    try fixture.stage(try fixture.begin(), "a", "generate", files: [("pixels", "a")])
    let database = fixture.store.database
    for code: Int32 in [11, 11 | 1 << 8, 26] {
      let error = database.failure(code, statement: "SELECT 1")
      #expect(error.exitCode == 74, "\(error)")
      #expect(error.description.contains("whole when it was read again"), "\(error)")
    }
    try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    let file = try FileHandle(forUpdating: fixture.store.databaseURL)
    try file.seek(toOffset: 4096)
    try file.write(contentsOf: Data(repeating: 0x55, count: 16384))
    try file.close()
    #expect(database.failure(11, statement: "SELECT 1").exitCode == 65)
  }
}
