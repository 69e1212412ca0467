// Proves that another program which holds the database for long costs a run nothing.
import CSQLite
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("A database that another program holds")
struct BacklogTests {
  /// Begins a run with two stages and an event, and ends it.
  private func work(_ fixture: StoreFixture, hold: () throws -> Void) throws -> String {
    let run = try fixture.begin()
    let scenes = try fixture.stage(
      run, "scenes", "generate", files: [("pixels", "…")], metrics: [Measure.pictures.row(3)])
    try hold()
    try fixture.stage(
      run, "model", "train", inputs: [("scenes/pixels", scenes.outputs[0].sha256)],
      files: [("weights", "w")], metrics: [Measure.parameters.row(7)])
    try fixture.store.recordEvent(
      runID: run, executionID: nil, level: "info", message: "something to know")
    try fixture.store.finishRun(run, status: "succeeded")
    return run
  }

  @Test("a run goes on, its report reads all of it, and the rows come in later")
  func held() throws {
    let fixture = try StoreFixture()
    fixture.store.patience = 0.05
    let other = try Connection(fixture.store.databaseURL.path, flags: SQLITE_OPEN_READWRITE)
    let run = try work(fixture) { try other.execute("BEGIN IMMEDIATE") }
    #expect(fixture.store.isBehind)
    #expect(try fixture.store.texts("SELECT status FROM run") == ["running"])
    // To read, everything is there.
    let whole = try fixture.store.upToDate()
    #expect(try whole.texts("SELECT status FROM run") == ["succeeded"])
    #expect(
      try whole.texts("SELECT name FROM metric ORDER BY name")
        == [Measure.parameters.name, Measure.pictures.name])
    #expect(try whole.texts("SELECT message FROM event") == ["something to know"])
    try other.execute("ROLLBACK")
    // The next opening brings in the same as `rebuild` would make.
    let next = try Store.open(fixture.folder, .readWrite, .locus)
    let rows = try StoreFixture.rows(next.database)
    #expect(rows["metric"]?.count == 2 && rows["event"]?.count == 1)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    #expect(try next.run(run).stages.map(\.status) == ["executed", "executed"])
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(try StoreFixture.rows(Store.open(fixture.folder, .readOnly, .locus).database) == rows)
  }

  @Test("rows that waited come in, in their order, as soon as the other program lets go")
  func letsGo() throws {
    let fixture = try StoreFixture()
    fixture.store.patience = 0.05
    let other = try Connection(fixture.store.databaseURL.path, flags: SQLITE_OPEN_READWRITE)
    let run = try fixture.begin()
    try other.execute("BEGIN IMMEDIATE")
    let scenes = try fixture.stage(run, "scenes", "generate", files: [("pixels", "…")])
    #expect(fixture.store.isBehind)
    try other.execute("ROLLBACK")
    try fixture.stage(
      run, "model", "train", inputs: [("scenes/pixels", scenes.outputs[0].sha256)],
      files: [("weights", "w")])
    #expect(!fixture.store.isBehind)
    try fixture.store.finishRun(run, status: "succeeded")
    #expect(try fixture.store.run(run).stages.map(\.name) == ["scenes", "model"])
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }
}
