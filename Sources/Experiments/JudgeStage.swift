import Evaluation
import Foundation
import Lineage
import Statistics
import Workflow

/// `judge`: the detector that finds objects in generated pictures, trained and calibrated on renders.
enum JudgeStage {
  static let kind = StageKind(
    name: "judge", version: 2,
    summary: "Trains a detector on renders of 0 to 12 objects and calibrates it on others.",
    parameters: GenerateStage.viewParameters + [
      Parameter(
        "renders", .integer(100...1_000_000), default: .integer(6000),
        help: "different renders to train on"),
      Parameter(
        "pictures", .integer(32...100_000_000), default: .integer(16000),
        help: "pictures seen in training"),
      Parameter(
        "held_out", .integer(5...100_000), default: .integer(60),
        help: "renders a K for the threshold, and as many others for the calibration"),
      Parameter(
        "tolerance", .number(0.001...0.5), default: .number(0.08),
        help: "how far a detection may lie from the object, as a share of the picture's side"),
    ],
    inputs: [], check: GenerateStage.checkView, run: run)

  private static func run(_ context: StageContext) throws -> StageOutput {
    let parameters = context.parameters
    let settings = JudgeSettings(
      camera: try parameters.choice("camera"), size: try parameters.integer("size"),
      cells: try parameters.integer("cells"), renders: try parameters.integer("renders"),
      pictures: try parameters.integer("pictures"), heldOut: try parameters.integer("held_out"),
      tolerance: try parameters.number("tolerance"))
    let trained = try trainJudge(
      settings, seed: context.seed, threads: context.threads, checkpointing: context.checkpointing()
    ) { done, total, loss in
      context.progress(
        StageProgress(
          done: done, total: total, unit: "pictures", metrics: [MetricRow("loss", loss)]))
    }
    var metrics = trained.curve.map { MetricRow("loss", $0.loss, step: Double($0.pictures)) }
    metrics.append(MetricRow("judge_threshold", Double(trained.judge.threshold), arm: "trained"))
    metrics.append(
      MetricRow("judge_threshold", Double(trained.background.threshold), arm: "background"))
    for (arm, calibrations) in [
      ("trained", trained.judgeCalibration), ("background", trained.backgroundCalibration),
    ] {
      for calibration in calibrations {
        if let recall = calibration.recall {
          metrics.append(.interval("judge_recall", recall, k: calibration.k, arm: arm))
        }
        if let precision = calibration.precision {
          metrics.append(.interval("judge_precision", precision, k: calibration.k, arm: arm))
        }
        metrics.append(.interval("judge_exact", calibration.exact, k: calibration.k, arm: arm))
      }
    }
    let file = JudgeFile(trained, settings: settings)
    return StageOutput(
      files: [try context.output("weights", kind: "judge", .safetensors, file.data())],
      metrics: metrics)
  }
}

extension MetricRow {
  /// A metric with its interval.
  static func interval(
    _ name: String, _ interval: Interval, k: Int? = nil, seed: Int? = nil, arm: String? = nil,
    unit: String? = nil
  ) -> MetricRow {
    MetricRow(
      name, interval.value, k: k, seed: seed, arm: arm, ciLow: interval.low,
      ciHigh: interval.high, n: interval.n, unit: unit)
  }
}
