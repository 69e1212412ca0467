// Proves that a plan says why each stage runs, to the field; the scenarios beside it say what each
// of them proves.
import Formats
import Foundation
import Lineage
import Measures
import Testing

@testable import Workflow

/// Scenarios/why-*.json5: a pipeline runs as `before`, then stands as `after` (or as it was), with
/// `versions` of kinds raised, files lost or changed, stages
/// forced. `plan` holds reasons by instance; `run` holds
/// how the reasons begin that the table `stage` then has, of exactly those that ran.
@Suite("why a stage runs")
struct ReasonScenarioTests {
  static let names = [
    "why-parameter", "why-several", "why-version", "why-inputs", "why-nothing", "why-lost",
    "why-changed", "why-forced",
  ]

  @Test("every reason is the one that the scenario tells", arguments: names)
  func reasons(_ name: String) throws {
    let text = try String(contentsOf: scenario(name), encoding: .utf8)
    #expect(text.hasPrefix("// Proves that "))
    let scenario = try JSONValue.parse(Data(text.utf8))
    let before = try #require(scenario["before"])
    try withTemporaryFolder { folder in
      let store = try Store.open(folder, .readWrite, .locus)
      try run(try plan(before, store), store, folder)
      let executions = Set(
        try store.query("SELECT id FROM execution").column("id").compactMap(\.text))

      func file(_ stage: String, _ role: JSONValue) throws -> URL {
        let made = try #require(try store.latestExecution(pipeline: "p", stage: stage))
        return store.objectURL(try #require(made.outputs.first { $0.role == role.string }).sha256)
      }
      for (stage, role) in scenario["lose"]?.object ?? [:] {
        try FileManager.default.removeItem(at: try file(stage, role))
      }
      for (stage, role) in scenario["change"]?.object ?? [:] {
        var content = try Data(contentsOf: try file(stage, role))
        content[0] ^= 1
        try FileManager.default.removeItem(at: try file(stage, role))
        try content.write(to: try file(stage, role))
      }
      let kinds = Fake.kinds().map { kind in
        var kind = kind
        kind.version = scenario["versions"]?[kind.name]?.integer ?? kind.version
        return kind
      }
      let force = (scenario["force"]?.array ?? []).compactMap(\.string)
      let changed = try plan(scenario["after"] ?? before, store, kinds: kinds, force: force)
      for (stage, reason) in try #require(scenario["plan"]?.object) {
        let step = try #require(changed.steps.first { $0.instance.name == stage }, "\(stage)")
        #expect(step.reason == reason.string)
        #expect(step.comparedWith.map(executions.contains) == true)
      }

      try run(changed, store, folder)
      let rows = try store.query(
        """
        SELECT name, reason FROM stage
        WHERE status = 'executed' AND run_id = (SELECT id FROM run ORDER BY rowid DESC LIMIT 1)
        """
      ).rows
      let expected = try #require(scenario["run"]?.object)
      #expect(Set(rows.compactMap { $0[0].text }) == Set(expected.keys))
      for row in rows {
        let reason = row[1].text ?? ""
        let beginning = expected[row[0].text ?? ""]?.string ?? "?"
        #expect(reason.hasPrefix(beginning), "\(reason)")
        #expect(executions.contains(String(reason.split(separator: " ").last ?? "")))
      }
    }
  }

  private func plan(
    _ stages: JSONValue, _ store: Store, kinds: [StageKind] = Fake.kinds(), force: [String] = []
  ) throws -> Plan {
    let file = JSONValue.object([
      "pipeline": .string("p"), "question": .string("q"), "seed": .integer(1), "stages": stages,
    ])
    return try Plan(try parse(file.prettyText(), kinds: kinds), store: store, force: force)
  }

  private func run(_ plan: Plan, _ store: Store, _ folder: URL) throws {
    let lock = try RunLock.acquire(folder.appending(path: "lock"), as: .current(pipeline: "p"))
    let summary = try Runner.run(
      plan, store: store, lock: lock, settings: RunSettings(threads: 1, locusVersion: "test"))
    #expect(summary.status == .succeeded)
  }
}
