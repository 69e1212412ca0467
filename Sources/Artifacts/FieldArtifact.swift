import Diffusion
import External
import Formats
import Interventions
import Workflow

/// A model of a shape of its own, started.
package struct FieldArtifact: Sendable {
  package let model: any FieldDenoiser
  /// What another program computes: the model itself, or what is behind its mask.
  package let peer: PeerModel
  /// SHA-256 of its manifest.
  package let sha256: String
  package let field: DenoiserManifest.Field
  package let mask: MaskSpecification?

  /// The model that a stage was given; `nil` for a denoiser of pictures of Locus.
  package init?(_ role: String, of context: StageContext) throws {
    let file = try context.input(role).manifest
    guard let found = try Self.parts(file, context.object) else { return nil }
    sha256 = file.sha256
    field = found.field
    mask = found.mask
    peer = try found.external.model(
      object: context.object, note: context.note, checkCancellation: context.checkCancellation)
    guard peer.peer.hello.shape == field.shape, peer.fieldShape.entries == field.entries.count
    else { throw ArtifactError(file: file, reason: "describes another model than its program is") }
    let plain = peer
    model = try mask.map { try MaskedField(base: plain, specification: $0) } ?? plain
  }

  private static func parts(_ file: StageFile, _ object: (String) throws -> StageFile) throws -> (
    field: DenoiserManifest.Field, external: DenoiserManifest.External, mask: MaskSpecification?
  )? {
    switch try DenoiserManifest(file) {
    case .field(let field, let external): return (field, external, nil)
    case .maskedField(let field, let mask):
      let base = try object(mask.base)
      guard case .field(field, let external) = try DenoiserManifest(base) else {
        throw ArtifactError(file: base, reason: "is not the model that the mask is of")
      }
      return (field, external, mask.mask)
    default: return nil
    }
  }
}

extension DenoiserManifest {
  /// A model of a shape of its own among a stage's inputs, not started, with its mask.
  package static func field(_ role: String, _ inputs: [String: [StageInput]]) -> (
    field: Field, mask: MaskSpecification?
  )? {
    guard let file = try? inputs[role]?.first?.manifest else { return nil }
    return (try? DenoiserManifest(file))?.field
  }

  /// A model of a shape of its own, with its mask.
  package var field: (field: Field, mask: MaskSpecification?)? {
    switch self {
    case .field(let field, _): (field, nil)
    case .maskedField(let field, let mask): (field, mask.mask)
    default: nil
    }
  }
}

/// What was probed of a model of a shape of its own.
package struct FieldProbeManifest: Manifest {
  package static let type = ArtifactType.locality
  /// SHA-256 of the model's manifest.
  package var denoiser: String
  /// SHA-256 of the measurements.
  package var table: String

  package init(denoiser: String, table: String) {
    self.denoiser = denoiser
    self.table = table
  }
}

/// What concepts change in an activation of such a model.
package struct FieldFeaturesManifest: Manifest {
  package static let type = ArtifactType.features
  /// SHA-256 of the model's manifest.
  package var denoiser: String
  /// The activation's name.
  package var feature: String
  /// In the order of a conditioner's entries.
  package var words: [String]
  /// SHA-256 of a `SubspaceTable`, and of the measurements.
  package var subspaces: String
  package var table: String

  package init(
    denoiser: String, feature: String, words: [String], subspaces: String, table: String
  ) {
    self.denoiser = denoiser
    self.feature = feature
    self.words = words
    self.subspaces = subspaces
    self.table = table
  }
}
