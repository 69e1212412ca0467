import Diffusion

/// Which dependences of a denoiser are cut; everything that decides a masked denoiser's output.
package struct MaskSpecification: Sendable, Hashable, Codable {
  package enum Name: String, Sendable, Codable, CaseIterable {
    /// All windows are the whole picture: the machinery alone, which must change nothing.
    case identity
    /// Pixel i sees only its nearest label within `radius`, or none: K + 1 passes.
    case conditioner
    /// A block of the output sees only the pixels around it: a pass a block.
    case pixel
    /// A block sees only the pixels and the labels around it: a pass a block.
    case both
    /// Windows of the same area half a picture away, on the torus.
    case placebo

    /// Whether it is there to object to another mask, not to repair.
    package var isControl: Bool { self == .identity || self == .placebo }
  }
  /// What a placebo imitates.
  package enum Target: String, Sendable, Codable, CaseIterable { case conditioner, pixel, both }
  /// What stands where a pixel must not be seen.
  package enum Fill: String, Sendable, Codable, CaseIterable {
    /// The mean training picture, which is the mean of the noised input at every σ.
    case mean
    /// Another training picture noised to the same σ: in distribution.
    case resampled
  }

  package var mask: Name
  package var of: Target
  /// Reach of a label in px, from its cell's centre: to a pixel's centre (`conditioner`) or to
  /// the nearest point of a block (`both`).
  package var radius: Double
  /// Side of a block in pixels; divides the picture's side.
  package var block: Int
  /// Pixels seen on each side of a block.
  package var margin: Int
  package var fill: Fill
  /// Decides the fills' pictures and noise.
  package var seed: UInt64
  /// The mask holds for `sigmaLow` ≤ σ ≤ `sigmaHigh`; `nil`: no bound. Elsewhere the base's own
  /// result stands.
  package var sigmaLow: Double?
  package var sigmaHigh: Double?

  package init(
    mask: Name, of: Target = .conditioner, radius: Double = 7, block: Int = 4, margin: Int = 4,
    fill: Fill = .mean, seed: UInt64 = 0, sigmaLow: Double? = nil, sigmaHigh: Double? = nil
  ) {
    self.mask = mask
    self.of = of
    self.radius = radius
    self.block = block
    self.margin = margin
    self.fill = fill
    self.seed = seed
    self.sigmaLow = sigmaLow
    self.sigmaHigh = sigmaHigh
  }

  /// What is cut, in the right place or in the wrong one.
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
  package var masksPixels: Bool { target == .pixel || target == .both }
  /// Whether it goes by where labels are.
  package var needsPlaces: Bool { target == .conditioner || target == .both }
  package var isPlacebo: Bool { mask == .placebo }
  /// Whether it changes nothing by construction: it cannot object to anything.
  package var isIdentity: Bool { mask == .identity }

  /// The windows of a mask, wherever they are: a placebo has those of the mask that it imitates.
  package struct Windows: Sendable, Hashable {
    var target: Target?
    /// `nil` where the mask does not use it.
    var radius: Double?
    var block: Int?
    var margin: Int?
    var fill: Fill?
  }

  package var windows: Windows {
    Windows(
      target: target, radius: needsPlaces ? radius : nil, block: masksPixels ? block : nil,
      margin: masksPixels ? margin : nil, fill: masksPixels ? fill : nil)
  }

  /// Whether the mask holds at a noise level.
  package func applies(at sigma: Float) -> Bool {
    Double(sigma) >= sigmaLow ?? 0 && Double(sigma) <= sigmaHigh ?? .infinity
  }

  /// Whether the mask changes nothing, for certain: a weaker bound than what a denoiser really uses.
  ///
  /// - Parameters:
  ///   - mostLabels: of a conditioner; `nil`: any number.
  ///   - pixelReach: how many pixels away an output depends on pixels at most; `nil`: anywhere.
  ///   - labelReach: the same for the cells of labels.
  package func cutsNothing(
    size: Int, cellSize: Int, mostLabels: Int?, pixelReach: Int?, labelReach: Int?
  ) -> Bool {
    guard let target else { return false }
    // A placebo takes away what is near, however little that is.
    let reach = isPlacebo ? size : min(pixelReach ?? size, size)
    let cutsPixels = min(margin, size) + block < size && margin < reach
    let side = Double(isPlacebo ? size : min(labelReach ?? size, size)) + Double(cellSize) / 2
    let hidesLabels = radius < 2.0.squareRoot() * side
    return switch target {
    case .pixel: !cutsPixels
    // Of two labels a pixel sees the nearer one alone.
    case .conditioner: mostLabels == 0 || mostLabels == 1 && !isPlacebo && !hidesLabels
    case .both: !cutsPixels && (mostLabels == 0 || !hidesLabels)
    }
  }

  func validate(_ shape: PictureShape) throws(MaskError) {
    if !(radius > 0 && radius.isFinite) { throw .radius(radius) }
    if margin < 0 { throw .margin(margin) }
    if masksPixels, block < 1 || shape.size % block != 0 {
      throw .block(block: block, size: shape.size)
    }
    let range = (low: sigmaLow ?? 0, high: sigmaHigh ?? .infinity)
    if !(range.low <= range.high && range.high > 0 && range.low < .infinity) {
      throw .sigmaRange(low: sigmaLow, high: sigmaHigh)
    }
  }
}
