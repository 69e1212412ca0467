import Diffusion

/// Which dependences of a denoiser are cut; everything that decides a masked denoiser's output.
package struct MaskSpecification: Sendable, Hashable {
  package enum Name: String, Sendable, Codable, CaseIterable {
    /// All windows are the whole picture: the machinery alone, which must change nothing.
    case identity
    /// The same through a pass a block, stitched: must change nothing either.
    case stitched
    /// A pixel sees `labels` labels, its nearest one among them if that lies within `radius`, or none.
    case conditioner
    /// A pixel sees every label inside a square window around it; or the nearest of these, its own, and
    /// every label outside.
    case window
    /// D(∅) + Σ_j (D(c_j) − D(∅)): additive composition (Liu et al. 2022), without any window.
    case sum
    /// D(∅) + Σ_j s_j (D(c_j) − D(∅)), s_j = 1 ± `amplitude` by a fair coin: of the label's own cell, or of
    /// all other labels. The same law of strengths, local or not.
    case reverse
    /// A block of the output sees itself and a ring of pixels: a pass a block.
    case pixel
    /// `pixel` and `conditioner` together: a pass for every block and set of labels in it.
    case both
    /// A way inside the network on which places tell on each other from afar.
    case path
    /// A level's features put together word by word, as `features` says.
    case features
    /// A place is told of an entry of the conditioner only where that entry's own knock-out acts, which the base
    /// itself tells: its region, as `region` says. `keep` moves regions, their area kept.
    case concept
  }
  /// Which labels remain beside a pixel's own, which side of a window, or by what a label's strength goes; of
  /// regions an entry's own, the next told one's, or its own moved round the picture at random.
  package enum Keep: String, Sendable, Codable, CaseIterable { case near, far, random }
  /// Where the pixels lie that a block sees beside itself.
  package enum Ring: String, Sendable, Codable, CaseIterable {
    /// Around the block.
    case near
    /// The same ring half a picture away, on the torus.
    case remote
  }
  /// Which pixels alone have labels hidden from them; all others see every label.
  package enum Place: String, Sendable, Codable, CaseIterable {
    /// Those with a label within `radius`; of a window, inside it.
    case objects
    /// Those without.
    case ground
  }
  /// What stands where a pixel must not be seen, with fresh noise of the same σ.
  package enum Fill: String, Sendable, Codable, CaseIterable {
    /// Empty ground: nothing to count.
    case ground
    /// Another training picture: in distribution.
    case resampled
    /// The mean training picture.
    case mean
  }

  package var mask: Name
  /// How many labels a labelled pixel sees, its own included; 1 or more.
  package var labels: Int
  package var keep: Keep
  /// Where labels are hidden; `nil`: everywhere.
  package var at: Place?
  /// Whether a pixel that sees what is outside a window sees its own label, too: what objects keeps the
  /// mechanism. `nil` where that is not asked, and in masks from before, which hid it.
  package private(set) var keepsOwn: Bool?
  /// Reach of a label in px from its cell's centre: to a pixel's centre; of a window half its side.
  package var radius: Double
  /// Side of a block in pixels; divides the picture's side.
  package var block: Int
  /// Width of the ring.
  package var margin: Int
  package var ring: Ring
  package var fill: Fill
  /// Decides the fills' pictures and noise, and random labels.
  package var seed: UInt64
  /// The mask holds for `sigmaLow` ≤ σ ≤ `sigmaHigh`; `nil`: no bound. Elsewhere the base's own
  /// result stands.
  package var sigmaLow: Double?
  package var sigmaHigh: Double?
  /// How much stronger or weaker than 1 labels tell; above 0, of `reverse` alone.
  package var amplitude: Double?
  /// What is cut inside, of `path` alone.
  package var path: NetworkPath?
  /// What is put in their place, of `features` alone.
  package var features: FeatureMask?
  /// How regions are found, of `concept` alone.
  package var region: RegionMask?

  package init(
    mask: Name, labels: Int = 1, keep: Keep = .near, at: Place? = nil, radius: Double = 7,
    block: Int = 4, margin: Int = 4, ring: Ring = .near, fill: Fill = .ground, seed: UInt64 = 0,
    sigmaLow: Double? = nil, sigmaHigh: Double? = nil, amplitude: Double? = nil,
    path: NetworkPath? = nil, features: FeatureMask? = nil, region: RegionMask? = nil
  ) {
    self.region = mask == .concept ? region ?? RegionMask() : nil
    self.path = mask == .path ? path ?? .both : nil
    self.features = mask == .features ? features ?? FeatureMask() : nil
    self.at = at
    keepsOwn = mask == .window && keep == .far ? true : nil
    self.amplitude = mask == .reverse ? amplitude ?? 0.5 : nil
    self.mask = mask
    self.labels = labels
    self.keep = keep
    self.radius = radius
    self.block = block
    self.margin = margin
    self.ring = ring
    self.fill = fill
    self.seed = seed
    self.sigmaLow = sigmaLow
    self.sigmaHigh = sigmaHigh
  }

  /// Whether pixels are masked, so that fills are needed.
  package var masksPixels: Bool { mask == .pixel || mask == .both }
  /// Whether it goes by where labels are.
  package var needsPlaces: Bool {
    switch mask {
    case .conditioner, .window, .both: true
    case .identity, .stitched, .sum, .reverse, .pixel, .path, .features, .concept: false
    }
  }
  /// Whether it changes nothing by construction: it cannot object to anything.
  package var isIdentity: Bool {
    mask == .identity || mask == .stitched || features?.isIdentity == true
  }
  /// Whether its result depends on which other labels there are, or on none of them.
  var choosesLabels: Bool { mask == .conditioner || mask == .both }
  /// Whether what it keeps is not what the hypothesis says: there to object to another mask.
  package var isControl: Bool {
    isIdentity || hidesOnGroundAlone || movesWhatIsKept
  }
  /// What the hypothesis is about are the labelled pixels.
  private var hidesOnGroundAlone: Bool { needsPlaces && at == .ground }
  private var movesWhatIsKept: Bool {
    let choosesOthers = choosesLabels && labels > 1 && at != .ground
    if features?.movesSubspaces == true { return true }
    let movesLabels =
      choosesOthers || mask == .window || mask == .reverse || mask == .concept
    return movesLabels && keep != .near || masksPixels && ring == .remote
  }

  /// Why it cannot be the control of another mask; `nil` when it can: a control keeps the mechanism and
  /// how much is seen, and moves what is seen, or from where.
  package func fault(asControlOf other: MaskSpecification) -> ControlFault? {
    if isIdentity { return .changesNothing }
    if self == other { return .sameMask }
    var (own, theirs) = (self, other)
    own.settle()
    theirs.settle()
    // Additive composition shows one label a pass, wherever a pixel lies.
    if mask == .sum, theirs.mask == .conditioner, theirs.labels == 1, theirs.at == nil {
      return nil
    }
    if own.at == .ground, theirs.at == .objects {
      // Near no label there is no choice of labels to have in common.
      (own.at, own.labels, own.keep) = (theirs.at, theirs.labels, theirs.keep)
      return own == theirs ? nil : .otherMechanism
    }
    (own.keep, own.ring, own.keepsOwn) = (theirs.keep, theirs.ring, theirs.keepsOwn)
    // What is projected stays, and where it goes is what the hypothesis is about.
    if theirs.features?.projection == .own { own.features?.projection = .own }
    if own != theirs { return .otherMechanism }
    return movesWhatIsKept ? nil : .keepsWhatIsNear
  }

  /// Whether it is another way to put together what words do alone: the sum of what each changes in the output beside
  /// what is put together of features. It keeps nothing of the mask's and is no control of what that keeps.
  package func isRival(of other: MaskSpecification) -> Bool {
    mask == .sum && other.mask == .features && !other.isIdentity
  }

  /// Whether it leaves, by construction, as many labels and pixels as its control does: inside and outside a window
  /// lie different numbers of labels, and on the ground more pixels than at objects.
  package func leavesAsMuch(as control: MaskSpecification) -> Bool {
    mask != .window && at == control.at
  }

  package enum ControlFault: Sendable, Hashable {
    case changesNothing, sameMask, otherMechanism, keepsWhatIsNear
  }

  /// Settings that the mask does not use are all alike.
  private mutating func settle() {
    let plain = MaskSpecification(mask: mask)
    if !needsPlaces { (radius, at) = (plain.radius, plain.at) }
    let chooses = choosesLabels && at != .ground
    if !chooses { labels = plain.labels }
    if !chooses, mask != .window, mask != .reverse, mask != .concept { keep = plain.keep }
    if !masksPixels {
      (block, margin, ring, fill) = (plain.block, plain.margin, plain.ring, plain.fill)
    }
    seed = 0
  }

  /// Whether the mask holds at a noise level.
  package func applies(at sigma: Float) -> Bool {
    Double(sigma) >= sigmaLow ?? 0 && Double(sigma) <= sigmaHigh ?? .infinity
  }

  func validate(_ shape: PictureShape) throws(MaskError) {
    if !(radius > 0 && radius.isFinite) { throw .radius(radius) }
    if margin < 0 { throw .margin(margin) }
    if labels < 1 { throw .labels(labels) }
    if mask == .window || mask == .reverse, keep == .random { throw .keep(mask, keep) }
    try validateRegion()
    if masksPixels || mask == .stitched, block < 1 || shape.size % block != 0 {
      throw .block(block: block, size: shape.size)
    }
    if masksPixels, ring == .remote, hasRingInItself(size: shape.size) {
      throw .ring(block: block, margin: margin, size: shape.size)
    }
    try validateStrength()
  }

  func validateRegion() throws(MaskError) {
    guard let region else { return }
    if !(region.share > 0 && region.share < 1 && region.noises > 0) {
      throw .region(share: region.share, noises: region.noises)
    }
  }

  func validateStrength() throws(MaskError) {
    if let amplitude, !(amplitude > 0 && amplitude.isFinite) { throw .amplitude(amplitude) }
    let range = (low: sigmaLow ?? 0, high: sigmaHigh ?? .infinity)
    if !(range.low <= range.high && range.high > 0 && range.low < .infinity) {
      throw .sigmaRange(low: sigmaLow, high: sigmaHigh)
    }
  }

  /// Whether a ring that is moved by half a picture meets the block, or the ring, that it is moved from:
  /// then it shows less than that one, or some of the same.
  package func hasRingInItself(size: Int) -> Bool {
    margin > size / 2 || block + 2 * margin > size / 2
  }
}

extension MaskSpecification {
  /// Whether the mask changes nothing, for certain: a weaker bound than what a denoiser really uses.
  ///
  /// - Parameters:
  ///   - mostLabels: of a conditioner; `nil`: any number.
  ///   - pixelReach: how many pixels away an output depends on pixels at most; `nil`: anywhere.
  ///   - labelReach: the same for the cells of labels.
  package func cutsNothing(
    size: Int, cellSize: Int, mostLabels: Int?, pixelReach: Int?, labelReach: Int?
  ) -> Bool {
    let reach = min(pixelReach ?? size, size)
    let seesAll = min(margin, size) + block >= size
    // What is beside a remote ring's block is hidden, however near.
    let cutsPixels =
      !seesAll
      && (ring == .remote
        ? reach > 0 && block < size && margin > 0 || margin < reach : margin < reach)
    let side = Double(min(labelReach ?? size, size)) + Double(cellSize) / 2
    let hidesLabels = radius < 2.0.squareRoot() * side
    let most = mostLabels ?? .max
    // A labelled pixel sees all of so few.
    let cutsLabels =
      switch at {
      case nil: most > 0 && (hidesLabels || most > labels)
      case .objects: most > labels
      case .ground: most > 0 && hidesLabels
      }
    let cutsWindow =
      switch at {
      // Two labels inside, of which one is the pixel's own.
      case nil where keep == .far: most > 1
      case nil: most > 0 && radius < side
      // A label inside, and one outside; or two inside.
      case .objects: most > 1 && (keep == .far || radius < side)
      // Without any inside those outside are all.
      case .ground: most > 0 && keep == .near && radius < side
      }
    return switch mask {
    case .identity, .stitched, .path: false
    // Without any word z(∅) is what stands there; with one alone its projection changes it, unless it is told
    // beside others.
    case .features: most < (features?.beside == .word ? 2 : 1)
    case .pixel: !cutsPixels
    case .conditioner: !cutsLabels
    case .both: !cutsPixels && !cutsLabels
    case .window: !cutsWindow
    case .sum: most < 2
    case .reverse, .concept: most == 0
    }
  }
}

extension MaskSpecification: Codable {
  private enum CodingKeys: String, CodingKey {
    case mask, labels, keep, at, radius, block, margin, ring, fill, seed, sigmaLow, sigmaHigh
    case amplitude, path, keepsOwn, features, region
  }

  /// What an earlier version made without these members showed one label, the nearest.
  ///
  /// - Throws: for a mask of pixels of that version, whose fills stayed the same along a trajectory.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let ring = try container.decodeIfPresent(Ring.self, forKey: .ring)
    self.init(
      mask: try container.decode(Name.self, forKey: .mask),
      labels: try container.decodeIfPresent(Int.self, forKey: .labels) ?? 1,
      keep: try container.decodeIfPresent(Keep.self, forKey: .keep) ?? .near,
      at: try container.decodeIfPresent(Place.self, forKey: .at),
      radius: try container.decode(Double.self, forKey: .radius),
      block: try container.decode(Int.self, forKey: .block),
      margin: try container.decode(Int.self, forKey: .margin), ring: ring ?? .near,
      fill: try container.decode(Fill.self, forKey: .fill),
      seed: try container.decode(UInt64.self, forKey: .seed),
      sigmaLow: try container.decodeIfPresent(Double.self, forKey: .sigmaLow),
      sigmaHigh: try container.decodeIfPresent(Double.self, forKey: .sigmaHigh),
      amplitude: try container.decodeIfPresent(Double.self, forKey: .amplitude),
      path: try container.decodeIfPresent(NetworkPath.self, forKey: .path),
      features: try container.decodeIfPresent(FeatureMask.self, forKey: .features),
      region: try container.decodeIfPresent(RegionMask.self, forKey: .region))
    keepsOwn = try container.decodeIfPresent(Bool.self, forKey: .keepsOwn)
    if masksPixels, ring == nil {
      throw DecodingError.dataCorruptedError(
        forKey: .ring, in: container,
        debugDescription: "a mask of pixels from an earlier version; run its stage again")
    }
  }
}
