import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

/// Proves that the exact posterior is one, by a machine that is another, and that what does not fit is refused.
@Suite("Exact posteriors and errors of scores")
struct PosteriorTests {
  private static func pipeline(_ folder: URL, _ stages: String) throws -> Pipeline {
    let file = folder.appending(path: "posterior.json5")
    try Data(
      """
      {
        pipeline: "posterior", question: "How far is it from the exact score?", seed: 3,
        stages: { \(stages) },
      }
      """.utf8
    ).write(to: file)
    return try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: [])
  }

  /// The machine that has the whole picture for its window is the posterior over its training pictures: with
  /// many of them, and few conditions, that of their law.
  @Test("a machine with all pictures of a law is close to it, and one without any training is not")
  func machine() throws {
    try withTemporaryFolder { folder in
      let pipeline = try Self.pipeline(
        folder,
        """
        scenes: { kind: "generate", size: 16, cells: 2, objects: [1, 2], count: 3000 },
        machine: {
          kind: "analytic", inputs: { scenes: "scenes" }, matrix: { labelling: ["all", "single"] },
          radius: 15, counts: [1],
        },
        nothing: {
          kind: "untrained", inputs: { scenes: "scenes" }, network: { type: "unet", width: 4 },
          matrix: { labelling: ["all", "single"] },
        },
        posterior: {
          kind: "posterior", inputs: { scenes: "scenes" }, matrix: { labelling: ["all", "single"] },
          counts: [1, 2, 3], layouts: 3, references: 600, sigmas: [20, 5],
        },
        machine_error: {
          kind: "score-error", inputs: { denoiser: "machine", posterior: "posterior" },
        },
        nothing_error: {
          kind: "score-error", inputs: { denoiser: "nothing", posterior: "posterior" },
        },
        """)
      let (store, _) = try runWhole(pipeline, in: folder.appending(path: "data"))
      func rows(_ stage: String, _ measure: Measure) throws -> [(k: Int?, value: Double)] {
        try store.rows(
          """
          SELECT m.k, m.value FROM stage s JOIN metric m USING (execution_id)
          WHERE s.name = ? AND m.name = ? ORDER BY m.k
          """, [.text(stage), .text(measure.name)]
        ).map { (try $0.optionalInteger("k"), try $0.number("value")) }
      }
      for (labelling, on, off) in [("all", [1, 2], [3]), ("single", [1], [2, 3])] {
        let own = try rows("machine_error[labelling=\(labelling)]", .scoreErrorOn)
        #expect(own.compactMap(\.k) == on)
        // It has a few hundred pictures of a condition, and the noise of the posterior's own drops out.
        #expect(own.allSatisfy { $0.value < 0.1 && $0.value > -0.02 }, "\(own)")
        #expect(
          try rows("machine_error[labelling=\(labelling)]", .scoreErrorOff).compactMap(\.k) == off)
        let others = try rows("nothing_error[labelling=\(labelling)]", .scoreErrorOn)
        #expect(others.allSatisfy { $0.value > 0.5 }, "\(others)")
      }
    }
  }

  @Test("equal seeds give equal posteriors and errors, by one thread and by two")
  func threads() throws {
    func manifests(_ threads: Int) throws -> [String] {
      try withTemporaryFolder { folder in
        let pipeline = try Self.pipeline(
          folder,
          """
          scenes: { kind: "generate", size: 8, cells: 4, objects: [1, 2], count: 20 },
          model: {
            kind: "untrained", inputs: { scenes: "scenes" }, labelling: "subset",
            network: { type: "local", width: 4, dilations: [1] },
          },
          posterior: {
            kind: "posterior", inputs: { scenes: "scenes" }, labelling: "subset", counts: [1, 3],
            layouts: 2, references: 200, sigmas: [10, 2], draws: 1, effective: 3,
          },
          error: { kind: "score-error", inputs: { denoiser: "model", posterior: "posterior" } },
          """)
        let (store, _) = try runWhole(
          pipeline, in: folder.appending(path: "data"), threads: threads)
        return try store.rows(
          """
          SELECT o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
          WHERE s.name IN ('posterior', 'error') ORDER BY s.name, o.role
          """
        ).map { try $0.text("sha256") }
      }
    }
    let one = try manifests(1)
    #expect(one.count == 11)
    #expect(try manifests(2) == one)
  }

  @Test(
    "what has no exact answer, or not these, is refused before any work",
    arguments: [
      (
        "last: { kind: 'posterior', inputs: { scenes: 'scenes' }, labelling: 'none' }",
        "labelling: found \"none\""
      ),
      (
        "last: { kind: 'posterior', inputs: { scenes: 'scenes' }, references: 101 }",
        "an even number"
      ),
      (
        "last: { kind: 'posterior', inputs: { scenes: 'scenes' }, references: 30 }",
        "effective: found 20.0, accepted: up to half of `references`, 15"
      ),
      (
        "last: { kind: 'posterior', inputs: { scenes: 'scenes' }, counts: [2, 2] }",
        "a K stands twice"
      ),
      ("last: { kind: 'posterior', inputs: { scenes: 'coarse' }, counts: [5] }", "counts: found 5"),
      (
        "last: { kind: 'posterior', inputs: { scenes: 'words' } }",
        "layouts are asked for by places"
      ),
      (
        "last: { kind: 'score-error', inputs: { denoiser: 'large', posterior: 'posterior' } }",
        "inputs.posterior: denoiser and posterior differ: 32 px and 16 px"
      ),
      (
        "last: { kind: 'score-error', inputs: { denoiser: 'cells', posterior: 'posterior' } }",
        "inputs.posterior: denoiser and posterior differ: conditioners of 2×2 cells and of 8×8 cells"
      ),
      (
        "last: { kind: 'score-error', inputs: { denoiser: 'single', posterior: 'posterior' } }",
        "told of objects by \"single\", the posterior is of \"all\""
      ),
      (
        "last: { kind: 'score-error', inputs: { denoiser: 'more', posterior: 'posterior' } }",
        "trained on [1, 5] objects, the posterior is of [1, 2]"
      ),
    ])
  func refused(_ last: String, _ message: String) {
    let text = """
      { pipeline: 'p', question: 'q', seed: 1, stages: {
        scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20 },
        others: { kind: 'generate', size: 32, cells: 8, objects: [1, 2], count: 20 },
        coarse: { kind: 'generate', size: 16, cells: 2, objects: [1, 2], count: 20 },
        many: { kind: 'generate', size: 16, cells: 8, objects: [1, 5], count: 20 },
        words: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20, conditioner: 'colors' },
        posterior: { kind: 'posterior', inputs: { scenes: 'scenes' } },
        large: { kind: 'untrained', inputs: { scenes: 'others' }, network: { type: 'unet' } },
        cells: { kind: 'untrained', inputs: { scenes: 'coarse' }, network: { type: 'unet' } },
        more: { kind: 'untrained', inputs: { scenes: 'many' }, network: { type: 'unet' } },
        single: { kind: 'untrained', inputs: { scenes: 'scenes' }, labelling: 'single', network: { type: 'unet' } },
        \(last),
      } }
      """
    #expect {
      try Pipeline.parse(
        bytes: Array(text.utf8), path: "p.json5", kinds: Experiments.stageKinds)
    } throws: {
      "\($0)".contains(message)
    }
  }

  @Test("pictures of another program, whose law nobody knows, are refused")
  func foreign() throws {
    try withTemporaryFolder { folder in
      let pixels = NPYArray.ElementType.uint8
      try (NPYArray.header(shape: [1, 16, 16, 3], pixels) + Data(count: 768)).write(
        to: folder.appending(path: "p.npy"))
      try
        (NPYArray.header(shape: [1, 4, 4], pixels) + Data([1] + [UInt8](repeating: 0, count: 15)))
        .write(to: folder.appending(path: "c.npy"))
      let pipeline = try Self.pipeline(
        folder,
        """
        scenes: { kind: "import-arrays", pixels: "p.npy", conditioners: "c.npy", objects: [1, 2] },
        posterior: { kind: "posterior", inputs: { scenes: "scenes" }, counts: [1], references: 40 },
        """)
      let store = try Store.open(folder.appending(path: "data"), .readWrite, .locus)
      let lock = try RunLock.acquire(folder.appending(path: "lock"), as: .current(pipeline: "p"))
      let summary = try Runner.run(
        try Plan(pipeline, store: store), store: store, lock: lock,
        settings: RunSettings(threads: 1, locusVersion: "test"))
      #expect(summary.status == .failed)
      let errors = try store.rows("SELECT error FROM execution WHERE kind = 'posterior'")
        .map { try $0.text("error") }
      #expect(errors.count == 1 && errors[0].contains("not laid out by `generate`"), "\(errors)")
    }
  }

  @Test("a posterior whose arrays are not those that it describes is refused")
  func damaged() throws {
    try withTemporaryFolder { folder in
      func file(_ name: String, _ data: Data) throws -> StageFile {
        let url = folder.appending(path: name)
        try data.write(to: url)
        return StageFile(url: url, sha256: name)
      }
      func array(_ shape: [Int], _ elements: NPYArray.Elements) throws -> Data {
        try NPYArray(shape: shape, elements: elements).npyData()
      }
      func floats(_ shape: [Int]) throws -> Data {
        try array(shape, .float32([Float](repeating: 0, count: shape.reduce(1, *))))
      }
      let scenes = PictureSetManifest(
        camera: .overhead, size: 8, space: .grid(cells: 2), objects: 1...2, count: 1, pixels: "p",
        conditioners: "c", scenes: "s")
      let manifest = PosteriorManifest(
        scenes: scenes, labelling: .all, onTraining: [1], references: 10, effective: 2,
        inputs: "inputs", sigmas: "sigmas", labels: "labels", requests: "requests", first: "first",
        second: "second", effectives: "effectives", mean: "mean")
      func read(_ change: (name: String, data: Data)?) throws -> PosteriorArtifact {
        var files = [
          "inputs": try floats([1, 8, 8, 3]), "labels": try floats([1, 2, 2]),
          "first": try floats([1, 8, 8, 3]), "second": try floats([1, 8, 8, 3]),
          "mean": try floats([8, 8, 3]), "sigmas": try array([1], .float64([2])),
          "requests": try array([1, 2], .int64([1, 0])),
          "effectives": try array([1, 2], .float64([5, 1])),
        ]
        if let change { files[change.name] = change.data }
        for (name, data) in files { _ = try file(name, data) }
        return try PosteriorArtifact(file("manifest", manifest.data())) {
          StageFile(url: folder.appending(path: $0), sha256: $0)
        }
      }
      let sound = try read(nil)
      #expect(sound.count == 1 && sound.counts == [1] && !sound.isKept(0))
      for change in [
        ("inputs", try floats([1, 8, 8, 1])), ("first", try floats([2, 8, 8, 3])),
        ("mean", try floats([8, 8])), ("labels", try floats([1, 4, 4])),
        ("sigmas", try array([1], .float64([0]))), ("sigmas", try floats([1])),
        ("requests", try array([1], .int64([1]))), ("effectives", try floats([1, 2])),
      ] {
        #expect(throws: ArtifactError.self) { try read(change) }
      }
    }
  }
}
