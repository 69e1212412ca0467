// Proves that verify finds whatever was changed in a store and names what rests on it, and that healing
// sets aside what is damaged, so that verify is content once what is missing was made again.
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("Verify and heal")
struct VerifyTests {
  private func finished() throws -> (fixture: StoreFixture, executions: [ExecutionRecord]) {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let executions = try fixture.study(run)
    try fixture.store.finishRun(run, status: "succeeded")
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    #expect(try !Store.needsHealing(fixture.folder))
    return (fixture, executions)
  }

  private func overwrite(_ url: URL, _ text: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: url.path)
    try Data(text.utf8).write(to: url)
  }

  /// Publishes again what is not there, as a run would.
  private func runAgain(_ fixture: StoreFixture) throws -> Int {
    _ = try Store.heal(fixture.folder, .locus)
    let store = try Store.open(fixture.folder, .readWrite, .locus)
    let again = StoreFixture(store)
    let run = try again.begin()
    var executed = 0
    try again.study(run) { key in
      guard let found = try store.succeededExecution(key: key),
        try found.outputs.allSatisfy({ try store.hasObject($0.sha256) })
      else {
        executed += 1
        return nil
      }
      return found
    }
    try store.finishRun(run, status: "succeeded")
    return executed
  }

  @Test("a changed object of the same size is found, healed, and only what is needed runs again")
  func changedObject() throws {
    let (fixture, _) = try finished()
    try overwrite(fixture.store.objectURL(fixture.hash("w")), "v")
    let fault = try #require(try Store.verify(fixture.folder, .locus).first)
    #expect(fault.place == .object && fault.subject == fixture.hash("w"))
    #expect(fault.problem == "its content has another hash")
    #expect(
      fault.damages == [
        "baseline[labelling=single]", "masked", "plain", "masked_evaluated", "comparison",
        "locality",
      ])
    // A plan made before the healing already knows.
    let reader = try Store.open(fixture.folder, .readOnly, .locus)
    #expect(try !reader.hasObject(fixture.hash("w")))
    // The training and the mask made it; what rests on it came from the whole one.
    #expect(try runAgain(fixture) == 1)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    #expect(try !Store.needsHealing(fixture.folder))
    let aside = Aside.url(fixture.store.objectURL(fixture.hash("w")), in: fixture.folder)
    #expect(try String(contentsOf: aside, encoding: .utf8) == "v")
  }

  @Test("a missing object, a link and a stray file are found and healed")
  func otherObjects() throws {
    let (fixture, _) = try finished()
    let outcomes = fixture.store.objectURL(fixture.hash("o1"))
    try FileManager.default.removeItem(at: outcomes)
    let mask = fixture.store.objectURL(fixture.hash("m"))
    try FileManager.default.removeItem(at: mask)
    try FileManager.default.createSymbolicLink(
      at: mask, withDestinationURL: URL(filePath: "/dev/null"))
    let stray = fixture.store.objectURL(fixture.hash("stray"))
    try FileManager.default.createDirectory(
      at: stray.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("stray".utf8).write(to: stray)
    let faults = try Store.verify(fixture.folder, .locus)
    #expect(
      Set(faults.map(\.problem)) == ["missing", "is no ordinary file", "belongs to no execution"])
    #expect(faults.first { $0.problem == "missing" }?.damages == ["plain", "comparison"])
    #expect(try runAgain(fixture) == 2)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    #expect(!FileManager.default.fileExists(atPath: stray.path))
  }

  @Test("a changed receipt is found; its execution runs again under another id")
  func changedReceipt() throws {
    let (fixture, executions) = try finished()
    let receipt = fixture.store.receiptURL(execution: executions[1].id)
    let text = try String(contentsOf: receipt, encoding: .utf8)
    try Data(text.replacing("\"wallSeconds\":2", with: "\"wallSeconds\":3").utf8).write(to: receipt)
    let faults = try Store.verify(fixture.folder, .locus)
    #expect(faults.map(\.place) == [.receipt], "\(faults)")
    #expect(faults.first?.damages.first == "baseline[labelling=single]")
    #expect(faults.first?.damages.contains("comparison") == true)
    #expect(
      try Store.open(fixture.folder, .readOnly, .locus).succeededExecution(key: executions[1].key)
        == nil)
    #expect(try runAgain(fixture) == 1)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    let store = try Store.open(fixture.folder, .readOnly, .locus)
    let anew = try #require(try store.succeededExecution(key: executions[1].key))
    #expect(anew.id != executions[1].id && anew.outputs == executions[1].outputs)
    // What waited for its input is there again.
    #expect(try store.succeededExecution(key: executions[5].key)?.id == executions[5].id)
  }

  @Test("missing receipts are found and written again from the database, and nothing runs again")
  func missingReceipt() throws {
    let (fixture, executions) = try finished()
    try FileManager.default.removeItem(at: fixture.store.receiptURL(execution: executions[0].id))
    let run = try #require(try fixture.store.query("SELECT id FROM run").rows.first?[0].text)
    try FileManager.default.removeItem(at: fixture.store.receiptURL(run: run))
    let faults = try Store.verify(fixture.folder, .locus)
    #expect(faults.count { $0.place == .receipt && $0.problem == "missing" } == 2)
    #expect(try runAgain(fixture) == 0)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    #expect(try Store.open(fixture.folder, .readOnly, .locus).run(run).stages.count == 7)
  }

  @Test(
    "any row that was changed, added or taken away is found, and healed without running anything",
    arguments: [
      "UPDATE metric SET value = 0.99 WHERE name = 'recall'", "UPDATE metric SET sigma = 9",
      "UPDATE metric SET unit = 'm' WHERE k = 5", "UPDATE outcome SET drawn = 1",
      "UPDATE execution SET cpu_seconds = 9 WHERE kind = 'train'",
      "UPDATE execution SET params = '[]' WHERE kind = 'probe'",
      "UPDATE artifact SET created_at = '2000'", "UPDATE stage SET reason = 'none'",
      "UPDATE run SET host = 'elsewhere'", "UPDATE pipeline SET source = '{ }'",
      "INSERT INTO metric SELECT * FROM metric LIMIT 1", "DELETE FROM outcome",
      "INSERT INTO event SELECT id, NULL, 'now', 'error', 'made up' FROM run",
      "DELETE FROM stage WHERE name = 'locality'", "UPDATE execution_input SET role = 'r' || role",
    ])
  func changedRow(_ sql: String) throws {
    let (fixture, _) = try finished()
    let before = try StoreFixture.rows(fixture.store.database)
    try fixture.store.database.execute(sql)
    let faults = try Store.verify(fixture.folder, .locus)
    #expect(!faults.isEmpty && faults.allSatisfy { $0.place == .database }, "\(faults)")
    _ = try Store.heal(fixture.folder, .locus)
    #expect(
      try StoreFixture.rows(Store.open(fixture.folder, .readWrite, .locus).database) == before)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }

  @Test("a database that is gone, cut short or overwritten is made anew")
  func brokenDatabase() throws {
    for content in [nil, Data(), Data("no database, but text of some length".utf8)] {
      let (fixture, _) = try finished()
      let before = try StoreFixture.rows(fixture.store.database)
      for suffix in ["-wal", "-shm"] {
        let url = fixture.folder.appending(path: "locus.sqlite" + suffix)
        try? FileManager.default.removeItem(at: url)
      }
      try FileManager.default.removeItem(at: fixture.store.databaseURL)
      try content?.write(to: fixture.store.databaseURL)
      let faults = try Store.verify(fixture.folder, .locus)
      #expect(faults.contains { $0.place == .database }, "\(faults)")
      _ = try Store.heal(fixture.folder, .locus)
      #expect(
        try StoreFixture.rows(Store.open(fixture.folder, .readWrite, .locus).database) == before)
      #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    }
  }

  @Test("what a run that is going on records is no fault")
  func goingOn() throws {
    let (fixture, _) = try finished()
    let run = try fixture.begin()
    try fixture.stage(run, "new", "generate", files: [("pixels", "new")])
    #expect(try Store.verify(fixture.folder, .locus, isRunning: { true }).isEmpty)
    // Between its object and its receipt, and between its receipt and the database.
    try fixture.store.database.execute(
      "PRAGMA foreign_keys = OFF; DELETE FROM execution WHERE kind = 'generate' AND key = '\(fixture.hash("new"))'"
    )
    let object = fixture.store.objectURL(fixture.hash("early"))
    try FileManager.default.createDirectory(
      at: object.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("early".utf8).write(to: object)
    let going = try Store.verify(fixture.folder, .locus, isRunning: { true })
    #expect(going.allSatisfy { $0.problem.contains("names a row") }, "\(going)")
    // Once nobody is at work any more, both are faults.
    #expect(try Store.verify(fixture.folder, .locus).count > going.count)
  }

  @Test("damage that only older runs rest on is told with the run")
  func olderRuns() throws {
    let (fixture, _) = try finished()
    let run = try #require(try fixture.store.query("SELECT id FROM run").rows.first?[0].text)
    let next = try fixture.begin()
    try fixture.stage(next, "scenes", "generate", files: [("pixels", "p9")], key: fixture.hash("9"))
    try fixture.store.finishRun(next, status: "succeeded")
    try FileManager.default.removeItem(at: fixture.store.objectURL(fixture.hash("x")))
    #expect(try Store.verify(fixture.folder, .locus).map(\.damages) == [["locality (run \(run))"]])
  }
}
