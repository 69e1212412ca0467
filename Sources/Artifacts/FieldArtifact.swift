import Diffusion
import External
import Formats
import Workflow

/// A model of a shape of its own, started.
package struct FieldArtifact: Sendable {
  package let model: PeerModel
  /// SHA-256 of its manifest.
  package let sha256: String
  package let field: DenoiserManifest.Field

  /// The model that a stage was given; `nil` for a denoiser of pictures of Locus.
  package init?(_ role: String, of context: StageContext) throws {
    let file = try context.input(role).manifest
    guard case .field(let field, let external) = try DenoiserManifest(file) else { return nil }
    sha256 = file.sha256
    self.field = field
    model = try external.model(
      object: context.object, note: context.note, checkCancellation: context.checkCancellation)
    guard model.peer.hello.shape == field.shape,
      model.fieldShape.entries == field.entries.count
    else { throw ArtifactError(file: file, reason: "describes another model than its program is") }
  }
}

extension DenoiserManifest {
  /// A model of a shape of its own among a stage's inputs, not started.
  package static func field(_ role: String, _ inputs: [String: [StageInput]]) -> Field? {
    guard let file = try? inputs[role]?.first?.manifest,
      case .field(let field, _)? = try? DenoiserManifest(file)
    else { return nil }
    return field
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
