import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

private let hasPython: Bool = {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = ["python3", "-c", ""]
  process.standardError = FileHandle.nullDevice
  do { try process.run() } catch { return false }
  process.waitUntilExit()
  return process.terminationStatus == 0
}()

/// Proves that a model which another program computes is a denoiser as any other, and only as long as it is itself.
@Suite("Models that live elsewhere", .enabled(if: hasPython, "python3 is not here"))
struct ExternalStageTests {
  private static let peer = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "ExternalTests/Peers/plain_peer.py")

  /// Pictures of 16 px, a model of the words after the script's name, and what asks it.
  private static func pipeline(_ folder: URL, _ words: String, script: String = "peer.py") throws
    -> Pipeline
  {
    let file = folder.appending(path: "elsewhere.json5")
    let name = script.split(separator: "/").last.map(String.init) ?? script
    try Data(
      """
      {
        pipeline: "elsewhere", question: "Does a model that lives elsewhere know of what is remote?", seed: 3,
        stages: {
          scenes: { kind: "generate", size: 16, cells: 4, objects: [1, 2], count: 20 },
          elsewhere: {
            kind: "external", files: ["\(script)"], labelling: "single", objects: [1, 2], timeout: 60,
            command: ["python3", "\(name)", "shape=3,16,16", "conditioner={\\"grid\\": 4}", "batch=256"\(words)],
          },
          masked: {
            kind: "intervene", inputs: { denoiser: "elsewhere", scenes: "scenes" }, mask: "conditioner",
            labels: 1,
          },
          probe: {
            kind: "probe", inputs: { denoiser: "elsewhere", scenes: "scenes" }, counts: [2], pictures: 1,
            pixels: 2, sigmas: [1], layouts: 2, remote_sigmas: [1], window: 5, steps: 2,
          },
        },
      }
      """.utf8
    ).write(to: file)
    return try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: [])
  }

  private static func values(_ store: Store, _ stage: String) throws -> [String: Double] {
    var found: [String: Double] = [:]
    for row in try store.rows(
      """
      SELECT m.name, m.value FROM stage s JOIN metric m USING (execution_id) WHERE s.name = '\(stage)'
      """)
    {
      found[try row.text("name")] = try row.number("value")
    }
    return found
  }

  private static func run(_ pipeline: Pipeline, _ folder: URL) throws -> (Store, RunSummary) {
    let store = try Store.open(folder.appending(path: "data"), .readWrite, .locus)
    let lock = try RunLock.acquire(folder.appending(path: "lock"), as: .current(pipeline: "p"))
    let summary = try Runner.run(
      try Plan(pipeline, store: store), store: store, lock: lock,
      settings: RunSettings(threads: 1, locusVersion: "test"))
    return (store, summary)
  }

  @Test("it is probed and masked; what it says is kept; where it lies is no part of its key")
  func whole() throws {
    try withTemporaryFolder { folder in
      let script = folder.appending(path: "peer.py")
      try FileManager.default.copyItem(at: Self.peer, to: script)
      let (store, run) = try runWhole(
        try Self.pipeline(folder, ", \"stderr=1\""), in: folder.appending(path: "data"))
      let made = try Self.values(store, "elsewhere")
      #expect(made[Measure.repeatDifference.name] == 0)
      #expect(made[Measure.batchDifference.name] == 0)
      #expect((made[Measure.gradientError.name] ?? 1) < 1e-3)
      // The largest window holds all: it was measured.
      #expect(try Self.values(store, "probe").count > 3)
      let events = try store.texts(
        "SELECT message FROM event WHERE run_id = ? AND message LIKE '%told by its peer%'",
        [.text(run)])
      #expect(events.contains { $0.hasPrefix("elsewhere was told by its peer: ") })
      #expect(events.contains { $0.hasPrefix("probe was told by its peer: ") })
      // The same file elsewhere, and other files.
      let other = folder.appending(path: "elsewhere")
      try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
      try FileManager.default.moveItem(at: script, to: other.appending(path: "peer.py"))
      let moved = try Self.run(
        try Self.pipeline(folder, ", \"stderr=1\"", script: "elsewhere/peer.py"), folder)
      #expect(moved.1.reused == 4 && moved.1.executed == 0)
      try (Data(contentsOf: Self.peer) + Data("# another one\n".utf8)).write(to: script)
      let changed = try Self.run(try Self.pipeline(folder, ", \"stderr=1\""), folder)
      #expect(changed.1.reused == 1, "the scenes")
      #expect(changed.1.executed == 3)
    }
  }

  @Test(
    "without gradients of its own, a probe says that it took differences, and how good they were")
  func differences() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let (store, run) = try runWhole(
        try Self.pipeline(folder, ", \"can=features\""), in: folder.appending(path: "data"))
      #expect(try Self.values(store, "elsewhere")[Measure.gradientError.name] == nil)
      let events = try store.texts(
        "SELECT message FROM event WHERE run_id = ? AND message LIKE '%no gradients%'", [.text(run)]
      )
      #expect(events.count == 1)
      #expect(
        events.first?.hasPrefix(
          "probe had no gradients of its model but differences along 1024 of 1024 directions")
          == true, "\(events)")
    }
  }

  @Test("a model that became another one is refused by whoever uses it, with what to do")
  func another() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let mark = folder.appending(path: "mark")
      let pipeline = try Self.pipeline(folder, ", \"second=\(mark.path)\"")
      let store = try Store.open(folder.appending(path: "data"), .readWrite, .locus)
      let lock = try RunLock.acquire(folder.appending(path: "lock"), as: .current(pipeline: "p"))
      let settings = RunSettings(threads: 1, locusVersion: "test")
      let made = try Runner.run(
        try Plan(pipeline, store: store, only: ["elsewhere"]), store: store, lock: lock,
        settings: settings)
      #expect(made.status == .succeeded)
      try Data().write(to: mark)
      let summary = try Runner.run(
        try Plan(pipeline, store: store), store: store, lock: lock, settings: settings)
      #expect(summary.failed == 2)
      #expect(summary.exitCode == 65)
      let errors = try store.texts("SELECT error FROM execution WHERE kind = 'probe'")
      #expect(errors.first?.contains("its identity was plain 1 and is another one") == true)
      #expect(errors.first?.contains("--force") == true)
    }
  }

  @Test(
    "what no stage knows to ask is refused as data, a missing file as missing, a missing program as unavailable"
  )
  func refused() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let vector = try Self.run(
        try Self.pipeline(folder, ", \"conditioner={\\\"vector\\\": 3}\""), folder)
      #expect(vector.1.exitCode == 65)
      let text = try vector.0.texts("SELECT error FROM execution WHERE kind = 'external'").first
      #expect(text?.contains("3 numbers that stand for nothing known") == true, "\(text ?? "")")
      try FileManager.default.removeItem(at: folder.appending(path: "peer.py"))
      #expect(throws: WorkflowError.self) {
        try Self.run(try Self.pipeline(folder, ""), folder)
      }
    }
  }
}
