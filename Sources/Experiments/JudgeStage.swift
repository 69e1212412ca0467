import Evaluation
import Foundation
import Lineage
import Measures
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
          done: done, total: total, unit: "pictures", metrics: [Measure.loss.row(loss)]))
    }
    var metrics = trained.curve.map { Measure.loss.row($0.loss, .pictures($0.pictures)) }
    for (detector, threshold, calibrations) in [
      (Detector.trained, trained.judge.threshold, trained.judgeCalibration),
      (.background, trained.background.threshold, trained.backgroundCalibration),
    ] {
      metrics.append(Measure.judgeThreshold.row(Double(threshold), .detector(detector)))
      for calibration in calibrations {
        let at = (Coordinate.k(calibration.k), Coordinate.detector(detector))
        if let recall = calibration.recall {
          metrics.append(Measure.judgeRecall.row(recall, at.0, at.1))
        }
        if let precision = calibration.precision {
          metrics.append(Measure.judgePrecision.row(precision, at.0, at.1))
        }
        metrics.append(Measure.judgeExact.row(calibration.exact, at.0, at.1))
      }
    }
    let file = JudgeFile(trained, settings: settings)
    return StageOutput(
      files: [try context.output("weights", kind: "judge", .safetensors, file.data())],
      metrics: metrics)
  }
}
