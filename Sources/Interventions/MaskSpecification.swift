/// Which dependences of a denoiser are cut; everything that decides a masked denoiser's output.
public struct MaskSpecification: Sendable, Hashable, Codable {
  public enum Name: String, Sendable, Codable, CaseIterable {
    /// All windows are the whole picture: the machinery alone, which must change nothing.
    case identity
    /// Pixel i sees only its nearest label within `radius`, or none.
    case conditioner
    /// A block of the output sees only the pixels around it.
    case pixel
    /// A block sees only the pixels and the labels around it.
    case both
    /// Windows of the same area in the wrong place.
    case placebo
  }
  /// What a placebo imitates.
  public enum Target: String, Sendable, Codable, CaseIterable { case conditioner, pixel, both }
  /// What stands where a pixel must not be seen.
  public enum Fill: String, Sendable, Codable, CaseIterable {
    /// The mean training picture, which is the mean of the noised input at every σ.
    case mean
    /// Another training picture noised to the same σ: in distribution.
    case resampled
  }

  public var mask: Name
  public var of: Target
  /// Reach of a label in pixels.
  public var radius: Double
  /// Side of a block in pixels; divides the picture's side.
  public var block: Int
  /// Pixels seen on each side of a block.
  public var margin: Int
  public var fill: Fill
  /// Decides the fills' pictures and noise.
  public var seed: UInt64

  public init(
    mask: Name, of: Target, radius: Double, block: Int, margin: Int, fill: Fill, seed: UInt64
  ) {
    self.mask = mask
    self.of = of
    self.radius = radius
    self.block = block
    self.margin = margin
    self.fill = fill
    self.seed = seed
  }

  var target: Target? {
    switch mask {
    case .identity: nil
    case .conditioner: .conditioner
    case .pixel: .pixel
    case .both: .both
    case .placebo: of
    }
  }

  /// Whether pixels are masked, so that fills are needed.
  public var masksPixels: Bool { target == .pixel || target == .both }
  var isPlacebo: Bool { mask == .placebo }
}

public enum MaskError: Error, Hashable, CustomStringConvertible {
  case block(block: Int, size: Int)
  case fill(found: Int, expected: Int)
  case changedNothing(MaskSpecification.Name)
  case identityChanged(largest: Float)

  public var description: String {
    switch self {
    case .block(let block, let size):
      "a block of \(block) px does not divide a picture of \(size) px"
    case .fill(let found, let expected):
      "the fill has \(found) values, expected whole pictures of \(expected)"
    case .changedNothing(let name):
      "mask `\(name.rawValue)` changed no output anywhere: it cuts nothing that this denoiser uses;"
        + " check its radius, block and margin"
    case .identityChanged(let largest):
      "mask `identity` changed an output by up to \(largest): the masking machinery itself is at fault"
    }
  }
}
