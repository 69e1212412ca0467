import Diffusion

/// How it is found where entries of a conditioner act, of masks by region.
package struct RegionMask: Sendable, Hashable, Codable {
  /// What an entry's own effect is.
  package enum KnockOut: String, Sendable, Codable, CaseIterable {
    /// All that is told, against all but the entry.
    case among
    /// The entry alone, against nothing: its region does not depend on what else is told.
    case alone
  }

  package static let defaultShare = 0.75

  /// Share of the entry's squared effect that its region holds.
  package var share: Double
  /// Noises on which it is found, none of them that of the input.
  package var noises: Int
  package var knockOut: KnockOut

  package init(
    share: Double = defaultShare, noises: Int = 2, knockOut: KnockOut = .among
  ) {
    self.share = share
    self.noises = noises
    self.knockOut = knockOut
  }
}

/// How a mask by region is put together.
extension MaskSpecification {
  /// The most passes of the base that one pass costs, with so many entries told; `nil` for masks that are not for
  /// models of any shape.
  package func mostPasses(told: Int) -> Int? {
    switch mask {
    case .identity: 1
    case .sum, .reverse: told + 1
    case .concept:
      told == 0
        ? 1
        : 1 + (region?.noises ?? 1) * (1 + told) + (1 << min(told, 20))
    case .stitched, .conditioner, .window, .pixel, .both, .path, .features: nil
    }
  }

  /// - Throws: `MaskError` for a mask that goes by what only square pictures of Locus have.
  func validate(_ shape: FieldShape) throws(MaskError) {
    if mostPasses(told: 0) == nil { throw .noFieldMask(mask) }
    try validateRegion()
    try validateStrength()
  }
}
