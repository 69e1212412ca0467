import Diffusion
import Streams

/// What stands where pixels must not be seen.
struct MaskFill: Sendable {
  private let seed: UInt64
  private let pictureCount: Int
  /// (M, S, S, 3): the pictures that are drawn from.
  private let pictures: [Float]

  /// - Parameter pictures: (M, S, S, 3), M ≥ 1.
  init(_ specification: MaskSpecification, pictures: [Float], shape: PictureShape) {
    seed = specification.seed
    pictureCount = shape.pictureCount
    self.pictures = pictures
  }

  /// Writes what a block must not see over a whole picture, `target`, (S, S, 3): one of the pictures with
  /// fresh noise, both drawn anew for each layout (`draw`), block and σ.
  func write(block: Int, sigma: Float, draw: UInt64, to target: UnsafeMutablePointer<Float>) {
    // The draw leads to a seed of its own: an index has no room for all three.
    var own = RandomStream(seed: seed, purpose: .fillDraw, index: draw)
    let layout = UInt64(own.nextUInt32()) << 32 | UInt64(own.nextUInt32())
    var stream = RandomStream(
      seed: layout, purpose: .fill, index: UInt64(block) << 32 | UInt64(sigma.bitPattern))
    let start = stream.integer(below: pictures.count / pictureCount) * pictureCount
    for i in 0..<pictureCount { target[i] = pictures[start + i] + sigma * stream.gaussian() }
  }
}
