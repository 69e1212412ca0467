import Artifacts
// Proves that no mutated file of any kind traps or hangs a reader: each is read or refused.
import Foundation
import Measures
import Mutations
import Streams
import Testing
import Workflow

@testable import Diffusion
@testable import Evaluation
@testable import Experiments
@testable import Formats
@testable import Lineage
@testable import Scenes
@testable import Tensors

/// Proves that no file from outside, however damaged, traps a reader, hangs it or is refused without
/// words: ten thousand mutations of each kind of file, and every input that ever failed.
@Suite("Mutated files are read or refused", .timeLimit(.minutes(10)))
struct MutationTests {
  static let cases = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases")

  /// The committed inputs of a kind, which are named KIND-what-it-was.ending.
  static func cases(_ kind: String) throws -> [Data] {
    try FileManager.default.contentsOfDirectory(atPath: cases.path).sorted()
      .filter { $0.hasPrefix(kind + "-") }.map { try Data(contentsOf: cases.appending(path: $0)) }
  }

  /// Longer than this for an input of some kilobytes is a hang.
  private func read(_ body: () throws -> Void) rethrows {
    let start = ContinuousClock.now
    try body()
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  private func tryAll(_ kind: String, _ samples: [Data], _ body: (Data) throws -> Void) throws {
    for sample in samples { try body(sample) }
    for input in try Self.cases(kind) { try read { try body(input) } }
    try forEachMutation(of: samples, kind: kind) { input in try read { try body(input) } }
  }

  // MARK: - Pipelines

  @Test("pipeline files")
  func pipelines() throws {
    let study = """
      { pipeline: "p", question: "q", seed: 1, // comment
        stages: {
          scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 20 },
          judge: { kind: "judge", size: 16, cells: 8 },
          model: { kind: "train", inputs: { scenes: "scenes" }, pictures: 64,
            matrix: { labelling: ["all", "single"], exclude: [{ labelling: "all" }] },
            network: { type: "local", width: 8, dilations: [1, 2] } },
          drawn: { kind: "evaluate", inputs: { denoiser: "model[labelling=single]", judge: "judge" } },
          end: { kind: "compare", inputs: { evaluations: ["drawn"] } },
        } }
      """
    try tryAll("pipeline", [Data(study.utf8)]) { input in
      do {
        let pipeline = try Pipeline.parse(
          bytes: [UInt8](input), path: "p.json5", kinds: Experiments.stageKinds)
        #expect(try Plan(pipeline, store: nil).steps.count == pipeline.instances.count)
        for instance in pipeline.instances { #expect(isPlainName(instance.stage)) }
        #expect(isPlainName(pipeline.name))
      } catch let error as WorkflowError {
        #expect(error.exitCode == ExitCode.badData)
        #expect(error.description.hasPrefix("p.json5:"))
      }
    }
  }

  // MARK: - scenes.json

  @Test("scenes.json")
  func scenes() throws {
    let settings = SceneSettings(
      camera: .overhead, size: 16, cells: 8, rules: LayoutRules(objects: 1...3))
    let scenes = try (0..<2).map { try makeScene(settings, seed: 3, index: $0, purpose: .scenes) }
    try tryAll("scenes", [CLEVRFormat.data(scenes, settings: settings)]) { input in
      do {
        var reader = try CLEVRReader(HeldBytes(input))
        while let scene = try reader.next() {
          #expect(!scene.picture.contains("/") && scene.objects.count <= CLEVRFile.mostObjects)
        }
      } catch let error as FormatError {
        #expect(error.description.contains("scenes.json"))
      }
    }
  }

  // MARK: - Arrays

  /// As a stage meets them: the array itself, then what is made of it.
  @Test("npy, alone and as rendered pictures")
  func arrays() throws {
    let pixels = try NPYArray(
      shape: [2, 8, 8, 3], elements: .uint8([UInt8](repeating: 7, count: 384))
    ).npyData()
    let grids = try NPYArray(
      shape: [2, 4, 4], elements: .uint8([UInt8](repeating: 1, count: 32))
    ).npyData()
    let floats = try NPYArray(shape: [3], elements: .float32([1, 2, 3])).npyData()
    try withFolder { folder in
      let files = ["pixels": pixels, "conditioners": grids]
      for (name, data) in files { try data.write(to: folder.appending(path: name)) }
      func file(_ name: String) -> StageFile {
        StageFile(url: folder.appending(path: name), sha256: name)
      }
      let changed = folder.appending(path: "changed")
      var isPixels = false
      try tryAll("npy", [pixels, grids, floats]) { input in
        if let array = try? NPYArray(npy: input) {
          #expect(array.shape.reduce(1, &*) == array.elements.count)
        }
        isPixels.toggle()
        try input.write(to: changed)
        do {
          let files =
            isPixels
            ? try PictureFiles(
              pixels: file("changed"), conditioners: file("conditioners"), space: .grid(cells: 4))
            : try PictureFiles(
              pixels: file("pixels"), conditioners: file("changed"), space: .grid(cells: 4))
          let set = try files.trainingSet
          #expect(set.pixels.count == set.count * set.shape.pictureCount)
        } catch let error as ArtifactError {
          #expect(error.exitCode == ExitCode.badData)
        } catch is TrainingError {
        }
      }
    }
  }

  // MARK: - Pictures

  /// A PNG file whose chunks have the sums that fit them, as far as there are chunks.
  private func summed(_ file: Data) -> Data {
    var bytes = [UInt8](file)
    var place = 8
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - place - 12 else { break }
      let end = place + 8 + length
      var sum = CRC32()
      sum.update(bytes[place + 4..<end])
      for i in 0..<4 { bytes[end + i] = UInt8(truncatingIfNeeded: sum.value >> UInt32(24 - 8 * i)) }
      place = end + 4
    }
    return Data(bytes)
  }

  @Test("PNG, as it is and with sums that fit the change")
  func pictures() throws {
    let folder = Self.cases.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "FormatsTests/PngSuite")
    let samples = try [
      "basn0g01", "basn2c08", "basn3p04", "ibasn6a08", "iftbbn2c16", "ftbbn3p08", "basn4a16",
    ].map { try Data(contentsOf: folder.appending(path: $0 + ".png")) }
    var turn = 0
    try tryAll("png", samples) { input in
      turn += 1
      do {
        let picture = try PNGImage(png: turn % 4 == 0 ? input : summed(input), over: (9, 9, 9))
        #expect(picture.pixels.count == picture.width * picture.height * 3)
      } catch let error as FormatError {
        #expect(error.description.contains("PNG"))
      }
    }
  }

  @Test("npz: every array of an archive, stored and deflated")
  func archives() throws {
    let array = try NPYArray(
      shape: [2, 8, 8, 3], elements: .uint8((0..<384).map { UInt8($0 % 7) })
    ).npyData()
    let places = try NPYArray(shape: [2, 2], elements: .float32([0, 1, 0.5, 0.25])).npyData()
    let samples = [false, true].map {
      zipArchive([("ims.npy", array), ("coords_labels.npy", places)], deflated: $0)
    }
    try tryAll("npz", samples) { input in
      do {
        let archive = try ZipArchive(input, format: "npz")
        for entry in archive.entries {
          var content = try archive.content(of: entry)
          let header = try NPYHeader { count throws(FormatError) in try content.read(count) }
          let rest = try content.read(content.left)
          #expect(rest.count <= entry.size && entry.size <= 1032 * (input.count + 1))
          _ = header.bytes
        }
      } catch let error as FormatError {
        #expect(!error.description.isEmpty)
      }
    }
  }

  // MARK: - Weights

  static func weights() throws -> Data {
    let network = try Network(
      NetworkDescription(.local(width: 4, dilations: [1]), shape: PictureShape(size: 8, cells: 4)))
    let weights = network.graph.makeWeights()
    weights.initialize(seed: 1, purpose: .scenes)
    return WeightsFile(
      denoiser: NetworkDenoiser(network: network, weights: weights),
      origin: TrainingOrigin(labelling: .single, objects: 1...3)
    ).data()
  }

  @Test("safetensors, as tensors, as a denoiser that is then run, and as a judge")
  func safetensors() throws {
    let file = try Safetensors(data: Self.weights())
    let small = Safetensors(
      tensors: [
        "a": .init(shape: [2, 2], values: [1, 2, 3, 4]), "b": .init(shape: [], values: [5]),
      ],
      metadata: ["k": "v"])
    let batch = NoisedBatch(
      x: [Float](repeating: 0.1, count: 192), sigma: [1], labels: [Float](repeating: 0, count: 16))
    let samples = [small.data(), file.data()]
    var accepted = 0
    try tryAll("safetensors", samples) { input in
      do {
        let tensors = try Safetensors(data: input).tensors
        #expect(tensors.values.reduce(0) { $0 + $1.values.count * 4 } <= input.count)
      } catch let error as FormatError {
        #expect(error.description.contains("safetensors"))
      }
      if let read = try? WeightsFile(data: input) {
        accepted += 1
        // Running it takes longer than reading it: some are enough.
        if accepted % 16 == 0, read.denoiser.shape == PictureShape(size: 8, cells: 4) {
          #expect(try read.denoiser.denoise(batch, threads: 1).count == 192)
        }
      }
      _ = try? JudgeFile(data: input)
    }
  }

  // MARK: - Receipts

  private func sealed(_ content: Data) -> Data {
    Data("{\"sha256\":\"\(SHA256.hash(content))\",\"content\":".utf8) + content + Data("}\n".utf8)
  }

  /// With a hash that fits, so that the mutation is seen by more than the check of the hash.
  @Test("receipts, sealed anew after the change, into the tables")
  func receipts() throws {
    try withFolder { folder in
      let store = try Store.open(folder, .readWrite, .locus)
      var execution = ExecutionRecord(
        key: String(repeating: "ab", count: 32), kind: "train",
        parameters: .object(["width": .integer(8), "list": .array([.number(0.5), .null])]), seed: 7,
        inputs: [])
      execution.id = "abababababababab-1"
      execution.status = "succeeded"
      execution.metrics = [
        MetricRow(
          name: "loss", value: 0.5, dimensions: ["pictures": .integer(1), "k": .integer(3)],
          subject: "x", ciLow: 0, ciHigh: 1)
      ]
      execution.tables = OutcomeRow.tables([
        OutcomeRow(k: 1, layout: 0, seed: 1, requested: 1, found: 1, drawn: 1, exact: true)
      ])
      execution.outputs = [ArtifactReference(role: "weights", sha256: SHA256.hash(Data()))]
      execution.artifacts = [
        ArtifactRecord(
          sha256: SHA256.hash(Data()), kind: "weights", mediaType: "x", bytes: 0, createdAt: "now")
      ]
      let run = try store.beginRun(
        pipeline: "study", path: "p", source: "{}", trigger: "test", seed: 1, host: "h",
        locusVersion: "0", gitCommit: nil)
      try store.recordEvent(runID: run, executionID: nil, level: "warning", message: "m")
      let encoder = JSONEncoder()
      let samples = try [encoder.encode(execution), encoder.encode(try store.run(run))]
      let places = [
        folder.appending(path: "\(Receipt.executions)/\(execution.id).json"),
        folder.appending(path: "\(Receipt.runs)/\(run).json"),
      ]
      try FileManager.default.createDirectory(
        at: places[0].deletingLastPathComponent(), withIntermediateDirectories: true)
      var turn = 0
      try tryAll("receipt", samples) { content in
        turn += 1
        do {
          // In turns as what it is and as the other.
          try sealed(content).write(to: places[turn % 2])
          try store.database.transaction { () throws(StoreError) in
            if turn % 2 == 0 {
              let record = try Receipt.read(ExecutionRecord.self, from: places[0])
              try ExecutionRow.insert(record, into: store.database, store.vocabulary)
            } else {
              var record = try Receipt.read(RunRecord.self, from: places[1])
              #expect(isPlainName(record.pipeline, most: 128))
              record.id += "x"
              try RunRow.insert(record, into: store.database)
            }
            throw .busy(path: "roll back")
          }
        } catch let error as StoreError {
          #expect([64, 65, 75].contains(error.exitCode), "\(error)")
        }
      }
      // With a hash that does not fit nothing is believed.
      for content in samples {
        var mutator = Mutator(seed: 5)
        for _ in 0..<100 {
          let changed = mutator.mutate(sealed(content))
          if changed == sealed(content) { continue }
          try changed.write(to: places[0])
          #expect(throws: StoreError.self) {
            try Receipt.read(ExecutionRecord.self, from: places[0])
          }
        }
      }
    }
  }
}
