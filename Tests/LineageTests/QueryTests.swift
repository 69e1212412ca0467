// Proves that a person's SQL can read all and change nothing, ends in time, and that its faults are
// told with what was probably meant.
import Foundation
import Synchronization
import Testing

@testable import Lineage

@Suite("A person's query")
struct QueryTests {
  private func asked(_ sql: String, limit: Double = 60) throws -> Result<QueryResult, StoreError> {
    let fixture = try StoreFixture()
    try fixture.study(try fixture.begin())
    do {
      let limits = QueryLimits(seconds: limit)
      return .success(try fixture.store.queryReadOnly(sql, limits: limits).result)
    } catch {
      return .failure(error)
    }
  }

  @Test(
    "everything that reads is permitted",
    arguments: [
      "SELECT count(*) FROM stage; ", "SELECT 1 -- to the end",
      "WITH x AS (SELECT 1) SELECT * FROM x",
      "SELECT * FROM length_generalization", "SELECT * FROM run_lineage",
      "EXPLAIN QUERY PLAN SELECT * FROM metric", "PRAGMA table_info(run)", "PRAGMA user_version",
      "SELECT name FROM pragma_table_info('run')", "SELECT value FROM json_each('[1, 2]')",
      "SELECT name FROM sqlite_schema", "PRAGMA integrity_check", "VALUES (1), (2)",
    ])
  func permitted(_ sql: String) throws {
    #expect(throws: Never.self) { try asked(sql).get() }
  }

  @Test(
    "everything else is refused by name, and nothing is made",
    arguments: [
      ("DELETE FROM stage", "DELETE"), ("UPDATE run SET status = 'failed'", "UPDATE"),
      ("INSERT INTO event VALUES (1, 2, 3, 4, 5)", "INSERT"), ("DROP TABLE run", "DROP TABLE run"),
      ("SELECT 1; SELECT 2", "a second statement"), ("SELECT 1; DROP TABLE run", "DROP TABLE run"),
      ("ATTACH '/tmp/locus-attached.sqlite' AS x", "ATTACH"), ("DETACH main", "DETACH"),
      ("PRAGMA user_version = 9", "PRAGMA user_version 9"),
      ("PRAGMA journal_mode = DELETE", "PRAGMA journal_mode"),
      ("PRAGMA writable_schema = ON", "PRAGMA writable_schema"),
      ("SELECT load_extension('x')", "load_extension"), ("BEGIN", "a transaction: BEGIN"),
      ("SAVEPOINT s", "SAVEPOINT"), ("VACUUM INTO '/tmp/locus-vacuumed.sqlite'", "writing"),
      ("CREATE TEMP TABLE t (a)", "CREATE TABLE t"), ("EXPLAIN DELETE FROM run", "DELETE"),
      ("REINDEX", "REINDEX"), ("ANALYZE", "sqlite_stat1"), ("", "nothing"),
      (" -- nothing", "nothing"),
    ])
  func refused(_ sql: String, _ word: String) throws {
    let found = try asked(sql)
    guard case .failure(.refused(let what, _)) = found else {
      Issue.record("\(sql): \(found)")
      return
    }
    #expect(what.contains(word), "\(sql): \(what)")
    for name in ["attached", "vacuumed"] {
      #expect(!FileManager.default.fileExists(atPath: "/tmp/locus-\(name).sqlite"))
    }
  }

  @Test(
    "a wrong name is told with the right one",
    arguments: [
      ("SELECT * FROM length_generalisation", "`length_generalization`"),
      ("SELECT recal FROM length_generalization", "`recall`"),
      ("SELECT m.vlaue FROM metric m", "`value`"), ("SELECT * FROM main.runn", "`run`"),
    ])
  func meant(_ sql: String, _ name: String) throws {
    guard case .failure(let error) = try asked(sql) else {
      Issue.record("no error")
      return
    }
    #expect(error.description.contains("did you mean \(name)?"), "\(error)")
    #expect(error.exitCode == 64)
  }

  @Test("what has no likely name is an error without a guess")
  func unknown() throws {
    for sql in ["SELECT * FROM zebra_crossings", "SELECT zebra_crossings FROM run", "SELEC 1"] {
      guard case .failure(let error) = try asked(sql) else {
        Issue.record("no error")
        return
      }
      #expect(!error.description.contains("did you mean"), "\(error)")
    }
  }

  @Test("the schema itself cannot be written to")
  func schema() throws {
    #expect(throws: StoreError.self) { try asked("UPDATE sqlite_master SET sql = ''").get() }
  }

  @Test("an endless query is stopped, and an enormous value refused")
  func bounds() throws {
    let endless =
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    #expect(throws: StoreError.timeLimit(seconds: 0.2)) { try asked(endless, limit: 0.2).get() }
    #expect(throws: StoreError.self) { try asked("SELECT zeroblob(1000000000)").get() }
    let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    let fixture = try StoreFixture()
    let kept = try fixture.store.queryReadOnly(rows, most: 1 << 20)
    #expect(kept.isCut && kept.result.rows.count > 1000)
    #expect(kept.result.rows.first == [.integer(1)])
    #expect(try !fixture.store.queryReadOnly("SELECT 1").isCut)
    // Each value is short enough; the row is not.
    let values = Array(repeating: "zeroblob(9000000)", count: 2).joined(separator: ", ")
    #expect(throws: StoreError.tooLarge("has a longer row", most: 16 << 20)) {
      try fixture.store.queryReadOnly("SELECT \(values)")
    }
    #expect(throws: StoreError.tooLarge("makes a longer value", most: 16 << 20)) {
      try fixture.store.queryReadOnly("SELECT length(hex(randomblob(9000000)))")
    }
  }

  @Test("rows come one by one, and only as many as are wanted")
  func streamed() throws {
    let fixture = try StoreFixture()
    let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    var last: [SQLValue] = []
    var columns: [String] = []
    try fixture.store.stream(
      rows, columns: { columns = $0 },
      row: { row in
        last = row
        return row != [.integer(12)]
      })
    #expect(columns == ["i"] && last == [.integer(12)])
    // What the receiver does with a row is not SQLite's time.
    try fixture.store.stream(
      "VALUES (1), (2), (3)", limits: QueryLimits(seconds: 0.1), columns: { _ in },
      row: { _ in
        usleep(60_000)
        return true
      })
    let text = try fixture.store.queryReadOnly("SELECT CAST(x'610062' AS TEXT)").result.rows
    #expect(text == [[.text("a\u{0}b")]])
  }

  @Test("a watchdog says when work goes on past its end, and not otherwise")
  func watchdog() throws {
    let said = Atomic(false)
    func isSaid() -> Bool { said.load(ordering: .acquiring) }
    try withExtendedLifetime(Watchdog { said.store(true, ordering: .releasing) }) { dog in
      dog.watch(until: .now)
      dog.rest()
      usleep(700_000)
      #expect(!isSaid())
      dog.watch(until: .now)
      let end = ContinuousClock.now + .seconds(30)
      while !isSaid(), ContinuousClock.now < end { usleep(10_000) }
      #expect(isSaid())
    }
  }
}
