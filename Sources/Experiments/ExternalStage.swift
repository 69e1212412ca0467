import Artifacts
import Diffusion
import External
import Formats
import Foundation
import Lineage
import Measures
import Streams
import Workflow

/// `external`: a model that another program computes, by the protocol of `Sources/External/README.md`.
///
/// What the program needs comes into the store, so that the artifact is whole: whoever uses it starts the
/// program anew beside just these files, and refuses one that says that it is another model.
enum ExternalStage {
  struct Options: Settings {
    @Setting(
      count: 1...64,
      "the program and its arguments, without a shell; it starts in a folder that holds `files`")
    var command: [String]
    @Setting(
      count: 0...64, default: [],
      "files and folders that the program needs; a path counts from the pipeline file's folder")
    var files: [String]
    @Setting(Shared.labelling) var labelling: Labelling
    @Setting(each: 0...12, count: 2...2, "fewest and most objects in a training picture")
    var objects: [Int]
    @Setting(1...86400, default: 600, unit: "s", "how long an answer may take, of one batch")
    var timeout: Double
    @Setting(
      2...1 << 22, default: 4096,
      "pairs of passes for the gradients of an input, where the model gives none; 4096 are all of 32 px in colour"
    )
    var directions: Int
  }

  static let kind = StageKind(
    name: "external", version: 2,
    summary: "Takes a model that another program computes, by a protocol over its pipes.",
    settings: Options.self, inputs: [], produces: .denoiser, isSeeded: false,
    check: { Shared.checkObjects($0.objects) },
    foresee: { options, _ in
      var foreseen = Foreseen(labelling: options.labelling, objects: options.objects)
      foreseen.paths = []
      foreseen.isNetwork = false
      return foreseen.value
    },
    outside: [OutsideDeclaration("files", .tree, remedy: "name files that are there")],
    memory: { _, _ in 64 << 20 }, run: run)

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let taken = try take(options, context)
    let peer = try DenoiserManifest.External.peer(
      options.command, taken.map { ($0.path, StageFile(url: $0.url, sha256: $0.sha256)) },
      timeout: options.timeout, note: context.note, checkCancellation: context.checkCancellation)
    let model = PeerModel(peer)
    let check = try ExternalCheck(model)
    for text in check.doubts { context.note(text) }
    let external = DenoiserManifest.External(
      command: options.command, files: taken.map { .init(path: $0.path, sha256: $0.sha256) },
      hello: peer.hello, timeout: options.timeout, directions: options.directions)
    let manifest: DenoiserManifest
    if let shape = try? peer.hello.pictureShape() {
      manifest = .external(
        .init(
          camera: nil, size: shape.size, space: shape.space, labelling: options.labelling,
          objects: options.objects[0]...options.objects[1]), external)
    } else {
      let field = DenoiserManifest.Field(peer.hello)
      context.note("took a model of \(field.text): for `probe`, `features` and `intervene`")
      manifest = .field(field, external)
    }
    var published: Set<String> = []
    let files = taken.filter { published.insert($0.sha256).inserted }.enumerated()
    return StageOutput(
      files: [try context.output(manifest)]
        + files.map { place, file in
          StageOutput.File(
            role: "file-\(place)", url: file.url, kind: "external-file",
            mediaType: "application/octet-stream")
        }, metrics: check.metrics)
  }

  private struct Taken {
    /// From the folder where the program starts.
    var path: String
    var sha256: String
    /// In the stage's scratch folder.
    var url: URL
  }

  /// Copies what the program needs, held against what the plan had hashed.
  private static func take(_ options: Options, _ context: StageContext) throws -> [Taken] {
    var taken: [Taken] = []
    for place in options.files.indices {
      guard let content = context.outside["files[\(place)]"] else { continue }
      let name = content.url.lastPathComponent
      let files =
        content.files.isEmpty
        ? [(name, content.url, content.sha256)]
        : content.files.sorted { $0.key < $1.key }.map {
          (name + "/" + $0.key, content.url.appending(path: $0.key), $0.value)
        }
      for (path, source, sha256) in files {
        try context.checkCancellation()
        if taken.contains(where: { $0.path == path }) {
          throw MismatchError("two of `files` have the name \(Escape.line(path)); rename one")
        }
        let copy = context.scratch.appending(path: "file-\(taken.count)")
        do {
          try FileManager.default.copyItem(at: source.resolvingSymlinksInPath(), to: copy)
        } catch {
          throw OutsideError(
            source, reason: "cannot be read: \(error.localizedDescription)",
            category: Workflow.category(of: error))
        }
        guard try SHA256.hash(fileAt: copy) == sha256 else { throw OutsideError.changed(source) }
        taken.append(Taken(path: path, sha256: sha256, url: copy))
      }
    }
    return taken
  }
}

/// Whether a model keeps what every denoiser promises, tried on a few noised pictures.
private struct ExternalCheck {
  private var repeated = 0.0
  private var batched = 0.0
  private var gradient: Double?

  init(_ model: PeerModel) throws {
    let shape = model.fieldShape
    let schedule = model.schedule
    let sigma = Float(min(max(1, schedule.low), schedule.high))
    let count = min(3, max(2, model.peer.hello.batch))
    var stream = RandomStream(seed: 0, purpose: .externalCheck, index: 0)
    var batch = FieldBatch()
    for n in 0..<count {
      var labels = [Float](repeating: 0, count: shape.entries)
      // ∅ is one of them.
      if n > 0, shape.entries > 0 { labels[stream.integer(below: shape.entries)] = 1 }
      batch.append((0..<shape.count).map { _ in sigma * stream.gaussian() }, sigma, labels)
    }
    func one(_ n: Int) -> FieldBatch {
      FieldBatch(
        x: Array(batch.x[n * shape.count..<(n + 1) * shape.count]), sigma: [sigma],
        labels: Array(batch.labels[n * shape.entries..<(n + 1) * shape.entries]))
    }
    let first = try model.denoise(batch)
    repeated = Self.largest(first, try model.denoise(batch))
    let alone = try (0..<count).flatMap { try model.denoise(one($0)) }
    batched = Self.largest(first, alone)
    guard model.hasGradients else { return }
    // vᵀ J u by the model's gradient, and by a difference of passes.
    let picture = one(1)
    let direction = (0..<shape.count).map { _ in stream.gaussian() }
    let cotangent = (0..<shape.count).map { _ in stream.gaussian() }
    let product = Self.dot(try model.gradient(picture, cotangent: cotangent), direction)
    let step = 0.01 * sigma
    func moved(_ step: Float) throws -> Double {
      var moved = picture
      for i in moved.x.indices { moved.x[i] += step * direction[i] }
      return Self.dot(try model.denoise(moved), cotangent)
    }
    let quotient = (try moved(step) - moved(-step)) / Double(2 * step)
    gradient = abs(product - quotient) / max(abs(quotient), .leastNormalMagnitude)
  }

  var metrics: [MetricRow] {
    [Measure.repeatDifference.row(repeated), Measure.batchDifference.row(batched)]
      + (gradient.map { [Measure.gradientError.row($0)] } ?? [])
  }

  /// What a person should know of.
  var doubts: [String] {
    var texts: [String] = []
    if repeated > 0 {
      texts.append(
        "found that its model answers otherwise to the same request, by up to \(repeated): results vary by as much"
      )
    }
    if batched > 1e-4 {
      texts.append(
        "found that what its model makes of a picture depends on the rest of the batch, by up to \(batched)"
      )
    }
    if let gradient, gradient > 0.05 {
      texts.append(
        "found that the model's gradient is \(gradient) of itself away from its differences: it may be that of"
          + " another function")
    }
    return texts
  }

  private static func largest(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { max($0, Double(abs($1.0 - $1.1))) }
  }

  private static func dot(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
}
