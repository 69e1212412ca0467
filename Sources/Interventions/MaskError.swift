import Diffusion
import Formats

/// A mask that cannot be applied, or that does not do what its name says.
package enum MaskError: CategorizedError, Hashable, CustomStringConvertible {
  case block(block: Int, size: Int)
  case margin(Int)
  case radius(Double)
  case labels(Int)
  case keep(MaskSpecification.Name, MaskSpecification.Keep)
  /// A remote ring that meets its own block.
  case ring(block: Int, margin: Int, size: Int)
  /// A mask that goes by the places of labels, on conditioners without.
  case places(MaskSpecification.Name, NoPlaces)
  case sigmaRange(low: Double?, high: Double?)
  case amplitude(Double)
  case region(share: Double, noises: Int)
  /// What goes by pixels or places of labels, of a model of a shape of its own.
  case noFieldMask(MaskSpecification.Name)
  /// What a network cannot be trained under.
  case noLabelMask(MaskSpecification.Name)
  case fill(found: Int, expected: Int)
  /// What goes on inside a network, and no denoiser in which it does.
  case uncut(MaskSpecification.Name)
  /// A level of which no subspaces are known.
  case subspaces(level: String, found: [String])
  /// Words and channels of other subspaces than the network's.
  case otherSubspaces(found: [Int], expected: [Int])
  case noGradient(MaskSpecification.Name)
  case baseResult(found: Int, expected: Int)
  case changedNothing(MaskSpecification.Name)
  case identityChanged(MaskSpecification.Name, largest: Float)
  case changedOutside(MaskSpecification.Name, largest: Float)
  case ignoresLabels(MaskSpecification.Name)

  package var category: ErrorCategory {
    switch self {
    case .block, .margin, .radius, .labels, .keep, .ring, .places, .sigmaRange, .fill, .amplitude,
      .region, .noFieldMask, .noLabelMask, .subspaces, .otherSubspaces, .noGradient,
      .changedNothing, .ignoresLabels:
      .data
    case .uncut, .baseResult, .identityChanged, .changedOutside: .bug
    }
  }

  package var description: String {
    switch self {
    case .block(let block, let size):
      "a block of \(block) px does not divide a picture of \(size) px"
    case .margin(let margin):
      "a margin of \(margin) px; margins are 0 or more"
    case .radius(let radius):
      "a radius of \(radius) px; the reach of a label is finite and above 0"
    case .labels(let labels): "\(labels) labels a pass; a labelled pixel sees 1 or more"
    case .keep(let name, let keep):
      "mask `\(name.rawValue)` keeps what is \(keep.rawValue); accepted: near, far"
    case .ring(let block, let margin, let size):
      "a ring of \(margin) px, half a picture of \(size) px away from its block of \(block) px, meets that"
        + " block or the ring around it"
    case .places(let name, let error): "mask `\(name.rawValue)`: \(error.description)"
    case .sigmaRange(let low, let high):
      "a mask from sigma \(low ?? 0) to \(high.map { "\($0)" } ?? "infinity"): the range holds no"
        + " noise level"
    case .amplitude(let amplitude):
      "an amplitude of \(amplitude); labels tell more or less than 1 by a finite number above 0"
    case .region(let share, let noises):
      "a region with a share of \(share) of an effect, found on \(noises) noises; the share lies between 0 and 1,"
        + " and noises are 1 or more"
    case .noFieldMask(let name):
      "mask `\(name.rawValue)` goes by pixels, by the places of labels or by a network's parts, which a model of"
        + " a shape of its own does not show; accepted: "
        + MaskSpecification.Name.allCases.filter {
          MaskSpecification(mask: $0).mostPasses(told: 0) != nil
        }.map(\.rawValue).joined(separator: ", ")
    case .noLabelMask(let name):
      "mask `\(name.rawValue)` does not stitch passes of whole pictures by their labels; accepted:"
        + " conditioner, window"
    case .fill(let found, let expected):
      "the fill has \(found) values, expected whole pictures of \(expected)"
    case .uncut(let name):
      "mask `\(name.rawValue)` was not given the denoiser in which it is done"
    case .subspaces(let level, let found):
      "there are no subspaces of words at level \"\(level)\"; accepted: "
        + (found.isEmpty
          ? "none, without an input `features`"
          : found.map { "\"\($0)\"" }.joined(separator: ", "))
    case .otherSubspaces(let found, let expected):
      "subspaces of \(found[0]) words in \(found[1]) channels, and the network has \(expected[0]) and"
        + " \(expected[1]); give the features of this denoiser"
    case .noGradient(let name):
      "mask `\(name.rawValue)` has no gradients: probe the denoiser behind it"
    case .baseResult(let found, let expected):
      "the denoiser behind the mask gave \(found) values, expected \(expected)"
    case .changedNothing(let name):
      "mask `\(name.rawValue)` changed no output anywhere: it cuts nothing that this denoiser uses;"
        + " check its radius, block and margin"
    case .ignoresLabels(let name):
      "mask `\(name.rawValue)` leaves a denoiser whose output does not depend on the labels, where its"
        + " base's does: its pictures cannot follow a layout; check its radius"
    case .identityChanged(let name, let largest):
      "mask `\(name.rawValue)` changed an output by up to \(largest): the masking machinery itself is at fault"
    case .changedOutside(let name, let largest):
      "mask `\(name.rawValue)` changed an output by up to \(largest) at a sigma outside its range:"
        + " the masking machinery itself is at fault"
    }
  }
}
