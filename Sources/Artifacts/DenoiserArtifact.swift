import Analytic
import Diffusion
import Evaluation
import External
import Features
import Formats
import Foundation
import Interventions
import Scenes
import Workflow

/// Anything that can be sampled and probed, ready to be used.
package struct DenoiserArtifact: Sendable {
  package let denoiser: any Denoiser
  /// SHA-256 of its manifest: what other manifests call it.
  package let sha256: String
  package let training: DenoiserManifest.Training
  /// Of a masked one.
  package let mask: DenoiserManifest.Mask?
  /// Of a trained or imported one.
  package let network: NetworkDenoiser?
  /// Of one whose features may be told level by level: such a network, or a model that lives elsewhere.
  package let leveled: (any LevelDenoiser)?
  private let checkCancellation: @Sendable () throws -> Void

  package var origin: TrainingOrigin {
    TrainingOrigin(
      labelling: training.labelling, objects: training.objects[0]...training.objects[1])
  }

  /// The words of its conditioners, with what training held out; `nil` where these are places, or words that
  /// say nothing that is known of objects.
  package var words: PictureWords? { words(heldOut: training.heldOut) }

  /// The same of a denoiser whose training pictures are at hand: a model that lives elsewhere does not say what was
  /// held out of them.
  package func words(trainedOn scenes: PictureSet) -> PictureWords? {
    words(heldOut: network == nil ? training.heldOut ?? scenes.manifest.heldOut : training.heldOut)
  }

  private func words(heldOut: [[String]]?) -> PictureWords? {
    guard case .set(let texts) = training.space else { return nil }
    return PictureWords(texts, heldOut: heldOut ?? [])
  }

  /// The most labels that tell all of a training picture.
  package var mostLabels: Int {
    let objects = origin.objects.upperBound
    return words.map { min(objects * $0.perObject, $0.askable.count) } ?? objects
  }

  /// The denoiser that a stage was given; long work of it stops when the stage shall.
  package init(_ role: String, of context: StageContext) throws {
    try self.init(
      manifest: try context.input(role).manifest, object: context.object, note: context.note,
      checkCancellation: context.checkCancellation)
  }

  /// - Parameters:
  ///   - object: finds what the manifest names by hash.
  ///   - note: is told what a person should know of how it is used.
  ///   - checkCancellation: is called between few passes of the denoiser.
  /// - Throws: `ArtifactError` for what is not what its manifest says.
  package init(
    manifest file: StageFile, object: (String) throws -> StageFile,
    note: @escaping @Sendable (String) -> Void = { _ in },
    checkCancellation: @escaping @Sendable () throws -> Void = {}
  ) throws {
    sha256 = file.sha256
    self.checkCancellation = checkCancellation
    let plain: any Denoiser
    var isInterruptible = false
    switch try DenoiserManifest(file) {
    case .trained(let training, let network), .imported(let training, let network):
      let weights = try object(network.weights)
      let read = try weights.weights()
      guard read.denoiser.network.description.architecture == network.network,
        read.origin.labelling == training.labelling
      else { throw ArtifactError(file: weights, reason: "are other weights than the manifest's") }
      plain = read.denoiser
      self.network = read.denoiser
      leveled = read.denoiser
      self.training = training
      mask = nil
    case .machine(let training, let machine):
      plain = try AnalyticDenoiser(
        try PictureFiles(
          pixels: object(machine.pixels), conditioners: object(machine.conditioners),
          space: training.space
        ).trainingSet, machine.settings(training))
      self.training = training
      network = nil
      leveled = nil
      mask = nil
    case .masked(let mask):
      let base = try DenoiserArtifact(
        manifest: object(mask.base), object: object, note: note,
        checkCancellation: checkCancellation)
      denoiser = try MaskedDenoiser(
        base: base.denoiser, specification: mask.mask,
        fill: try mask.fill.map { try Self.fill(object($0)) } ?? [],
        cut: try base.inside(
          mask.mask, moments: try mask.moments.map { try object($0).normMoments() },
          subspaces: try mask.subspaces.map { try object($0).subspaces() }))
      training = base.training
      network = nil
      leveled = nil
      self.mask = mask
      return
    case .external(let training, let external):
      // It looks at a request to stop by itself, while it waits.
      let peer = try external.denoiser(
        object: object, note: note, checkCancellation: checkCancellation)
      plain = peer
      leveled = peer
      self.training = training
      network = nil
      mask = nil
      isInterruptible = true
    case .field(let field, let external): throw MisfitError(field, external.name)
    case .maskedField(let field, let mask):
      throw MisfitError(field, "a model behind mask `\(mask.mask.mask.rawValue)`")
    }
    guard training.objects.count == 2, training.objects[0] <= training.objects[1],
      plain.shape == PictureShape(size: training.size, space: training.space)
    else {
      throw ArtifactError(file: file, reason: "describes another denoiser than its files hold")
    }
    denoiser =
      isInterruptible ? plain : InterruptibleDenoiser(plain, checkCancellation: checkCancellation)
  }

  /// The same weights with what a mask does inside a network; `nil` for a mask that does nothing there.
  package func inside(
    _ mask: MaskSpecification, moments: NormMoments?, subspaces: SubspaceTable?
  ) throws -> (any Denoiser)? {
    if let path = mask.path {
      guard let network else { throw NetworkPathError.missing(path, found: []) }
      return InterruptibleDenoiser(
        try network.cutting(path, moments: moments), checkCancellation: checkCancellation)
    }
    guard let features = mask.features else { return nil }
    guard let network else { throw NetworkLevelError.missing(features.level, found: []) }
    return InterruptibleDenoiser(
      try ComposedFeatures(
        base: network, mask: features, subspaces: subspaces, seed: mask.seed),
      checkCancellation: checkCancellation)
  }

  private static func fill(_ file: StageFile) throws -> [Float] {
    guard case .float32(let values) = try file.array().elements else {
      throw ArtifactError(file: file, reason: "holds no float32 pictures")
    }
    return values
  }
}

extension MisfitError {
  /// A model of a shape of its own where pictures of Locus are needed.
  init(_ field: DenoiserManifest.Field, _ name: String) {
    self.init(
      name, "pictures are \(field.text)",
      "square ones of three channels, told of cells or words; there is neither a judge for others nor a place to ask an"
        + " object for. The kinds `probe`, `features` and `intervene` take it")
  }
}
