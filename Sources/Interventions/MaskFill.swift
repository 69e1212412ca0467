import Diffusion
import Streams

/// What stands around a window, where pixels must not be seen.
struct MaskFill: Sendable {
  private let kind: MaskSpecification.Fill
  private let seed: UInt64
  private let pictureCount: Int
  /// (M, S, S, 3): the pictures to resample from, or only their mean.
  private let pictures: [Float]

  /// - Parameter pictures: (M, S, S, 3), M ≥ 1.
  init(_ specification: MaskSpecification, pictures: [Float], shape: PictureShape) {
    kind = specification.fill
    seed = specification.seed
    pictureCount = shape.pictureCount
    guard kind == .mean else {
      self.pictures = pictures
      return
    }
    let count = pictures.count / pictureCount
    var sums = [Double](repeating: 0, count: pictureCount)
    for start in stride(from: 0, to: count * pictureCount, by: pictureCount) {
      for i in sums.indices { sums[i] += Double(pictures[start + i]) }
    }
    self.pictures = sums.map { Float($0 / Double(count)) }
  }

  /// Writes the surroundings of a block's window over a whole picture, `target`, (S, S, 3).
  ///
  /// Picture and noise depend on the seed and the block alone, so that along a sampling
  /// trajectory they remain one picture with one noise, scaled to the σ of the step.
  func write(block: Int, sigma: Float, to target: UnsafeMutablePointer<Float>) {
    switch kind {
    case .mean:
      for i in 0..<pictureCount { target[i] = pictures[i] }
    case .resampled:
      var stream = RandomStream(seed: seed, purpose: .fill, index: UInt64(block))
      let start = stream.integer(below: pictures.count / pictureCount) * pictureCount
      for i in 0..<pictureCount { target[i] = pictures[start + i] + sigma * stream.gaussian() }
    }
  }
}
