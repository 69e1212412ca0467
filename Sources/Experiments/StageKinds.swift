import Vectors
import Workflow

/// The kinds of stage that a pipeline file may name.
package enum Experiments {
  package static let stageKinds: [StageKind] = [
    GenerateStage.kind, JudgeStage.kind, TrainStage.kind, ProbeStage.kind, InterveneStage.kind,
    EvaluateStage.kind, CompareStage.kind, TheoryStage.kind, AnalyticStage.kind, AgreeStage.kind,
    ImportStage.kind, UntrainedStage.kind, CountStage.kind, SnapshotStage.kind,
    ImportCLEVRStage.kind, ImportPositionsStage.kind, ImportArraysStage.kind,
    FinetuneStage.kind, PredictStage.kind, PosteriorStage.kind, ScoreErrorStage.kind,
    VarianceStage.kind, QualityStage.kind, RealismStage.kind, ExternalStage.kind,
    FeaturesStage.kind,
  ].map(computing)

  /// What computes exponentials in double, with its version.
  package static let mathematicalLibrary = Vectors.mathematicalLibrary

  /// The kind, computed by the numeric modules as they are built here.
  static func computing(_ kind: StageKind) -> StageKind {
    var kind = kind
    kind.instructions = [instructionSet, mathematicalLibrary].compactMap { $0 }
      .joined(separator: ", ")
    return kind
  }
}
