import Diffusion
import Features
import Formats
import Scenes
import Workflow

/// What is known of pictures, denoisers, judges and what is measured on them before they are made: enough
/// to refuse what does not fit.
/// A member that is `nil` will only be known afterwards.
package struct Foreseen: Codable, Sendable {
  package var camera: CameraKind?
  package var size: Int?
  package var space: ConditionerSpace?
  package var labelling: Labelling?
  /// Fewest and most objects in a training picture.
  package var objects: [Int]?
  /// Combinations of words that no training picture has.
  package var heldOut: [[String]]?
  /// How many pixels away an output still depends on pixels, and on labels, by construction; `nil` where
  /// nothing bounds it.
  package var pixelReach: Int?
  package var labelReach: Int?
  /// The paths of non-local dependence inside a denoiser that can be cut; none of one that is no network.
  package var paths: [NetworkPath]?
  /// The levels whose features can be read and replaced and hear of words; none of one that is no U-Net.
  package var levels: [NetworkLevel]?
  /// Of a measurement of features: the level.
  package var level: NetworkLevel?
  /// … and in which features.
  package var featureSpace: FeatureSpace?
  /// Whether a denoiser is a network, which can go on learning.
  package var isNetwork: Bool?
  /// Whether a denoiser is behind a mask.
  package var isMasked: Bool?
  /// Of a training: the numbers of pictures after which its weights are kept.
  package var snapshots: [Int]?
  /// The instance that makes it, and by what it computes: Workflow adds them where a store is at hand.
  package var stage: String?
  package var numerics: String?
  /// Of an evaluation: the instance that made its denoiser, and of a masked one its base.
  package var denoiser: String?
  package var base: String?
  /// The K at which a denoiser is evaluated or probed.
  package var counts: [Int]?
  /// Of an evaluation: the scale of its guidance.
  package var guidance: Double?
  /// The noise levels at which it is probed.
  package var sigmas: [Double]?
  /// Those at which what is remote to an object is changed.
  package var remoteSigmas: [Double]?

  package init(
    camera: CameraKind? = nil, size: Int? = nil, space: ConditionerSpace? = nil,
    labelling: Labelling? = nil, objects: [Int]? = nil, isMasked: Bool? = nil,
    counts: [Int]? = nil, sigmas: [Double]? = nil, remoteSigmas: [Double]? = nil
  ) {
    self.camera = camera
    self.size = size
    self.space = space
    self.labelling = labelling
    self.objects = objects
    self.isMasked = isMasked
    self.counts = counts
    self.sigmas = sigmas
    self.remoteSigmas = remoteSigmas
  }

  /// For Workflow, which hands it on.
  package var value: JSONValue { (try? json()) ?? .null }

  /// What is foreseen of an input; nothing where it is not given.
  package init(_ upstream: Upstream, _ role: String) { self.init(upstream.one(role)) }

  /// Where cells lie, if conditioners are known to name them.
  package var grid: CellGrid? {
    guard let size, case .grid(let cells)? = space, cells > 0, size % cells == 0 else { return nil }
    return CellGrid(size: size, cells: cells)
  }

  package init(_ value: JSONValue?) {
    self = value.flatMap { try? Foreseen(json: $0) } ?? Foreseen()
  }

  /// Whether the other is known to look at other pictures; the two differences that matter, in words.
  package func difference(from other: Foreseen) -> String? {
    if let size, let theirs = other.size, size != theirs { return "\(size) px and \(theirs) px" }
    if let camera, let theirs = other.camera, camera != theirs {
      return "camera \"\(camera.rawValue)\" and \"\(theirs.rawValue)\""
    }
    return nil
  }

  /// The same, and whether their conditioners are of other spaces.
  package func differenceOfShape(from other: Foreseen) -> String? {
    if let difference = difference(from: other) { return difference }
    guard let space, let theirs = other.space, space != theirs else { return nil }
    return "conditioners \(space.text) and \(theirs.text)"
  }
}
