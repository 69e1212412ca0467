/// The pictures and conditioners that a denoiser works on.
public struct PictureShape: Sendable, Hashable {
  /// Side of the square picture in pixels, S.
  public var size: Int
  /// Side of the square grid of conditioner cells, G; divides S.
  public var cells: Int

  public init(size: Int, cells: Int) {
    self.size = size
    self.cells = cells
  }

  public static let channels = 3
  /// Values of one picture: S × S × 3.
  public var pictureCount: Int { size * size * Self.channels }
  /// Values of one conditioner: G × G.
  public var conditionerCount: Int { cells * cells }
  /// Pixels on a side of a cell.
  public var cellSize: Int { size / cells }
}

/// A batch of N noised pictures with their noise levels and conditioners.
public struct NoisedBatch: Sendable {
  /// (N, S, S, 3), channels last; a clean picture lies in [−1, 1].
  public var x: [Float]
  /// (N), each > 0.
  public var sigma: [Float]
  /// (N, G, G): row, then column; counts of objects. All zero is ∅.
  public var labels: [Float]

  public init(x: [Float], sigma: [Float], labels: [Float]) {
    self.x = x
    self.sigma = sigma
    self.labels = labels
  }

  public var count: Int { sigma.count }
}

/// A conditional denoiser D(x, σ, c); its score is (D − x) / σ².
///
/// Anything that can be sampled and probed is one: trained weights, or another denoiser behind
/// masks. A picture's result does not depend on the rest of its batch.
public protocol Denoiser: Sendable {
  var shape: PictureShape { get }

  /// Area in pixels of the part of the conditioner, drawn at picture resolution, that one output
  /// pixel can see; S² when it sees all. Window load is λ(K) = K · area / S².
  var labelWindowArea: Double { get }

  /// D(x, σ, c), shape (N, S, S, 3).
  func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float]

  /// Vector–Jacobian product: the gradient of Σ cotangent · D(x, σ, c) with respect to x,
  /// shape (N, S, S, 3), and to the labels, shape (N, G, G). `cotangent` is (N, S, S, 3).
  func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
}
