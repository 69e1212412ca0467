// Proves that the stores of earlier versions open, migrate and are what their receipts say, and that a
// receipt of a later version is left alone.
import CSQLite
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("Other versions' stores")
struct MigrationTests {
  /// A copy of a store that Locus wrote when its schema had this version: a run of a small pipeline.
  /// Large objects are not kept.
  private func old(_ version: Int) throws -> URL {
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Stores/schema-\(version)")
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-old-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: source, to: folder)
    return folder
  }

  private func raw(_ folder: URL) throws -> Connection {
    try Connection(Store.databaseURL(in: folder).path, flags: SQLITE_OPEN_READONLY)
  }

  @Test(
    "a store of an older schema opens as it is, migrates, and is what its receipts say",
    arguments: [(1, 2), (2, 4), (3, 3), (4, 2)])
  func migration(_ version: Int, _ absent: Int) throws {
    let folder = try old(version)
    defer { try? FileManager.default.removeItem(at: folder) }
    // To read, nothing is changed, and every view and query answers.
    let reader = try Store.open(folder, .readOnly, .locus)
    #expect(try raw(folder).integer("PRAGMA user_version") == version)
    #expect(try !reader.query("SELECT model, arm FROM k_max").rows.isEmpty)
    for sql in Readme.queries + Vocabulary.locus.allQueries.map(\.sql) {
      _ = try reader.queryReadOnly(sql)
    }
    let before = try StoreFixture.rows(reader.database)
    // Faults of one that was not migrated yet are named as well.
    let found = try Store.verify(folder, .locus)
    #expect(found.count == absent && found.allSatisfy { !$0.damages.isEmpty })
    Doubts.leave([], in: folder)
    #expect(before["metric"]?.isEmpty == false && before["outcome"]?.isEmpty == false)
    // Nothing happened in the runs of schema 2 to 4.
    #expect(before["event"]?.isEmpty == (version >= 2))
    // To write, it is migrated, to what who only reads has seen.
    let store = try Store.open(folder, .readWrite, .locus)
    #expect(try raw(folder).integer("PRAGMA user_version") == Schema.version)
    #expect(try StoreFixture.rows(store.database) == before)
    #expect(try store.relations().keys.contains("run_lineage"))
    for sql in Readme.queries { _ = try store.queryReadOnly(sql) }
    // The large objects are not in the fixture; of the rest everything is as it was left.
    let faults = try Store.verify(folder, .locus)
    #expect(faults.count == absent)
    #expect(faults.allSatisfy { $0.place == .object && $0.problem == "missing" })
    #expect(faults.allSatisfy { $0.damages.contains("comparison") })
    // From receipts of format 1 comes what the migration made of the rows.
    _ = try Store.rebuild(folder, .locus)
    #expect(try StoreFixture.rows(Store.open(folder, .readWrite, .locus).database) == before)
  }

  @Test("a store of schema 1 shows the models that it compared")
  func first() throws {
    let folder = try old(1)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = try Store.open(folder, .readOnly, .locus)
    #expect(
      try store.query("SELECT model, arm FROM k_max ORDER BY arm").rows == [
        [.text("baseline"), .text("conditioner")], [.text("baseline"), .text("none")],
      ])
  }

  @Test("every step and arm of schema 2 is at its dimension, and nothing else is")
  func dimensions() throws {
    let folder = try old(2)
    defer { try? FileManager.default.removeItem(at: folder) }
    let same = "name, value, sigma, k, seed, ci_low, ci_high, n, unit"
    let before = try raw(folder).query("SELECT \(same), step, arm FROM metric ORDER BY rowid").rows
    let store = try Store.open(folder, .readOnly, .locus)
    let steps = ["pictures", "\"window\"", "radius", "coupling"]
    let arms = ["detector", "score", "\"view\"", "pair", "subject"]
    let after = try store.query(
      """
      SELECT \(same), CAST(coalesce(\(steps.joined(separator: ", "))) AS REAL),
        coalesce(\(arms.joined(separator: ", "))) FROM metric ORDER BY rowid
      """
    ).rows
    #expect(before.count > 1000 && before == after)
    for columns in [steps, arms] {
      let filled = columns.map { "(\($0) IS NOT NULL)" }.joined(separator: " + ")
      #expect(try store.texts("SELECT name FROM metric WHERE \(filled) > 1").isEmpty)
      for column in columns where column != "\"view\"" {
        let count = try store.texts("SELECT name FROM metric WHERE \(column) IS NOT NULL").count
        #expect(count > 0, "\(column)")
      }
    }
  }

  @Test("runs of schema 3 keep their order; results of a key with other bytes stand side by side")
  func sideBySide() throws {
    let folder = try old(3)
    defer { try? FileManager.default.removeItem(at: folder) }
    let theory = "SELECT id, status FROM execution WHERE kind = 'theory' ORDER BY id"
    let before = try raw(folder).query(theory).column("status")
    #expect(before == ["replaced", "replaced", "succeeded"].map(SQLValue.text))
    let runs = try raw(folder).texts("SELECT id FROM run ORDER BY started_at, id")
    let store = try Store.open(folder, .readWrite, .locus)
    // The first two made the same bytes, the third other ones.
    let after = try store.query(theory).column("status")
    #expect(after == ["replaced", "succeeded", "succeeded"].map(SQLValue.text))
    #expect(try store.texts("SELECT id FROM run ORDER BY sequence, id") == runs)
    #expect(try store.query("SELECT DISTINCT sequence FROM run").rows.count == 4)
    for id in runs {
      let receipt = try Receipt.read(RunRecord.self, from: store.receiptURL(run: id))
      #expect(try store.run(id).sequence == receipt.sequence)
      #expect(receipt.sequence == RunRecord.sequence(ofStart: receipt.startedAt))
    }
  }

  @Test("every version of the schema migrates to the present one", arguments: [0, 1, 2, 3, 4])
  func versions(_ version: Int) throws {
    func memory() throws -> Connection {
      try Connection(":memory:", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    }
    let connection = try memory()
    switch version {
    case 0: break
    case Schema.version: try Schema.migrate(connection, to: .locus)
    default:
      let folder = try old(version)
      defer { try? FileManager.default.removeItem(at: folder) }
      try connection.fill(from: try raw(folder))
      #expect(try connection.integer("PRAGMA user_version") == version)
    }
    try Schema.migrate(connection, to: .locus)
    let fresh = try memory()
    try Schema.migrate(fresh, to: .locus)
    // A column that was added has another text, and is the same.
    for question in [
      """
      SELECT m.type, m.name, c.* FROM sqlite_schema m JOIN pragma_table_info(m.name) c
      ORDER BY m.name, c.cid
      """,
      "SELECT name, sql FROM sqlite_schema WHERE type IN ('index', 'view') ORDER BY name",
      """
      SELECT m.name, f."table", f."from", f."to" FROM sqlite_schema m
      JOIN pragma_foreign_key_list(m.name) f ORDER BY m.name, f."from"
      """,
      "SELECT * FROM measure ORDER BY rowid",
    ] {
      #expect(try connection.query(question) == fresh.query(question), "\(question)")
    }
  }

  @Test("a vocabulary that grew is brought to a store, and its measures are told anew")
  func vocabulary() throws {
    let fixture = try StoreFixture()
    try fixture.study(try fixture.begin())
    var grown = Vocabulary.locus
    grown.dimensions.append(MetricDimension("depth", .integer, .condition, "layers"))
    grown.tables.append(
      TableDeclaration("remark", columns: [.init("word", .text)], key: ["word"]))
    grown.measures.removeLast()
    let store = try Store.open(fixture.folder, .readWrite, grown)
    #expect(try store.relations()["metric"]?.last == "depth")
    #expect(try store.texts("SELECT name FROM measure").count == grown.measures.count)
    let again = StoreFixture(store)
    let run = try again.begin()
    var execution = ExecutionRecord(
      key: fixture.hash("deep"), kind: "train", parameters: .object([:]), seed: 1, inputs: [])
    execution.metrics = [MetricRow(name: "loss", value: 1, dimensions: ["depth": .integer(3)])]
    execution.tables = ["remark": TableRows(columns: ["word"], rows: [[.text("deep")]])]
    _ = try store.publish(execution, files: [], runID: run)
    #expect(try store.query("SELECT depth FROM metric WHERE depth = 3").rows.count == 1)
    #expect(try store.texts("SELECT word FROM remark") == ["deep"])
    #expect(try Store.verify(fixture.folder, grown).isEmpty)
    // Who does not know the words refuses to leave them out.
    #expect(throws: StoreError.self) { try Store.rebuild(fixture.folder, .locus) }
  }

  // MARK: - Later receipts

  /// A store in which one file says that it has a later format.
  private func later(_ choose: (StoreFixture, String, ExecutionRecord) throws -> URL) throws -> (
    StoreFixture, URL
  ) {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let executions = try fixture.study(run)
    let url = try choose(fixture, run, executions[1])
    let text = try String(contentsOf: url, encoding: .utf8)
    #expect(text.hasPrefix("{\"format\":\(Receipt.format),"))
    try Data(
      text.replacing("{\"format\":\(Receipt.format),", with: "{\"format\":99,\"more\":1,").utf8
    ).write(to: url)
    return (fixture, url)
  }

  private func expectRefusal(_ url: URL, _ what: String, _ body: () throws -> Void) {
    let error = #expect(throws: StoreError.self, "\(what)") { try body() }
    guard case .newerReceipt(let path, 99, Receipt.format)? = error else {
      Issue.record("\(what): \(String(describing: error))")
      return
    }
    #expect(URL(filePath: path).lastPathComponent == url.lastPathComponent)
    #expect(error?.category == .data)
    #expect(FileManager.default.fileExists(atPath: url.path), "\(what)")
  }

  @Test(
    "a receipt of a later format is refused by whatever reads receipts, and stays where it is",
    arguments: ["execution", "run", "journal"])
  func laterReceipt(_ kind: String) throws {
    let (fixture, url) = try later { fixture, run, execution in
      switch kind {
      case "execution": fixture.store.receiptURL(execution: execution.id)
      case "run": fixture.store.receiptURL(run: run)
      default: Journal.url(run, in: fixture.folder)
      }
    }
    let folder = fixture.folder
    let before = try StoreFixture.rows(fixture.store.database)
    expectRefusal(url, "verify") { _ = try Store.verify(folder, .locus) }
    expectRefusal(url, "rebuild") { _ = try Store.rebuild(folder, .locus) }
    expectRefusal(url, "gc") { _ = try fixture.removal(keeping: []) }
    // Faults that were found earlier must not make `heal` move it.
    Doubts.leave(
      [Fault(place: .receipt, subject: "\(Receipt.executions)/x.json", problem: "", damages: [])],
      in: folder)
    expectRefusal(url, "heal") { _ = try Store.heal(folder, .locus) }
    var removal = Removal()
    removal.leftovers = ["damaged/none"]
    expectRefusal(url, "removal") { try Store.remove(removal, from: folder, .locus) }
    #expect(
      !FileManager.default.fileExists(atPath: folder.appending(path: "damaged").path))
    #expect(try StoreFixture.rows(fixture.store.database) == before)
  }

  @Test(
    "a receipt of a later format that the database does not know keeps a store from being opened")
  func laterUnknownReceipt() throws {
    let (fixture, url) = try later { fixture, _, execution in
      fixture.store.receiptURL(execution: execution.id)
    }
    let new = url.deletingLastPathComponent().appending(path: "ffffffffffffffff-1.json")
    try FileManager.default.moveItem(at: url, to: new)
    for access in [Store.Access.readWrite, .readOnly] {
      expectRefusal(new, "\(access)") { _ = try Store.open(fixture.folder, access, .locus) }
    }
  }

  @Test("a run that was killed is not closed over a journal of a later format")
  func laterJournal() throws {
    let (fixture, url) = try later { fixture, run, _ in Journal.url(run, in: fixture.folder) }
    expectRefusal(url, "begin") { _ = try fixture.begin() }
  }
}
