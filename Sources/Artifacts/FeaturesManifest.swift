import Diffusion
import Features
import Formats
import Workflow

/// What words change at a level of a network, and the subspaces of its channels in which they do.
package struct FeaturesManifest: Manifest {
  package static let type = ArtifactType.features
  /// SHA-256 of the denoiser's manifest.
  package var denoiser: String
  package var level: NetworkLevel
  /// `nil`: the level's own activations.
  package var space: FeatureSpace?
  /// In the order of a conditioner's entries.
  package var words: [String]
  /// Told beside a word when its subspace was learned.
  package var beside: Beside
  /// SHA-256 of a `SubspaceTable`, and of the measurements.
  package var subspaces: String
  package var table: String

  package init(
    denoiser: String, level: NetworkLevel, space: FeatureSpace, words: [String], beside: Beside,
    subspaces: String, table: String
  ) {
    self.space = space == .level ? nil : space
    self.beside = beside
    self.denoiser = denoiser
    self.level = level
    self.words = words
    self.subspaces = subspaces
    self.table = table
  }
}

extension StageFile {
  package func subspaces() throws -> SubspaceTable {
    do {
      return try SubspaceTable(data: try data())
    } catch let error as FormatError {
      throw ArtifactError(file: self, reason: error.description)
    }
  }
}
