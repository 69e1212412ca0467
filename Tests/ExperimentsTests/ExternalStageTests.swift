import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Synchronization
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

  /// A model of 4 × 6 × 10 that is told of three concepts, and what may be asked of it.
  private static func field(
    _ folder: URL, _ more: String = "", _ words: String = "", probe: String = ""
  ) throws
    -> Pipeline
  {
    let file = folder.appending(path: "field.json5")
    try Data(
      """
      {
        pipeline: "field", question: "Are concepts local?", seed: 3,
        stages: {
          model: {
            kind: "external", files: ["peer.py"], timeout: 60, objects: [0, 1],
            command: [
              "python3", "peer.py", "shape=4,6,10", "conditioner={\\\"set\\\": [\\\"a\\\", \\\"b\\\", \\\"c d\\\"]}",
              "batch=64", "told"\(words),
            ],
          },
          probe: {
            kind: "probe", inputs: { denoiser: "model" }, pictures: 3, pixels: 3, sigmas: [0.5, 5], steps: 2,
            projections: 2\(probe),
          },
          features: {
            kind: "features", inputs: { denoiser: "model" }, feature: "rows", draws: 6, rank: 1, places: 2,
            sigmas: [1], steps: 2, resamples: 20,
          },\(more)
        },
      }
      """.utf8
    ).write(to: file)
    return try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: [])
  }

  @Test(
    "one of another shape is probed between places and by concepts, and its features are told apart"
  )
  func otherShape() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let (store, run) = try runWhole(try Self.field(folder), in: folder.appending(path: "data"))
      let probed = try Self.values(store, "probe")
      for measure in Measure.fields
      where measure != .fieldStepError(.places) && measure != .featureEffect
        && !Measure.fieldMasks.contains(measure)
        && !Measure.fields(.pixels).contains(measure)
      {
        #expect(probed[measure.name] != nil, "\(measure.name)")
      }
      #expect(probed[Measure.fieldEndpoints.name] == 0)
      // Drawing by 3 passes; at each of two σ 3 places by 2 projections, and 2 · (1 + 2 · 2) for two concepts.
      #expect(probed[Measure.fieldPasses.name] == Double(3 * (3 + 2 * (6 + 10))))
      // F_i = ½ x_i + …, of which the next place is 1/5 of the square; and concepts that add up.
      let share = try store.rows(
        "SELECT value FROM metric WHERE name = 'field.locality' AND \"window\" = 1"
      ).map { try $0.number("value") }
      #expect(share.count == 2 && share.allSatisfy { abs($0 - 0.8) < 0.02 })
      #expect((probed[Measure.conceptRemote.name] ?? 0) > 0)
      // Each word has a channel of its own.
      let features = try Self.values(store, "features")
      #expect((features[Measure.featureDiagonal.name] ?? 0) > 0.99)
      #expect((features[Measure.featureAdditivity(.intervened).name] ?? 0) > 0.99)
      #expect(abs(features[Measure.featureMeanCosine(.intervened).name] ?? 1) < 0.01)
      let events = try store.texts("SELECT message FROM event WHERE run_id = ?", [.text(run)])
      #expect(
        events.contains { $0.hasPrefix("probe plans 105 passes of 4 × 6 × 10") }, "\(events)")
    }
  }

  @Test("told of one thing alone, a model has no pairs of words, but what telling it changes")
  func toldOneThing() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let pipeline = try Self.field(
        folder, "", ", \"gives=endpoint\", \"conditioner={\\\"vector\\\": 1}\"")
      let (store, run) = try runWhole(pipeline, in: folder.appending(path: "data"))
      let found = try store.rows(
        """
        SELECT m.name, m.attribute, m.value, m.ci_low, m.ci_high FROM stage s JOIN metric m USING (execution_id)
        WHERE s.name = 'features' ORDER BY 1
        """)
      #expect(
        try found.map { try $0.text("name") } == [
          Measure.featureEffect.name, Measure.fieldEndpoints.name,
        ])
      let effect = try #require(found.first)
      #expect(try effect.text("attribute") == "entry 1")
      let value = try effect.number("value")
      #expect(try effect.number("ci_low") <= value && value <= effect.number("ci_high"))
      #expect(value > 0.001)
      #expect(try found.last?.number("value") == 1)
      let events = try store.texts("SELECT message FROM event WHERE run_id = ?", [.text(run)])
      #expect(events.contains { $0.contains("told of one thing alone: no pairs") }, "\(events)")
    }
  }

  @Test("an activation that a model does not tell is refused with those that it does")
  func noSuchFeature() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let more = """
        other: {
          kind: "features", inputs: { denoiser: "model" }, feature: "mid", draws: 6, sigmas: [1], steps: 2,
        },
        """
      let (store, summary) = try Self.run(try Self.field(folder, more), folder)
      #expect(summary.exitCode == 65)
      let text = try store.texts(
        "SELECT error FROM execution WHERE kind = 'features' AND error IS NOT NULL"
      ).first
      #expect(
        text?.contains("does not tell the activation \"mid\", but mean, rows") == true,
        "\(text ?? "")")
    }
  }

  @Test("between pixels it is probed through encoder, noise and decoder, where it has them")
  func betweenPixels() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let (store, _) = try runWhole(
        try Self.field(folder, probe: ", picture_space: true"),
        in: folder.appending(path: "data"))
      let probed = try Self.values(store, "probe")
      for measure in Measure.fields(.pixels) {
        #expect(probed[measure.name] != nil, "\(measure.name)")
      }
      // ½ of an encoder and 2 of a decoder: the model's own Jacobian, of which the next place is 1/5.
      let share = try store.rows(
        "SELECT value FROM metric WHERE name = 'field.pixels.locality' AND \"window\" = 1"
      ).map { try $0.number("value") }
      #expect(share.count == 2 && share.allSatisfy { abs($0 - 0.8) < 0.02 }, "\(share)")
      #expect(
        probed[Measure.fieldPasses.name] == Double(3 * (3 + 2 * (6 + 10 + 2 * 3 * 2 + 2))))
      let (other, summary) = try Self.run(
        try Self.field(folder, "", ", \"can=vjp,features\"", probe: ", picture_space: true"), folder
      )
      #expect(summary.exitCode == 65)
      let text = try other.texts("SELECT error FROM execution WHERE kind = 'probe'").first
      #expect(text?.contains("does not say that it encodes and decodes") == true, "\(text ?? "")")
    }
  }

  @Test("without gradients columns of its Jacobian stand for rows; an endpoint is named as one")
  func otherShapeByDifferences() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let (store, _) = try runWhole(
        try Self.field(folder, "", ", \"can=features\", \"gives=endpoint\""),
        in: folder.appending(path: "data"))
      let probed = try Self.values(store, "probe")
      #expect(probed[Measure.fieldEndpoints.name] == 1)
      #expect((probed[Measure.fieldStepError(.places).name] ?? 1) < 0.01)
      // One step, and two passes a place and projection and two more.
      #expect(probed[Measure.fieldPasses.name] == Double(3 * (1 + 2 * (14 + 10))))
    }
  }

  @Test(
    "behind a mask it is compared with itself picture by picture, and probed as without; the identity changes no bit"
  )
  func masks() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let settings = "pictures: 3, sigmas: [0.5, 5], steps: 2, judgements: 1"
      let more = """
        region: { kind: "intervene", inputs: { denoiser: "model" }, mask: "concept", \(settings) },
        same: { kind: "intervene", inputs: { denoiser: "model" }, mask: "identity", \(settings) },
        region_probe: {
          kind: "probe", inputs: { denoiser: "region" }, pictures: 2, pixels: 2, sigmas: [0.5], steps: 2,
        },
        """
      let (store, run) = try runWhole(
        try Self.field(folder, more), in: folder.appending(path: "data"))
      let region = try Self.values(store, "region")
      for measure in Measure.fieldMasks { #expect(region[measure.name] != nil, "\(measure.name)") }
      // Every concept adds to all places alike; a quarter of them is told of none.
      #expect(abs((region[Measure.maskDeparture.name] ?? 0) - 0.5) < 0.15)
      #expect((region[Measure.maskDrawnDeparture.name] ?? 0) > 0.1)
      let same = try Self.values(store, "same")
      for measure in [Measure.maskDeparture, .maskDrawnDeparture, .maskChangedShare] {
        #expect(same[measure.name] == 0, "\(measure.name)")
      }
      #expect(same[Measure.maskShownChange.name] == 0)
      #expect(try Self.values(store, "region_probe")[Measure.conceptRemote.name] != nil)
      let masked = try store.texts(
        "SELECT mask FROM denoiser WHERE form = 'masked-field' ORDER BY 1")
      #expect(masked == ["concept", "identity"])
      let behind = try store.texts(
        "SELECT intervention FROM run_model WHERE run_id = ? AND name = 'region_probe'",
        [.text(run)])
      #expect(behind == ["region"])
      let events = try store.texts("SELECT message FROM event WHERE run_id = ?", [.text(run)])
      #expect(
        events.contains { $0.hasPrefix("region_probe plans") && $0.contains("each up to 11 of") })
    }
  }

  @Test("masks of a model's own shape are no base of another mask, and have no features to look at")
  func masksOfMasks() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      for (more, text) in [
        (
          "again: { kind: \"intervene\", inputs: { denoiser: \"region\" }, mask: \"sum\" },",
          "behind a mask"
        ),
        (
          "f: { kind: \"features\", inputs: { denoiser: \"region\" }, feature: \"rows\" },",
          "behind a mask"
        ),
      ] {
        let error = #expect(throws: (any Error).self) {
          try Self.field(
            folder,
            "region: { kind: \"intervene\", inputs: { denoiser: \"model\" }, mask: \"concept\" },"
              + more)
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains(text), "\(String(describing: error))")
      }
      // What goes by pixels is only known not to fit once the model has said what it is.
      let (store, summary) = try Self.run(
        try Self.field(
          folder,
          "pixel: { kind: \"intervene\", inputs: { denoiser: \"model\" }, mask: \"pixel\" },"),
        folder)
      #expect(summary.exitCode == 65)
      let texts = try store.texts("SELECT error FROM execution WHERE kind = 'intervene'")
      #expect(
        texts.first?.contains("accepted: identity, sum, reverse, concept") == true, "\(texts)")
    }
  }

  @Test("a probe of it that was stopped goes on to the same bytes, picture by picture")
  func resumes() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let pipeline = try Self.field(folder)
      func results(_ store: Store) throws -> [String] {
        try store.texts(
          """
          SELECT s.name || ' ' || o.role || ' ' || o.sha256 AS line FROM stage s JOIN execution_output o USING (execution_id)
          WHERE s.run_id = (SELECT id FROM run ORDER BY started_at DESC LIMIT 1) ORDER BY 1
          """)
      }
      let whole = try results(runWhole(pipeline, in: folder.appending(path: "whole")).0)
      let store = try Store.open(folder.appending(path: "data"), .readWrite, .locus)
      let notes = Mutex<[String]>([])
      var statuses: [String] = []
      for attempt in 0..<2 {
        let lock = try RunLock.acquire(folder.appending(path: "lock"), as: .current(pipeline: "p"))
        let cancellation = Cancellation()
        let summary = try Runner.run(
          try Plan(pipeline, store: store), store: store, lock: lock,
          settings: RunSettings(threads: 1, locusVersion: "test", checkpointInterval: 0),
          cancellation: cancellation
        ) { event in
          switch event {
          case .progressed(let step, let progress)
          where attempt == 0 && step.name == "probe" && progress.done == 1:
            cancellation.request(signal: SIGTERM)
          case .noted(let step, let note): notes.withLock { $0.append("\(step.name) \(note)") }
          default: break
          }
        }
        statuses.append("\(summary.status)")
      }
      #expect(statuses == ["interrupted", "succeeded"])
      #expect(notes.withLock { $0.contains { $0.hasPrefix("probe goes on from its checkpoint") } })
      #expect(try results(store) == whole)
    }
  }

  @Test("whoever needs pictures of Locus refuses it and says who does not")
  func noJudge() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let more = """
        scenes: { kind: "generate", size: 16, cells: 4, objects: [1, 2], count: 20 },
        agree: { kind: "agree", inputs: { denoiser: "model", reference: "model", scenes: "scenes" } },
        """
      let (store, summary) = try Self.run(try Self.field(folder, more), folder)
      #expect(summary.exitCode == 65)
      let text = try store.texts("SELECT error FROM execution WHERE kind = 'agree'").first
      #expect(
        text?.contains("4 × 6 × 10 (channels, height, width), told of 3 numbers") == true,
        "\(text ?? "")")
      #expect(text?.contains("The kinds `probe`, `features` and `intervene` take it") == true)
    }
  }

  @Test("a missing file is missing, and pictures are asked for where only they will do")
  func refused() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(at: Self.peer, to: folder.appending(path: "peer.py"))
      let file = folder.appending(path: "plain.json5")
      try Data(
        """
        {
          pipeline: "plain", question: "?", seed: 3,
          stages: {
            model: {
              kind: "external", files: ["peer.py"], objects: [0, 1],
              command: ["python3", "peer.py", "shape=3,16,16", "conditioner={\\\"grid\\\": 4}"],
            },
            probe: { kind: "probe", inputs: { denoiser: "model" } },
          },
        }
        """.utf8
      ).write(to: file)
      let plain = try Self.run(
        try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: []), folder)
      #expect(plain.1.exitCode == 65)
      let text = try plain.0.texts("SELECT error FROM execution WHERE kind = 'probe'").first
      #expect(text?.contains("`inputs.scenes` is missing") == true, "\(text ?? "")")
      try FileManager.default.removeItem(at: folder.appending(path: "peer.py"))
      #expect(throws: WorkflowError.self) {
        try Self.run(try Self.pipeline(folder, ""), folder)
      }
    }
  }
}
