// What else than Locus' own stands in a database: a person's tables and views are kept, all the rest is
// refused by name, and no name of anything becomes SQL.
import CSQLite
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("A database that somebody else wrote into")
struct SchemaTests {
  private func write(_ store: Store, _ sql: String) throws {
    try Connection(store.databaseURL.path, flags: SQLITE_OPEN_READWRITE).execute(sql)
  }

  /// A finished run in a store of its own.
  private func fixture() throws -> StoreFixture {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    try fixture.stage(
      run, "scenes", "generate", files: [("pixels", "…")],
      metrics: [Measure.pictures.row(3)])
    try fixture.store.finishRun(run, status: "succeeded")
    return fixture
  }

  @Test(
    "a view's name is never executed, in a store of an earlier version neither",
    arguments: [true, false])
  func viewName(isOld: Bool) throws {
    let fixture = try fixture()
    let outside = fixture.folder.appending(path: "outside.sqlite")
    let name = "x\"; ATTACH '\(outside.path)' AS a; CREATE TABLE a.t (x); DELETE FROM metric; --"
    let quoted = name.replacingOccurrences(of: "\"", with: "\"\"")
    try write(fixture.store, "CREATE VIEW \"\(quoted)\" AS SELECT 1")
    if isOld { try write(fixture.store, "DROP VIEW k_max") }
    let before = try StoreFixture.rows(fixture.store.database)
    #expect(before["metric"]?.isEmpty == false)
    #expect(
      throws: StoreError.stranger(
        path: fixture.store.databaseURL.path, type: "view", name: name, more: 0)
    ) { try Store.open(fixture.folder, .readWrite, .locus) }
    #expect(throws: StoreError.self) { try Store.rebuild(fixture.folder, .locus) }
    #expect(!FileManager.default.fileExists(atPath: outside.path))
    #expect(try StoreFixture.rows(fixture.store.database) == before)
    #expect(
      try Store.verify(fixture.folder, .locus).contains {
        $0.subject == "view \(name)" && $0.problem == "was not made by Locus"
      })
  }

  @Test(
    "a trigger, a table or an index that nobody asked for is refused, with nothing written",
    arguments: [
      ("CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM metric; END", "trigger", "t"),
      ("CREATE TRIGGER my_t AFTER INSERT ON run BEGIN DELETE FROM metric; END", "trigger", "my_t"),
      ("CREATE TABLE notes (text)", "table", "notes"),
      ("CREATE INDEX fast ON metric (value)", "index", "fast"),
    ])
  func strangers(_ sql: String, _ type: String, _ name: String) throws {
    let fixture = try fixture()
    try write(fixture.store, sql)
    let before = try StoreFixture.rows(fixture.store.database)
    #expect(
      throws: StoreError.stranger(
        path: fixture.store.databaseURL.path, type: type, name: name, more: 0)
    ) { try Store.open(fixture.folder, .readWrite, .locus) }
    #expect(try StoreFixture.rows(fixture.store.database) == before)
    let faults = try Store.verify(fixture.folder, .locus)
    #expect(faults.map(\.subject) == ["\(type) \(name)"])
    // Who only reads is not kept from it.
    _ = try Store.open(fixture.folder, .readOnly, .locus)
  }

  @Test("tables, views and triggers named my_… outlive a migration, a rebuild and gc")
  func personal() throws {
    let fixture = try fixture()
    try write(
      fixture.store,
      """
      CREATE TABLE my_notes (run TEXT, text TEXT);
      CREATE INDEX my_notes_by_run ON my_notes (run);
      CREATE TRIGGER my_trigger AFTER INSERT ON my_notes BEGIN SELECT 1; END;
      CREATE VIEW My_recall AS SELECT name, value FROM metric;
      INSERT INTO my_notes VALUES ('a', 'looks odd');
      DROP VIEW k_max;
      """)
    func check(_ store: Store) throws {
      #expect(try store.database.texts("SELECT text FROM my_notes") == ["looks odd"])
      #expect(try store.database.texts("SELECT name FROM My_recall") == [Measure.pictures.name])
      #expect(try SchemaItem.all(in: store.database).count { $0.isPersonal } == 4)
      #expect(try store.relations().keys.contains("k_max"))
    }
    try check(Store.open(fixture.folder, .readWrite, .locus))
    _ = try Store.rebuild(fixture.folder, .locus)
    try check(Store.open(fixture.folder, .readWrite, .locus))
    let removal = Removal(runs: [], executions: [], objects: [], leftovers: ["tmp/none"])
    try Store.remove(removal, from: fixture.folder, .locus)
    try check(Store.open(fixture.folder, .readWrite, .locus))
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }

  @Test("views that an earlier build of this schema made are no fault, and are made anew")
  func formerViews() throws {
    let fixture = try fixture()
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "FormerViews.sql")
    for view in try fixture.store.texts("SELECT name FROM sqlite_schema WHERE type = 'view'") {
      try write(fixture.store, "DROP VIEW \(view)")
    }
    try write(fixture.store, try String(contentsOf: url, encoding: .utf8))
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    // Who only reads has today's all the same, in named queries and in README's.
    let reader = try Store.open(fixture.folder, .readOnly, .locus)
    #expect(try reader.relations()["k_max"]?.first == "name")
    for sql in Readme.queries + Vocabulary.locus.allQueries.map(\.sql) {
      _ = try reader.queryReadOnly(sql)
      _ = try reader.query(sql)
    }
    #expect(
      try reader.texts("SELECT sql FROM sqlite_schema WHERE name = 'run_k_max'")[0].contains(" ON ")
    )
    // One of them alone says something else.
    try write(fixture.store, "DROP VIEW k_max; CREATE VIEW k_max AS SELECT 12 AS k_max")
    let faults = try Store.verify(fixture.folder, .locus)
    #expect(faults.contains { $0.subject == "view k_max" })
    #expect(
      try Store.open(fixture.folder, .readWrite, .locus).relations()["k_max"]?.first == "name")
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }

  @Test(
    "what a build before did not have yet is no fault of its store, and is added by the next run")
  func former() throws {
    let fixture = try StoreFixture()
    try fixture.study(try fixture.begin())
    for sql in [
      "DROP TABLE sensitivity", "ALTER TABLE outcome DROP COLUMN chance",
      "ALTER TABLE metric DROP COLUMN against",
    ] {
      let views = Vocabulary.locus.allViews.map { "DROP VIEW \"\($0.name)\"" }
      try write(fixture.store, (views + [sql]).joined(separator: "; "))
      for view in Vocabulary.locus.allViews { try write(fixture.store, view.statement) }
    }
    #expect(
      try Set(Store.verify(fixture.folder, .locus).map(\.subject))
        == ["table sensitivity", "table outcome", "table metric"])
    Doubts.leave([], in: fixture.folder)
    var next = Vocabulary.locus
    next.formerViews.insert(
      ViewDeclaration.digest(
        Vocabulary.locus.allViews.sorted { $0.name < $1.name }.map(\.statement)))
    #expect(try Store.verify(fixture.folder, next).isEmpty)
    let reader = try Store.open(fixture.folder, .readOnly, .locus)
    for view in Vocabulary.locus.allViews { _ = try reader.query("SELECT * FROM \(view.name)") }
    _ = try Store.open(fixture.folder, .readWrite, .locus)
    // What its receipts have of it comes with `rebuild`.
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }

  /// Who changes the views adds this digest to `formerViews`, and writes the new one here.
  @Test("the views have the digest by which the next build will know them")
  func digest() {
    let statements = Vocabulary.locus.allViews.sorted { $0.name < $1.name }.map(\.statement)
    #expect(
      ViewDeclaration.digest(statements)
        == "624836ad9f579d7a795af7d066a6dee23cf271a20c75445aded05ed958e4f38f")
  }

  @Test(
    "verify names what is not as Locus makes it, and the next run puts it in order",
    arguments: [
      ("DROP VIEW k_max; CREATE VIEW k_max AS SELECT 12 AS k_max", "view k_max"),
      ("DROP INDEX event_by_run", "index event_by_run"),
      ("DROP VIEW lineage", "view lineage"),
      ("ALTER TABLE metric ADD COLUMN extra TEXT", "table metric"),
    ])
  func doctored(_ sql: String, _ subject: String) throws {
    let fixture = try fixture()
    try write(fixture.store, sql)
    #expect(try Store.verify(fixture.folder, .locus).map(\.subject) == [subject])
    _ = try Store.heal(fixture.folder, .locus)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }
}
