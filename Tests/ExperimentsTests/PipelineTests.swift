import Formats
import Foundation
import Lineage
import Measures
import Reporting
import Testing
import Workflow

@testable import Experiments

/// The committed pipeline of seconds, run for real: what the quickstart does, at a hundredth of its size.
@Suite("A whole pipeline", .serialized)
struct PipelineTests {
  static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Pipelines/tiny.json5")

  /// Runs the pipeline in a folder of its own and hands over the store and the run.
  static func run<T>(threads: Int, _ body: (URL, Store, String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-pipeline-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipeline = try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: [])
    let (store, run) = try runWhole(pipeline, in: folder, threads: threads)
    return try body(folder, store, run)
  }

  /// Rows as a multiset: a table has no order.
  private func counts(_ rows: [[SQLValue]]) -> [[SQLValue]: Int] {
    Dictionary(rows.map { ($0, 1) }, uniquingKeysWith: +)
  }

  private static func artifacts(_ store: Store, _ run: String) throws -> [[SQLValue]] {
    try store.query(
      """
      SELECT s.name, o.role, o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
      WHERE s.run_id = ? ORDER BY 1, 2
      """, [.text(run)]
    ).rows
  }

  @Test("1 and 2 threads give the same bytes in every artifact")
  func determinism() throws {
    let one = try Self.run(threads: 1) { try Self.artifacts($1, $2) }
    let two = try Self.run(threads: 2) { try Self.artifacts($1, $2) }
    #expect(one.count > 40)
    #expect(one == two)
  }

  @Test(
    "every view answers, the identity equals its baseline, verify and rebuild agree, the report's numbers are in the store"
  )
  func everything() throws {
    try Self.run(threads: 2) { folder, store, run in
      for view in [
        "latest_run", "length_generalization", "k_max", "locality", "remote", "intervention_effect",
        "agreement",
        "training_curve", "stage_cost", "lineage",
      ] {
        #expect(try !store.query("SELECT * FROM \(view)").rows.isEmpty, "\(view)")
      }
      for query in store.vocabulary.allQueries {
        #expect(try !store.queryReadOnly(query.sql).result.rows.isEmpty, "\(query.name)")
      }
      let identical = try store.query(
        "SELECT value, n FROM metric WHERE name = 'identical_pictures'")
      #expect(identical.rows == [[.real(1), .integer(9)], [.real(1), .integer(9)]])
      let arms = try store.query("SELECT DISTINCT arm FROM intervention_effect ORDER BY 1")
      #expect(
        arms.column("arm").compactMap(\.text)
          == [
            "both", "concept", "conditioner", "features", "identity", "path", "pixel", "reverse",
            "stitched",
            "sum",
            "window",
          ])
      // A machine without training is probed, masked, evaluated and compared like any denoiser.
      let machines = try store.query(
        """
        SELECT (SELECT count(*) FROM locality WHERE model = 'analytic[schedule=calibrated]'),
          (SELECT count(*) FROM k_max WHERE model LIKE 'analytic%' AND arm = 'none'),
          (SELECT count(*) FROM intervention_effect WHERE baseline = 'analytic[schedule=fixed]'),
          (SELECT count(*) FROM agreement WHERE reference = 'local' AND measure = 'drawn.r2')
        """)
      #expect(machines.rows.first?.allSatisfy { ($0.integer ?? 0) > 0 } == true)
      #expect(try Store.verify(store.folder, .locus).isEmpty)

      let reports = folder.appending(path: "reports")
      let page = try Report.write(store: store, runID: run, into: reports)
      let text = try String(contentsOf: page, encoding: .utf8)
      let queries = text.components(separatedBy: "Query: `").dropFirst().compactMap {
        $0.components(separatedBy: "`").first
      }
      #expect(queries.count >= 12)
      for query in queries {
        #expect(try !store.queryReadOnly(query).result.rows.isEmpty, "\(query)")
      }
      // Every picture that the page names is there.
      for link in text.components(separatedBy: "](").dropFirst() {
        let path = link.components(separatedBy: ")")[0]
        let url = page.deletingLastPathComponent().appending(path: path)
        #expect(FileManager.default.fileExists(atPath: url.path), "\(path)")
      }
      // The table of K_max holds the store's own numbers.
      for row in try store.query("SELECT k_max, ci_low, ci_high, n FROM k_max").rows {
        let numbers = row.map { $0.integer ?? -1 }
        #expect(text.contains("| \(numbers[0]) [\(numbers[1]), \(numbers[2])] |"))
      }

      let tables = [
        "pipeline", "run", "execution", "artifact", "execution_input", "execution_output", "metric",
        "outcome", "stage", "event",
      ]
      func rows() throws -> [[[SQLValue]]] {
        let reader = try Store.open(folder, .readOnly, .locus)
        return try tables.map { try reader.query("SELECT * FROM \($0)").rows }
      }
      let before = try rows()
      _ = try Store.rebuild(folder, .locus)
      let after = try rows()
      for (table, (a, b)) in zip(tables, zip(before, after)) {
        let (counted, recounted) = (counts(a), counts(b))
        #expect(counted == recounted, "\(table)")
      }
    }
  }

  /// What takes something from outside, which no committed file can name, is run by the tests of its own.
  @Test("every kind runs in the pipeline of seconds")
  func everyKind() throws {
    let pipeline = try Pipeline.read(
      path: Self.file.path, kinds: Experiments.stageKinds, overrides: [])
    let used = Set(pipeline.instances.map(\.kind.name))
    #expect(
      used.union([
        "import", "count", "import-clevr", "import-positions", "import-arrays", "external",
      ])
        == Set(Experiments.stageKinds.map(\.name)))
  }

  @Test("the committed pipelines are sound")
  func committed() throws {
    let folder = Self.file.deletingLastPathComponent()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where name.hasSuffix(".json5") {
      let pipeline = try Pipeline.read(
        path: folder.appending(path: name).path, kinds: Experiments.stageKinds, overrides: [],
        extensions: [.claims])
      #expect(pipeline.name == name.replacingOccurrences(of: ".json5", with: ""))
    }
  }
}
