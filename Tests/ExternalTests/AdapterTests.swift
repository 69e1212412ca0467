import Diffusion
import Foundation
import Interventions
import Probing
import Streams
import Tensors
import Testing

@testable import External

/// `LOCUS_PYTHON` names an interpreter that has the packages: PyTorch, onnxruntime, adaptive-terrain-diffusion.
enum Adapters {
  static let python = ProcessInfo.processInfo.environment["LOCUS_PYTHON"] ?? Peers.python ?? ""
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func has(_ packages: String) -> Bool { output("import \(packages)") != nil }

  static func output(_ script: String) -> String? {
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = ["-c", script]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { return nil }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0
      ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
  }

  /// A folder that holds adapters and what is beside them.
  static func folder(_ files: [String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for file in files {
      let source = root.appending(path: file)
      try FileManager.default.copyItem(
        at: source, to: folder.url.appending(path: source.lastPathComponent))
    }
    return folder
  }
}

/// A network of Locus, and the same one in PyTorch behind the protocol.
private struct Twins {
  static let shape = PictureShape(size: 16, cells: 4)
  static let architectures: [NetworkDescription.Architecture] = [
    .local(width: 8, dilations: [1, 2]),
    .unet(width: 8, conditioning: .grid, normalization: .group, attention: true),
    .unet(width: 8, conditioning: .grid, normalization: .pixel, attention: false),
    .unet(width: 8, conditioning: .grid, normalization: .pixel, attention: true, middle: 2),
  ]

  let own: NetworkDenoiser
  let theirs: ExternalDenoiser
  private let folder: TemporaryFolder

  init(_ architecture: NetworkDescription.Architecture) throws {
    own = try untrainedDenoiser(NetworkDescription(architecture, shape: Self.shape), seed: 4)
    folder = try Adapters.folder([
      "Pipelines/adapters/torch_denoiser.py", "Pipelines/adapters/locus_peer.py",
      "Pipelines/adapters/locus_tensors.py", "Pipelines/adapters/locus_weights.py",
      "Tests/Reference/locus_torch.py",
    ])
    try WeightsFile(
      denoiser: own, origin: TrainingOrigin(labelling: .single, objects: 1...3)
    ).data().write(to: folder.url.appending(path: "weights.safetensors"))
    theirs = try ExternalDenoiser(
      Peer(
        PeerCommand(
          [
            Adapters.python, "torch_denoiser.py", "locus_weights.py", "--argument",
            "weights.safetensors", "--batch", "256",
          ], in: folder.url.path)))
  }

  /// Pictures of two or three labels each.
  static func batch(_ count: Int) -> NoisedBatch {
    var stream = RandomStream(seed: 8, purpose: .test, index: 0)
    var labels = [Float](repeating: 0, count: count * shape.conditionerCount)
    for n in 0..<count {
      for cell in [0, 15, 5 + n % 3] { labels[n * shape.conditionerCount + cell] = 1 }
    }
    return NoisedBatch(
      x: (0..<count * shape.pictureCount).map { _ in stream.gaussian() },
      sigma: (0..<count).map { [0.3, 2, 20][$0 % 3] }, labels: labels,
      draws: (0..<count).map { UInt64($0) })
  }

  /// The largest difference, over the largest value.
  static func difference(_ a: [Float], _ b: [Float]) -> Float {
    if a.count != b.count { return .infinity }
    let largest = a.reduce(0) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(largest, 1e-20)
  }

  static func difference(_ a: [Double], _ b: [Double]) -> Float {
    difference(a.map(Float.init), b.map(Float.init))
  }
}

@Suite("PyTorch behind the protocol", .serialized)
struct TorchAdapterTests {
  private static let isHere = Adapters.has("torch, numpy")

  @Test(
    "a network of Locus gives in PyTorch what it gives here: pictures, gradients, probes and every mask",
    .enabled(if: isHere, "PyTorch is not here: pip install torch numpy, and set LOCUS_PYTHON"),
    arguments: Twins.architectures.indices)
  func agreement(_ index: Int) throws {
    let twins = try Twins(Twins.architectures[index])
    #expect(twins.theirs.shape == Twins.shape)
    #expect(twins.theirs.labelWindowArea == twins.own.labelWindowArea)
    var largest: [String: Float] = [:]
    func compare<T>(_ what: String, _ a: T, _ b: T, _ difference: (T, T) -> Float) {
      largest[what] = max(largest[what] ?? 0, difference(a, b))
    }
    let batch = Twins.batch(6)
    let clean = try twins.own.denoise(batch, threads: 1)
    compare("D", clean, try twins.theirs.denoise(batch, threads: 1), Twins.difference)
    let a = try twins.own.vectorJacobian(batch, cotangent: clean, threads: 1)
    let b = try twins.theirs.vectorJacobian(batch, cotangent: clean, threads: 1)
    compare("gradients by pixels", a.x, b.x, Twins.difference)
    compare("gradients by labels", a.labels, b.labels, Twins.difference)

    let data = ProbePictures(
      pictures: batch.x.map { min(max($0, -1), 1) }, labels: batch.labels, k: 3)
    let settings = ProbeSettings(sigmas: [1], pixelsPerPicture: 2)
    let mine = try probeLocality(twins.own, data, settings, seed: 2, threads: 1)
    let theirs = try probeLocality(twins.theirs, data, settings, seed: 2, threads: 1)
    for (a, b) in zip(mine, theirs) {
      compare("shares of pixels", a.pixel.map(\.value), b.pixel.map(\.value), Twins.difference)
      compare(
        "shares of labels", (a.conditioner ?? []).map(\.value),
        (b.conditioner ?? []).map(\.value), Twins.difference)
      compare("sensitivity map", a.map, b.map, Twins.difference)
    }
    let inputs = RemoteInputs(batch: batch, others: batch.x.reversed())
    let remote = RemoteSettings(window: 5, objectReach: 2)
    let own = try remoteChanges(twins.own, inputs, remote, seed: 1, threads: 1)
    let other = try remoteChanges(twins.theirs, inputs, remote, seed: 1, threads: 1)
    compare("remote changes: own", own.map(\.own), other.map(\.own), Twins.difference)
    // Of a local network they are 0, and of the other rounding.
    let scale = own.map(\.own).max() ?? 1
    for part in [\RemoteChanges.swapped, \.removed, \.moved, \.single] {
      let differences = zip(own, other).map { abs($0[keyPath: part] - $1[keyPath: part]) / scale }
      largest["remote changes"] = max(
        largest["remote changes"] ?? 0, Float(differences.max() ?? 0))
    }
    // These two are done inside a network.
    for name in MaskSpecification.Name.allCases where ![.path, .features].contains(name) {
      for keep in MaskSpecification.Keep.allCases where keep == .near || name == .conditioner {
        let mask = MaskSpecification(
          mask: name, labels: name == .conditioner ? 2 : 1, keep: keep, radius: 6, seed: 7)
        func masked(_ base: any Denoiser) throws -> [Float] {
          try MaskedDenoiser(
            base: base, specification: mask, fill: [Float](clean[..<Twins.shape.pictureCount])
          ).denoise(batch, threads: 1)
        }
        compare(
          "mask \(name.rawValue)", try masked(twins.own), try masked(twins.theirs),
          Twins.difference)
      }
    }
    for (what, difference) in largest { #expect(difference < 1e-4, "\(what): \(difference)") }
    print(
      "in PyTorch, network \(index): "
        + largest.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        .joined(separator: ", "))
  }
}

@Suite("ONNX behind the protocol", .serialized)
struct ONNXAdapterTests {
  private static let model =
    Adapters.has("onnxruntime, numpy")
    ? Adapters.output(
      """
      import glob, importlib.util, os
      folder = os.path.dirname(importlib.util.find_spec("terrain_diffusion").origin)
      print(glob.glob(os.path.join(folder, "weights", "*.onnx"))[0])
      """) : nil

  @Test(
    "tensors that a graph has on its way become outputs, without the package onnx",
    .enabled(
      if: Adapters.has("onnxruntime, numpy"),
      "onnxruntime is not here: pip install onnxruntime numpy, and set LOCUS_PYTHON"))
  func graphTensors() throws {
    let folder = try Adapters.folder(["Pipelines/adapters/onnx_graph.py"])
    // y = −max(x, 0), by a node that gives `h` and one that gives `y`: written field by field.
    let found = Adapters.output(
      """
      import sys
      sys.path.insert(0, "\(folder.url.path)")
      import numpy, onnxruntime
      from onnx_graph import field, telling, tensors
      def node(kind, x, y): return field(1, field(1, x) + field(2, y) + field(4, kind))
      def number(place, value): return bytes([place << 3, value])
      def array(name): return field(1, name) + field(2, field(1, number(1, 1) + field(2, field(1, number(1, 2)))))
      graph = (node(b"Relu", b"x", b"h") + node(b"Neg", b"h", b"y") + field(2, b"g" * 300)
               + field(11, array(b"x")) + field(12, array(b"y")))
      model = number(1, 8) + field(8, number(2, 13)) + field(7, graph)
      x = numpy.array([-1, 2], "f4")
      def session(model):
          return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
      plain, told = session(model), session(telling(model, ["h"]))
      print(tensors(model), [o.name for o in told.get_outputs()], plain.run(["y"], {"x": x})[0].tolist(),
            [a.tolist() for a in told.run(["h", "y"], {"x": x})])
      """)
    #expect(found == "['h', 'y'] ['y', 'h'] [-0.0, -2.0] [[0.0, 2.0], [-0.0, -2.0]]")
  }

  /// A one-step consistency model: what it gives is like a sample, not a posterior mean.
  @Test(
    "a trained U-Net of height maps, 1 × 128 × 128 and told of a difficulty, answers through the protocol",
    .enabled(
      if: model != nil,
      "it is not here: pip install onnxruntime; pip install --no-deps adaptive-terrain-diffusion; set LOCUS_PYTHON"
    ))
  func terrain() throws {
    let folder = try Adapters.folder([
      "Pipelines/adapters/onnx_denoiser.py", "Pipelines/adapters/onnx_graph.py",
      "Pipelines/adapters/locus_peer.py",
    ])
    func started(_ more: String...) throws -> Peer {
      try Peer(
        PeerCommand(
          [
            Adapters.python, "onnx_denoiser.py", Self.model ?? "", "--x", "noisy", "--labels",
            "difficulty", "--shape", "1,128,128", "--vector", "1",
            "--endpoint",
          ] + more, in: folder.url.path))
    }
    let peer = try started()
    #expect(peer.hello.shape == [1, 128, 128])
    #expect(peer.hello.conditioner == .vector(count: 1))
    #expect(peer.hello.noise == .sigma(low: 0.002, high: 80))
    #expect(peer.hello.abilities.isEmpty)
    #expect(throws: MisfitError.self) { try ExternalDenoiser(peer) }
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    let x = (0..<128 * 128).map { _ in 80 * stream.gaussian() }
    let start = ContinuousClock.now
    func map(_ difficulty: Float) throws -> [Float] {
      try peer.denoise(Peer.Batch(x: x, levels: [80], labels: [difficulty]))
    }
    let easy = try map(0.1)
    let time = ContinuousClock.now - start
    #expect(try map(0.1) == easy, "the same request gives the same bytes")
    let hard = try map(0.9)
    let change = zip(easy, hard).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(change > 0.01)
    // With activations, whose session is another one, D stays as it is.
    let looked = try started("--features", "add_430,add_3377")
    #expect(looked.hello.features.map(\.name) == ["add_430", "add_3377"])
    let deepest = try #require(looked.hello.features.last)
    #expect(deepest.shape.count == 3 && deepest.places < 128 * 128)
    func activation(_ difficulty: Float) throws -> [Float] {
      let batch = Peer.Batch(x: x, levels: [80], labels: [difficulty])
      #expect(try looked.denoise(batch) == peer.denoise(batch))
      return try looked.features(batch, names: [deepest.name])[deepest.name] ?? []
    }
    let told = try activation(0.9)
    #expect(try told.count == deepest.count && told != activation(0))
    let unknown = #expect(throws: PeerError.self) { try started("--features", "add_43O") }
    #expect(
      "\(unknown.map { "\($0)" } ?? "")".contains(
        "no node of the graph gives 'add_43O'; accepted: add_43"))
    // As a model of a shape of its own it is probed by columns of its Jacobian, for it gives no gradients.
    let model = PeerModel(peer)
    #expect(!model.hasGradients && model.givesEndpoints)
    var fields = FieldBatch()
    fields.append(x.map { $0 / 80 }, 1, [0.9])
    let found = try FieldProbe(places: 2, projections: 1).measure(model, fields, seed: 1)
    #expect((found.stepError ?? 1) < 0.5)
    let near = found.shares[8].value
    #expect(near > 2 * found.even[8], "what is near matters more than its share of the places")
    print(
      "a height map took \(time); difficulty changes it by up to \(change); \(near) within 17 of 128 places, step"
        + " \(found.stepError ?? 0)")
  }
}
