// Proves that what pipelines store is in the catalogue, and that all of the catalogue is stored.
import Experiments
import Foundation
import Lineage
import Testing
import Workflow

@testable import Measures

@Suite("What stages store")
struct StoredMetricsTests {
  private static let here = URL(filePath: #filePath).deletingLastPathComponent()
  private static let root = here.deletingLastPathComponent().deletingLastPathComponent()
  /// The pipelines of seconds that together measure everything.
  private static let pipelines = [
    root.appending(path: "Pipelines/tiny.json5"), here.appending(path: "every-metric.json5"),
  ]

  /// A metric as some kind of stage stores it.
  private struct Use: Hashable {
    var name: String
    var kind: String
    var unit: String?
    var dimensions: Set<String>
    var hasInterval: Bool
  }

  private func uses() throws -> Set<Use> {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-metrics-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = try Store.open(folder, .readWrite, .locus)
    for file in Self.pipelines {
      let pipeline = try Pipeline.read(
        path: file.path, kinds: Experiments.stageKinds, overrides: [])
      let lock = try RunLock.acquire(
        folder.appending(path: "lock"), as: .current(pipeline: pipeline.name))
      let summary = try Runner.run(
        try Plan(pipeline, store: store), store: store, lock: lock,
        settings: RunSettings(threads: 2, locusVersion: "test"))
      #expect(summary.status == .succeeded)
    }
    let dimensions = Vocabulary.locus.dimensions.map(\.name) + ["subject"]
    let rows = try store.rows(
      """
      SELECT DISTINCT m.name, e.kind, m.unit, m.ci_low IS NOT NULL AS has_interval,
        \(dimensions.map { "m.\"\($0)\" IS NOT NULL AS \"\($0)\"" }.joined(separator: ", "))
      FROM metric m JOIN execution e ON e.id = m.execution_id
      """)
    var uses: Set<Use> = []
    for row in rows {
      uses.insert(
        Use(
          name: try row.text("name"), kind: try row.text("kind"),
          unit: try row.optionalText("unit"),
          dimensions: Set(try dimensions.filter { try row.flag($0) }),
          hasInterval: try row.flag("has_interval")))
    }
    return uses
  }

  @Test("is in the catalogue, with its unit, dimensions and interval, and all of it is stored")
  func stored() throws {
    let uses = try uses()
    for use in uses {
      guard let measure = Measure.named(use.name) else {
        Issue.record("\(use.name), which \(use.kind) stores, is not in the catalogue")
        continue
      }
      #expect(measure.kinds.contains(use.kind), "\(use)")
      #expect(measure.unit == use.unit, "\(use)")
      #expect(use.dimensions.isSubset(of: measure.dimensionNames), "\(use)")
      #expect(measure.interval != .none || !use.hasInterval, "\(use)")
    }
    for measure in Measure.all {
      let mine = uses.filter { $0.name == measure.name }
      // What a person counted comes by `locus import counts`, and a model that lives elsewhere from elsewhere;
      // their own tests store it.
      if [["count"], ["import-clevr"], ["external"]].contains(measure.kinds)
        || Measure.fields.contains(measure)
      {
        continue
      }
      // An import has no work of its own: `locus import weights` does it.
      #expect(
        Set(mine.map(\.kind))
          == Set(measure.kinds).subtracting([
            "import", "import-clevr", "import-positions", "import-arrays",
          ]),
        "\(measure.name)")
      #expect(
        mine.reduce(into: Set()) { $0.formUnion($1.dimensions) } == Set(measure.dimensionNames),
        "\(measure.name)")
      #expect(
        mine.contains(where: \.hasInterval) == (measure.interval != .none), "\(measure.name)")
    }
  }

  /// A store that the version before wrote of the pipeline of seconds.
  @Test("a run of the version before is compared with: kinds whose version rose run again")
  func former() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-former-\(UUID().uuidString)")
    let stores = Self.here.deletingLastPathComponent().appending(path: "LineageTests/Stores")
    try FileManager.default.copyItem(at: stores.appending(path: "schema-2"), to: folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = try Store.open(folder, .readWrite, .locus)
    let pipeline = try Pipeline.read(
      path: Self.pipelines[0].path, kinds: Experiments.stageKinds, overrides: [])
    var compared = 0
    for step in try Plan(pipeline, store: store).steps {
      let kind = step.instance.kind
      // Stages that the pipeline did not have then are no part of this.
      guard let last = try store.latestExecution(pipeline: "tiny", stage: step.instance.name)
      else { continue }
      compared += 1
      #expect(last.kindVersion == nil)
      if step.runs {
        #expect(step.reason.contains("kind `\(kind.name)` version"), "\(step.reason)")
      } else {
        #expect(step.reason == "unchanged")
      }
    }
    #expect(compared == 33)
  }
}
