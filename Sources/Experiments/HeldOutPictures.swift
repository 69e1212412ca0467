import Diffusion
import Foundation
import Scenes
import Streams
import Workflow

/// Renders that no stage trains on, with conditioners, to be noised.
struct HeldOutPictures {
  let shape: PictureShape
  /// (N, S, S, 3).
  let pictures: [Float]
  /// (N, C).
  let labels: [Float]
  private let seed: UInt64
  private let index: Int

  /// - Parameters:
  ///   - k: objects in each picture. Up to the training maximum their conditioner is drawn as in
  ///     training; beyond it, all objects are told of, which is what `evaluate` asks for.
  ///   - purpose: keeps the pictures of different stages apart.
  init(
    _ k: Int, count: Int, origin: TrainingOrigin, shape: PictureShape, camera: CameraKind,
    purpose: RandomPurpose, _ context: StageContext
  ) throws {
    self.shape = shape
    let grid = try shape.places()
    seed = context.seed
    index = k << 24
    let settings = SceneSettings(
      camera: camera, size: grid.size, cells: grid.cells,
      rules: LayoutRules(objects: k...k, gap: 0.25, margin: 0))
    let set = try renderSet(
      settings, seed: context.seed, indices: k << 24..<k << 24 + count, purpose: purpose,
      threads: context.threads)
    pictures = set.pixels.map(TrainingSet.value)
    let labelling = k <= origin.objects.upperBound ? origin.labelling : .all
    var labels = [Float](repeating: 0, count: count * shape.conditionerCount)
    labels.withUnsafeMutableBufferPointer { labels in
      set.conditioners.withUnsafeBufferPointer { counts in
        guard let target = labels.baseAddress, let source = counts.baseAddress else { return }
        for n in 0..<count {
          var stream = RandomStream(
            seed: context.seed, purpose: .heldOutLabels, index: UInt64(k << 24 + n))
          labelling.draw(
            from: source + n * shape.conditionerCount,
            into: target + n * shape.conditionerCount, count: shape.conditionerCount,
            stream: &stream)
        }
      }
    }
    self.labels = labels
  }

  var count: Int { pictures.count / shape.pictureCount }

  /// x = picture + σ · noise; the noise is a picture's own, the same at every σ.
  func noised(_ sigma: Double) -> NoisedBatch {
    var x = pictures
    for n in 0..<count {
      var stream = RandomStream(seed: seed, purpose: .heldOutNoise, index: UInt64(index + n))
      for i in n * shape.pictureCount..<(n + 1) * shape.pictureCount {
        x[i] += Float(sigma) * stream.gaussian()
      }
    }
    return NoisedBatch(
      x: x, sigma: [Float](repeating: Float(sigma), count: count), labels: labels)
  }
}
