// Proves that the views are what their declarations and README say, and that databases and data frames
// other than SQLite read every one of them: the same rows, with the same types.
import Formats
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("Whoever reads the views")
struct ViewReadingTests {
  private static let here = URL(filePath: #filePath).deletingLastPathComponent()
  private static let views = Vocabulary.locus.allViews

  /// - Parameter name: one of the stores of earlier versions, which between them have rows in every view; an
  ///   empty one without it.
  private func withStore(_ name: String?, _ body: (Store) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-read-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    if let name {
      try FileManager.default.copyItem(at: Self.here.appending(path: "Stores/\(name)"), to: folder)
    }
    try body(try Store.open(folder, .readWrite, .locus))
  }

  private static let stores = ["schema-2", "schema-3", "schema-4"]

  @Test("a view has the columns that it declares, and each value is of its column's type")
  func declared() throws {
    var empty = Set(Self.views.map(\.name))
    for name in Self.stores {
      try withStore(name) { store in
        let relations = try store.relations()
        for view in Self.views {
          #expect(relations[view.name] == view.columns.map(\.name), "\(view.name)")
          let types = view.columns.map { "typeof(\"\($0.name)\")" }.joined(separator: ", ")
          for row in try store.query("SELECT DISTINCT \(types) FROM \(view.name)").rows {
            empty.remove(view.name)
            for (column, type) in zip(view.columns, row) {
              let allowed = [column.type.rawValue.lowercased(), "null"]
              #expect(allowed.contains(type.text ?? ""), "\(view.name).\(column.name): \(type)")
            }
          }
        }
      }
    }
    // The stores are older than what it shows.
    #expect(empty == ["recall_by_distance", "remote", "run_recall_by_distance", "run_remote"])
  }

  @Test("a CROSS JOIN has its conditions in WHERE, where SQL has them")
  func portable() {
    for sql in Self.views.map(\.sql) + Readme.queries + Readme.shellQueries {
      #expect(!sql.contains(#/CROSS JOIN\s+\w+(\s+\w+)?\s+ON\b/#), "\(sql)")
    }
  }

  @Test("a column's name has one type in all views, and it is README's")
  func types() throws {
    var documented: [String: String] = [:]
    for line in Readme.text.split(separator: "\n") {
      guard let found = line.wholeMatch(of: #/\| (INTEGER|REAL) \| (.*) \|/#) else { continue }
      let columns = found.2.split(separator: "; ")[0].split(separator: ", ")
      for column in columns { documented[String(column)] = String(found.1) }
    }
    #expect(documented.count > 20)
    for view in Self.views {
      for column in view.columns {
        let isCount = view.name.hasSuffix("k_max") && column.name.hasPrefix("ci_")
        let type = isCount ? "INTEGER" : documented[column.name] ?? "TEXT"
        #expect(column.type.rawValue == type, "\(view.name).\(column.name)")
      }
    }
    let all = Set(Self.views.flatMap { $0.columns.map(\.name) })
    #expect(Set(documented.keys).isSubset(of: all))
  }

  @Test(".schema says of each column of a view what it is, with its unit")
  func comments() throws {
    try withStore(nil) { store in
      for view in Self.views {
        let text = try store.texts(
          "SELECT sql FROM sqlite_schema WHERE name = ?", [.text(view.name)])[0]
        for column in view.columns {
          #expect(
            text.contains("--   \(column.name) \(column.type.rawValue): \(column.sentence)\n"),
            "\(view.name).\(column.name)")
          // It ends a statement for whoever splits a script.
          #expect(!column.sentence.contains(";") && !column.sentence.contains("\n"))
        }
      }
    }
  }

  @Test("every view that tells of stages names the instance, and its latest rows are in order")
  func named() throws {
    let ofRuns = ["latest_run", "newest_run"]
    for view in Self.views where !ofRuns.contains(view.name) {
      #expect(view.columns.contains { $0.name == "name" }, "\(view.name)")
    }
    try withStore("schema-2") { store in
      let inOrder = try store.texts(
        "SELECT name FROM stage WHERE kind = 'evaluate' AND run_id IN (SELECT id FROM latest_run)"
          + " ORDER BY id")
      #expect(try store.texts("SELECT name FROM k_max") == inOrder)
    }
  }

  @Test(
    "a store of today answers what the reports that README leads to name as their queries",
    arguments: ["example", "analytic", "theory"])
  func reports(_ name: String) throws {
    let path = "reports/\(name)/report.md"
    #expect(Readme.text.contains("(\(path))"))
    let queries = Readme.queries(ofReport: path)
    #expect(!queries.isEmpty)
    try withStore(nil) { store in
      for query in queries { #expect(throws: Never.self) { try store.query(query) } }
    }
  }

  // MARK: - Other programs

  private static let python = ProcessInfo.processInfo.environment["LOCUS_PYTHON"] ?? "python3"
  private static let canRead =
    (try? run(["-c", "import duckdb, pandas, polars, sqlite3"], input: ""))?.code == 0

  private static let canDraw =
    (try? run(["-c", "import matplotlib, pandas"], input: ""))?.code == 0

  private static func run(_ words: [String], input: String) throws -> (code: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [python] + words
    let (given, said) = (Pipe(), Pipe())
    process.standardInput = given
    process.standardOutput = said
    process.standardError = said
    try process.run()
    try given.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try given.fileHandleForWriting.close()
    let text = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  @Test(
    "DuckDB, pandas and polars read every view as SQLite does, with rows and without",
    .enabled(
      if: canRead,
      "LOCUS_PYTHON (or python3) has not all of duckdb, pandas, polars: pip install them"),
    arguments: stores + [nil])
  func readers(_ name: String?) throws {
    // In the order of the columns, which a dictionary would lose.
    let views = Self.views.map { view in
      let members = view.columns.map { "\"\($0.name)\": \"\($0.type.rawValue)\"" }
      return "\"\(view.name)\": {\(members.joined(separator: ", "))}"
    }
    let queries = JSONValue.array((Readme.queries + Readme.shellQueries).map(JSONValue.string))
    try withStore(name) { store in
      let found = try Self.run(
        [Self.here.appending(path: "read_store.py").path, store.databaseURL.path],
        input: "{\"views\": {\(views.joined(separator: ", "))},"
          + " \"queries\": \(queries.canonicalText())}")
      #expect(found.code == 0, "\(found.text)")
      print(found.text.split(separator: "\n").last.map(String.init) ?? "")
    }
  }

  @Test(
    "README's figure is drawn, a line an evaluation without a mask",
    .enabled(
      if: canDraw,
      "LOCUS_PYTHON (or python3) has not both of matplotlib and pandas: pip install them"
    ), arguments: stores)
  func figure(_ name: String) throws {
    let block = try #require(Readme.text.firstMatch(of: #/```python\n((?:.|\n)*?)```/#)?.1)
    try withStore(name) { store in
      let picture = store.databaseURL.deletingLastPathComponent().appending(path: "recall.svg").path
      let script = block.replacing("data/locus.sqlite", with: store.databaseURL.path)
        .replacing("recall.svg", with: picture)
      let found = try Self.run(["-"], input: String(script))
      #expect(found.code == 0, "\(found.text)")
      // Letters are drawn; what they say stands in comments.
      let drawn = try String(contentsOfFile: picture, encoding: .utf8)
      let names = try store.texts(
        "SELECT DISTINCT name FROM length_generalization WHERE arm = 'none'")
      #expect(!names.isEmpty)
      for name in names { #expect(drawn.contains("<!-- \(name) -->"), "\(name)") }
    }
  }
}
