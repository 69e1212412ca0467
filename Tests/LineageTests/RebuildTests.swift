// Proves that the database is nothing but an index: made anew from receipts and objects it is the same
// in every row of every table, and what a crash leaves between the two is completed.
import CSQLite
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("Receipts are the truth")
struct RebuildTests {
  /// A store with a history: runs that succeeded, reused, failed, were killed; a replaced execution, two
  /// results of one key, an artifact that two stages made, events, two pipelines.
  private func history() throws -> StoreFixture {
    let fixture = try StoreFixture()
    let first = try fixture.begin()
    let executions = try fixture.study(first)
    try fixture.store.recordEvent(
      runID: first, executionID: executions[1].id, level: "warning", message: "mind the gap")
    try fixture.store.finishRun(first, status: "succeeded")
    let other = try fixture.begin("other")
    try fixture.stage(
      other, "scenes", "generate", files: [("pixels", "p2")],
      manifests: [("manifest", "{\"type\":\"picture-set\"}")])
    for _ in 0..<2 {
      try fixture.stage(other, "copy", "import", files: [("pictures", "p")], key: fixture.hash("k"))
    }
    var failed = ExecutionRecord(
      key: fixture.hash("bad"), kind: "train", parameters: .object(["width": .integer(3)]), seed: 7,
      inputs: [ArtifactReference(role: "scenes/pixels", sha256: fixture.hash("p"))])
    failed.status = "failed"
    failed.error = "why, \"said\" nobody"
    let id = try fixture.store.recordFailure(failed, runID: other)
    failed.id = id
    try fixture.record(other, "bad", failed, "failed")
    try fixture.store.recordEvent(
      runID: other, executionID: id, level: "error", message: "bad: why")
    try fixture.store.finishRun(other, status: "failed")
    let again = try fixture.begin()
    for (index, execution) in executions.enumerated() {
      try fixture.record(again, "stage\(index)", execution, "reused")
    }
    // Killed: never finished, and a stage is still at work.
    _ = try fixture.begin("other")
    let killed = try fixture.begin("other")
    try fixture.store.recordStage(
      StageRecord(
        runID: killed, name: "late", kind: "train", key: fixture.hash("late"), status: "running",
        reason: "never run", executionID: nil))
    try fixture.store.recordEvent(
      runID: killed, executionID: nil, level: "warning", message: "took over")
    return fixture
  }

  @Test("what is found out after a run began is in its receipt, and stays through its end")
  func amended() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    try fixture.study(run)
    try fixture.store.amendRun(run, gitCommit: "abc-dirty", machine: ["cpu": "x"])
    func commit() throws -> [String] {
      try Store.open(fixture.folder, .readOnly, .locus).texts(
        "SELECT git_commit || machine FROM run")
    }
    #expect(try commit() == [#"abc-dirty{"cpu":"x"}"#])
    // Killed here, a rebuild knows it.
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(try commit() == [#"abc-dirty{"cpu":"x"}"#])
    let store = try Store.open(fixture.folder, .readWrite, .locus)
    try store.finishRun(run, status: "succeeded")
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(try commit() == [#"abc-dirty{"cpu":"x"}"#])
  }

  @Test("rebuild gives the same rows in every table, of killed runs too")
  func equal() throws {
    let fixture = try history()
    let before = try StoreFixture.rows(fixture.store.database)
    #expect(before.count == 14 && before.values.allSatisfy { !$0.isEmpty })
    #expect(
      try fixture.store.query("SELECT 1 FROM execution WHERE status = 'replaced'").rows.count == 1)
    let counts = try Store.rebuild(fixture.folder, .locus)
    #expect(counts.runs == 5)
    let store = try Store.open(fixture.folder, .readWrite, .locus)
    #expect(try StoreFixture.rows(store.database) == before)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    // And from nothing but receipts, without the command.
    for suffix in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(
        at: fixture.folder.appending(path: "locus.sqlite" + suffix))
    }
    let found = try Store.open(fixture.folder, .readWrite, .locus)
    #expect(try StoreFixture.rows(found.database) == before)
  }

  @Test("a killed run is ended by the next one, and the database stays equal to its receipts")
  func killed() throws {
    let fixture = try history()
    let killed = try fixture.store.query("SELECT id FROM run WHERE status = 'running'").rows
    #expect(killed.count == 1)
    let next = try fixture.begin()
    let id = try #require(killed.first?[0].text)
    let record = try fixture.store.run(id)
    #expect(record.status == "interrupted" && record.finishedAt != nil)
    #expect(record.stages.map(\.status) == ["interrupted"])
    #expect(record.events.map(\.message) == ["took over"])
    #expect(
      !FileManager.default.fileExists(atPath: Journal.url(id, in: fixture.folder).path))
    try fixture.store.finishRun(next, status: "succeeded")
    let before = try StoreFixture.rows(fixture.store.database)
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(
      try StoreFixture.rows(Store.open(fixture.folder, .readWrite, .locus).database) == before)
  }

  @Test("what the database lost of a killed run comes back from the receipt and its journal")
  func lostRows() throws {
    let fixture = try history()
    let before = try StoreFixture.rows(fixture.store.database)
    // As if the last transactions never reached the disk.
    try fixture.store.database.execute(
      """
      DELETE FROM stage WHERE status = 'running'; DELETE FROM event WHERE message = 'took over';
      PRAGMA foreign_keys = OFF;
      DELETE FROM execution_input WHERE execution_id IN
        (SELECT id FROM execution WHERE status = 'failed');
      DELETE FROM execution WHERE status = 'failed'; PRAGMA foreign_keys = ON
      """)
    let again = try Store.open(fixture.folder, .readWrite, .locus)
    let next = try again.beginRun(
      pipeline: "study", path: "", source: "{}", trigger: "test", seed: 1, host: "h",
      locusVersion: "0", gitCommit: nil)
    let stages = try again.query("SELECT status FROM stage WHERE name = 'late'").rows
    #expect(stages == [[.text("interrupted")]])
    #expect(try again.query("SELECT 1 FROM event WHERE message = 'took over'").rows.count == 1)
    #expect(try StoreFixture.rows(again.database)["execution"] == before["execution"])
    try again.finishRun(next, status: "succeeded")
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }

  @Test("a journal line that a crash cut off is ignored, with what follows")
  func cutOff() throws {
    let fixture = try history()
    let killed = try #require(
      try fixture.store.query("SELECT id FROM run WHERE status = 'running'").rows.first?[0].text)
    let url = Journal.url(killed, in: fixture.folder)
    let whole = try Data(contentsOf: url)
    try whole.dropLast(5).write(to: url)
    let record = try #require(
      Receipts(in: fixture.folder, .locus).runs.first { $0.id == killed })
    #expect(record.stages.count == 1 && record.events.isEmpty)
  }

  @Test("a run that finished on paper only is finished by the next one, as its receipt says")
  func onPaper() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    try fixture.study(run)
    try fixture.store.finishRun(run, status: "succeeded")
    let before = try StoreFixture.rows(fixture.store.database)
    try fixture.store.database.execute("UPDATE run SET status = 'running', finished_at = NULL")
    let next = try fixture.begin()
    #expect(try fixture.store.run(run).status == "succeeded")
    try fixture.store.database.execute("DELETE FROM run WHERE id = '\(next)'")
    #expect(try StoreFixture.rows(fixture.store.database) == before)
  }

  @Test("a clock that was set back does not make an older run the latest")
  func clock() throws {
    let fixture = try StoreFixture()
    let first = try fixture.begin()
    try fixture.store.database.execute(
      "UPDATE run SET started_at = '2999-01-01T00:00:00.000Z', sequence = 32472144000000")
    let second = try fixture.begin()
    #expect(try fixture.store.query("SELECT id FROM latest_run").rows == [[.text(second)]])
    let third = try fixture.begin()
    #expect(try fixture.store.query("SELECT id FROM latest_run").rows == [[.text(third)]])
    // Each tells its own time; the first that finds the clock set back says so, and no other.
    #expect(try fixture.store.run(second).startedAt < "2999")
    #expect(try fixture.store.run(second).events.map(\.level) == ["warning"])
    #expect(
      try fixture.store.run(second).events[0].message.hasPrefix(
        "run \(first) began at 2999-01-01T00:00:00.000Z, which is later than now"))
    #expect(try fixture.store.run(third).events.isEmpty)
    let order = try fixture.store.texts("SELECT id FROM run ORDER BY sequence")
    #expect(order == [first, second, third])
  }

  @Test("rebuild does not replace a database by less: a damaged receipt is named")
  func damagedReceipt() throws {
    let fixture = try history()
    let before = try StoreFixture.rows(fixture.store.database)
    let url = try #require(
      fixture.store.query("SELECT id FROM execution WHERE kind = 'train'").rows.first?[0].text
        .map(fixture.store.receiptURL(execution:)))
    try Data("{}".utf8).write(to: url)
    #expect(throws: StoreError.self) { try Store.rebuild(fixture.folder, .locus) }
    #expect(try StoreFixture.rows(fixture.store.database) == before)
  }
}
