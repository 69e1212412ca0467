import Workflow

/// What flows between stages, each with its manifest in a file of this folder.
extension ArtifactType {
  /// Pictures with their conditioners: `PictureSetManifest`.
  package static let pictureSet = ArtifactType("picture-set")
  /// Whatever can be sampled and probed: `DenoiserManifest`.
  package static let denoiser = ArtifactType("denoiser")
  /// A detector of objects: `JudgeManifest`.
  package static let judge = ArtifactType("judge")
  /// What an evaluation found, a row a picture: `OutcomesManifest`.
  package static let outcomes = ArtifactType("outcomes")
  /// `SummaryManifest`s: results that stand in metrics, for people and not for further stages.
  package static let locality = ArtifactType("locality")
  /// Noised pictures with the exact answers to them: `PosteriorManifest`.
  package static let posterior = ArtifactType("posterior")
  /// What words change inside a network, with their subspaces: `FeaturesManifest`.
  package static let features = ArtifactType("features")
  package static let scoreError = ArtifactType("score-error")
  package static let agreement = ArtifactType("agreement")
  /// In which order denoisers are expected to compose: `PredictionManifest`.
  package static let prediction = ArtifactType("prediction")
  package static let quality = ArtifactType("quality")
  package static let realism = ArtifactType("realism")
  package static let variance = ArtifactType("variance")
  package static let comparison = ArtifactType("comparison")
  package static let theory = ArtifactType("theory")
  /// What a person found on a sheet: `CountsManifest`.
  package static let counts = ArtifactType("counts")
}
