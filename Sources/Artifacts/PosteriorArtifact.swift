import Diffusion
import Formats
import Foundation
import Scenes
import Workflow

/// Noised pictures with the exact posterior means of a training law: what a denoiser trained on it should answer.
package struct PosteriorManifest: Manifest {
  package static let type = ArtifactType.posterior
  package var camera: CameraKind
  /// Side in px.
  package var size: Int
  package var space: ConditionerSpace
  /// The law: which objects its conditioners tell of, and how many there are.
  package var labelling: Labelling
  package var objects: [Int]
  /// The K that training has conditioners of.
  package var onTraining: [Int]
  /// Renders a layout, half of them behind either estimate, and the least effective number of a half with which
  /// an input counts.
  package var references: Int
  package var effective: Double
  /// SHA-256 of arrays, N the number of inputs: (N, S, S, 3) pictures, (N) noise levels, (N, entries of the
  /// space) conditioners, (N, 2) K and layout.
  package var inputs: String
  package var sigmas: String
  package var labels: String
  package var requests: String
  /// The same of the two halves' estimates, (N, S, S, 3) each, of their effective numbers of renders, (N, 2), and
  /// of the mean training picture, (S, S, 3).
  package var first: String
  package var second: String
  package var effectives: String
  package var mean: String

  package init(
    scenes: PictureSetManifest, labelling: Labelling, onTraining: [Int], references: Int,
    effective: Double, inputs: String, sigmas: String, labels: String, requests: String,
    first: String, second: String, effectives: String, mean: String
  ) {
    (camera, size, space, objects) = (scenes.camera, scenes.size, scenes.space, scenes.objects)
    self.labelling = labelling
    self.onTraining = onTraining
    self.references = references
    self.effective = effective
    self.inputs = inputs
    self.sigmas = sigmas
    self.labels = labels
    self.requests = requests
    self.first = first
    self.second = second
    self.effectives = effectives
    self.mean = mean
  }
}

/// A posterior, read.
package struct PosteriorArtifact: Sendable {
  package let manifest: PosteriorManifest
  /// SHA-256 of its manifest.
  package let sha256: String
  package let shape: PictureShape
  /// N noised pictures, each drawn by its own number.
  package let batch: NoisedBatch
  /// Of each input.
  package let counts: [Int]
  package let layouts: [Int]
  package let sigmas: [Double]
  /// (N, S, S, 3).
  package let first: [Float]
  package let second: [Float]
  /// (N, 2).
  package let effectives: [Double]
  /// (S, S, 3).
  package let mean: [Float]

  /// The posterior that a stage was given.
  package init(_ role: String, of context: StageContext) throws {
    try self.init(try context.input(role).manifest, object: context.object)
  }

  /// - Throws: `ArtifactError` for arrays that are not as the manifest describes them.
  package init(_ file: StageFile, object: (String) -> StageFile) throws {
    manifest = try PosteriorManifest(file)
    sha256 = file.sha256
    guard PictureShape.sizes.contains(manifest.size), manifest.objects.count == 2,
      case .grid(let cells) = manifest.space, (1...manifest.size).contains(cells),
      manifest.size % cells == 0
    else { throw ArtifactError(file: file, reason: "describes pictures that cannot be") }
    let shape = PictureShape(size: manifest.size, space: manifest.space)
    self.shape = shape
    func floats(_ sha256: String) throws -> [Float] {
      guard case .float32(let values) = try object(sha256).array().elements else {
        throw ArtifactError(file: object(sha256), reason: "holds no float32 values")
      }
      return values
    }
    func numbers(_ sha256: String) throws -> [Double] {
      guard case .float64(let values) = try object(sha256).array().elements else {
        throw ArtifactError(file: object(sha256), reason: "holds no float64 values")
      }
      return values
    }
    sigmas = try numbers(manifest.sigmas)
    effectives = try numbers(manifest.effectives)
    let count = sigmas.count
    batch = NoisedBatch(
      x: try floats(manifest.inputs), sigma: sigmas.map(Float.init),
      labels: try floats(manifest.labels),
      draws: (0..<count).map(UInt64.init))
    (first, second) = (try floats(manifest.first), try floats(manifest.second))
    mean = try floats(manifest.mean)
    guard case .int64(let requests) = try object(manifest.requests).array().elements,
      count > 0, batch.x.count == count * shape.pictureCount, first.count == batch.x.count,
      second.count == first.count, batch.labels.count == count * shape.conditionerCount,
      mean.count == shape.pictureCount, requests.count == 2 * count,
      effectives.count == requests.count, sigmas.allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw ArtifactError(file: file, reason: "describes other arrays than its files hold")
    }
    counts = (0..<count).map { Int(requests[2 * $0]) }
    layouts = (0..<count).map { Int(requests[2 * $0 + 1]) }
  }

  package var count: Int { counts.count }

  /// Whether both halves had renders enough near an input.
  package func isKept(_ input: Int) -> Bool {
    min(effectives[2 * input], effectives[2 * input + 1]) >= manifest.effective
  }
}

/// How far a denoiser is from a posterior.
package struct ScoreErrorManifest: Manifest {
  package static let type = ArtifactType.scoreError
  /// SHA-256 of the manifests of the two.
  package var denoiser: String
  package var posterior: String
  /// SHA-256 of the table.
  package var table: String

  package init(denoiser: String, posterior: String, table: String) {
    self.denoiser = denoiser
    self.posterior = posterior
    self.table = table
  }
}
