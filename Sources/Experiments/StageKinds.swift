import Vectors
import Workflow

/// The kinds of stage that a pipeline file may name.
package enum Experiments {
  package static let stageKinds: [StageKind] = [
    GenerateStage.kind, JudgeStage.kind, TrainStage.kind, ProbeStage.kind, InterveneStage.kind,
    EvaluateStage.kind, CompareStage.kind, TheoryStage.kind, AnalyticStage.kind, AgreeStage.kind,
    ImportStage.kind,
  ]

  /// The instruction set of their numeric modules.
  package static let instructions = instructionSet
}
