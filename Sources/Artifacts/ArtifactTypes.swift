import Workflow

/// What flows between stages, each with its manifest in a file of this folder.
extension ArtifactType {
  /// Pictures with their conditioners: `PictureSetManifest`.
  public static let pictureSet = ArtifactType("picture-set")
  /// Whatever can be sampled and probed: `DenoiserManifest`.
  public static let denoiser = ArtifactType("denoiser")
  /// A detector of objects: `JudgeManifest`.
  public static let judge = ArtifactType("judge")
  /// What an evaluation found, a row a picture: `OutcomesManifest`.
  public static let outcomes = ArtifactType("outcomes")
  /// `SummaryManifest`s: results that stand in metrics, for people and not for further stages.
  public static let locality = ArtifactType("locality")
  public static let agreement = ArtifactType("agreement")
  public static let comparison = ArtifactType("comparison")
  public static let theory = ArtifactType("theory")
}
