/// The pictures and conditioners that a denoiser works on.
package struct PictureShape: Sendable, Hashable {
  /// Sides in pixels that a picture may have, and a grid of cells too.
  package static let sizes = 8...512
  /// Side of the square picture in pixels, S.
  package var size: Int
  /// What a conditioner says.
  package var space: ConditionerSpace

  package init(size: Int, space: ConditionerSpace) {
    self.size = size
    self.space = space
  }

  /// Conditioners are grids of `cells` × `cells` cells, which divide the picture.
  package init(size: Int, cells: Int) { self.init(size: size, space: .grid(cells: cells)) }

  package static let channels = 3
  /// Values of one picture: S × S × 3.
  package var pictureCount: Int { size * size * Self.channels }
  /// Values of one conditioner, C: G × G of a grid, a word each of a set.
  package var conditionerCount: Int { space.count }
}

extension PictureShape: CustomStringConvertible {
  package var description: String { "\(size) px, conditioners \(space.text)" }
}

/// A batch of N noised pictures with their noise levels and conditioners.
package struct NoisedBatch: Sendable {
  /// (N, S, S, 3), channels last; a clean picture lies in [−1, 1].
  package var x: [Float]
  /// (N), each > 0.
  package var sigma: [Float]
  /// (N, C): counts of objects, entries in their space's order. All zero is ∅.
  package var labels: [Float]
  /// (N): names each picture to a denoiser that draws something anew for each, as masks do that fill what
  /// they hide: the same draw gives the same result.
  package var draws: [UInt64]

  /// - Parameter draws: `nil`: one draw for all.
  package init(x: [Float], sigma: [Float], labels: [Float], draws: [UInt64]? = nil) {
    self.x = x
    self.sigma = sigma
    self.labels = labels
    self.draws = draws ?? [UInt64](repeating: 0, count: sigma.count)
  }

  package var count: Int { sigma.count }

  /// Some of the pictures, in the order given.
  package func pictures(_ chosen: some Sequence<Int>, _ shape: PictureShape) -> NoisedBatch {
    var result = NoisedBatch(x: [], sigma: [], labels: [])
    for n in chosen {
      result.x += x[n * shape.pictureCount..<(n + 1) * shape.pictureCount]
      result.labels += labels[n * shape.conditionerCount..<(n + 1) * shape.conditionerCount]
      result.sigma.append(sigma[n])
      result.draws.append(draws[n])
    }
    return result
  }

  package mutating func append(_ other: NoisedBatch) {
    x += other.x
    labels += other.labels
    sigma += other.sigma
    draws += other.draws
  }
}

/// A conditional denoiser D(x, σ, c); its score is (D − x) / σ².
///
/// Anything that can be sampled and probed is one: trained weights, or another denoiser behind
/// masks. A picture's result does not depend on the rest of its batch.
package protocol Denoiser: Sendable {
  var shape: PictureShape { get }

  /// Area in pixels of the part of the conditioner, drawn at picture resolution, that one output
  /// pixel can see; S² when it sees all. Window load is λ(K) = K · area / S².
  var labelWindowArea: Double { get }

  /// The noise levels that it takes.
  var schedule: NoiseSchedule { get }

  /// D(x, σ, c), shape (N, S, S, 3).
  func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float]

  /// Vector–Jacobian product: the gradient of Σ cotangent · D(x, σ, c) with respect to x,
  /// shape (N, S, S, 3), and to the labels, shape (N, C). `cotangent` is (N, S, S, 3).
  func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
}

extension Denoiser {
  package var schedule: NoiseSchedule { .any }
}
