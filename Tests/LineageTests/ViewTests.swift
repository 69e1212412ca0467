// Proves that README's tables, views and ready queries are the store's, and that over a million
// metric rows every one of them searches instead of reading tables from end to end.
import CSQLite
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("Documented views", .serialized)
struct ViewTests {
  /// With `LOCUS_MILLION` the store has the million rows and times are checked, else a hundredth.
  private static let isWhole = ProcessInfo.processInfo.environment["LOCUS_MILLION"] != nil

  private func filled() throws -> StoreFixture {
    let fixture = try StoreFixture()
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "MillionRows.sql")
    var sql = try String(contentsOf: url, encoding: .utf8)
    if !Self.isWhole { sql = sql.replacing("i < 499", with: "i < 19") }
    try fixture.store.database.transaction { () throws(StoreError) in
      try fixture.store.database.execute(sql)
    }
    return fixture
  }

  /// What has no sister that covers every run.
  private static let ofAllRuns = ["latest_run", "newest_run", "denoiser"]

  @Test("README lists the tables and views with the columns that they have")
  func documented() throws {
    let store = try StoreFixture().store
    let relations = try store.relations()
    let tables = Readme.relations("table")
    let views = Readme.relations("view")
    #expect(tables.count == 14 && views.count >= 10)
    for (name, columns) in tables.merging(views, uniquingKeysWith: { first, _ in first }) {
      #expect(relations[name] == columns, "\(name)")
    }
    let all = try store.query("SELECT name FROM sqlite_schema WHERE type = 'table'")
    #expect(Set(all.column("name").compactMap(\.text)) == Set(tables.keys))
    // Each view has its sister that covers every run.
    for name in views.keys where !Self.ofAllRuns.contains(name) {
      #expect(relations["run_" + name]?.first == "run_id", "\(name)")
    }
  }

  @Test("README's ten ready queries run as they stand, and have something to tell")
  func ready() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    try fixture.study(run)
    try fixture.store.recordEvent(
      runID: run, executionID: nil, level: "error", message: "something was said")
    try fixture.store.finishRun(run, status: "failed")
    #expect(Readme.queries.count == 10)
    for sql in Readme.queries + Readme.shellQueries {
      let found = try fixture.store.queryReadOnly(sql).result
      #expect(!found.rows.isEmpty, "\(sql)")
    }
  }

  @Test("no documented view or ready query reads a big table from end to end, and each is quick")
  func searched() throws {
    let fixture = try filled()
    let store = fixture.store
    let views = Readme.relations("view").keys.sorted()
    let run = "WHERE run_id = 'run00017'"
    let questions =
      views.map { "SELECT * FROM \($0)" }
      + views.filter { !Self.ofAllRuns.contains($0) }.map { "SELECT * FROM run_\($0) \(run)" }
      + ["SELECT * FROM lineage WHERE artifact = 'run00019-19/comparison'"]
      + ["SELECT * FROM run_lineage WHERE artifact = 'run00002-19/comparison'"]
      + Readme.queries + Readme.shellQueries + Vocabulary.locus.allQueries.map(\.sql)
    for sql in questions {
      let plan = try store.query("EXPLAIN QUERY PLAN " + sql).column("detail").compactMap(\.text)
      for line in plan {
        let scanned = line.wholeMatch(of: #/SCAN (\w+)(?: USING .*)?/#)?.1 ?? ""
        #expect(
          !Self.big.contains(String(scanned)), "\(sql): \(plan.joined(separator: "\n"))")
      }
      guard Self.isWhole else { continue }
      // The shortest of three: the machine may be busy with something else.
      var time = Double.infinity
      var rows = 0
      for _ in 0..<3 {
        let start = ContinuousClock.now
        rows = try count(sql, in: store.database)
        time = min(time, (ContinuousClock.now - start) / .milliseconds(1))
      }
      print(String(format: "%5.1f ms, %4d rows: ", time, rows) + sql.replacing("\n", with: " "))
      #expect(time < 50, "\(sql)")
    }
  }

  /// Steps through a statement, as `sqlite3` does before it prints.
  private func count(_ sql: String, in database: Connection) throws -> Int {
    var statement: OpaquePointer?
    try #require(sqlite3_prepare_v2(database.handle, sql, -1, &statement, nil) == SQLITE_OK)
    defer { sqlite3_finalize(statement) }
    var rows = 0
    while sqlite3_step(statement) == SQLITE_ROW { rows += 1 }
    return rows
  }

  /// Tables by their names and by the aliases that views and queries give them. `run` and
  /// `pipeline` are small.
  private static let big: Set<String> = [
    "stage", "execution", "artifact", "execution_input", "execution_output", "metric", "outcome",
    "event", "manifest", "s", "t", "i", "e", "x", "y", "m", "l", "q", "h", "w", "o", "mo", "g", "d",
    "behind",
  ]
}
