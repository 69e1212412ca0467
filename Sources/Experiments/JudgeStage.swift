import Artifacts
import Diffusion
import Evaluation
import Foundation
import Lineage
import Scenes
import Statistics
import Workflow

/// `judge`: the detector that finds objects in generated pictures, trained and calibrated on renders.
enum JudgeStage {
  struct Options: Settings {
    @Setting(Shared.camera) var camera: CameraKind
    @Setting(Shared.size) var size: Int
    @Setting(Shared.cells) var cells: Int
    @Setting(100...1_000_000, default: 6000, "different renders to train on") var renders: Int
    @Setting(32...100_000_000, default: 16000, "pictures seen in training") var pictures: Int
    @Setting(
      5...100_000, default: 60,
      "renders a K for the threshold, and as many others for the calibration")
    var heldOut: Int
    @Setting(
      Shared.judgeTolerance, default: 0.08, unit: "of the side",
      "how far a detection may lie from the object, as a share of the picture's side")
    var tolerance: Double
  }

  static let kind = StageKind(
    name: "judge", version: 3,
    summary: "Trains a detector on renders of 0 to 12 objects and calibrates it on others.",
    settings: Options.self, inputs: [], produces: .judge,
    check: { Shared.checkView(size: $0.size, cells: $0.cells) },
    foresee: { options, _ in
      Foreseen(camera: options.camera, size: options.size, space: .grid(cells: options.cells))
        .value
    }, run: run)

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let settings = JudgeSettings(
      camera: options.camera, size: options.size, cells: options.cells, renders: options.renders,
      pictures: options.pictures, heldOut: options.heldOut, tolerance: options.tolerance)
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
    let weights = JudgeFile(trained, settings: settings).data()
    let manifest = JudgeManifest(
      camera: options.camera, size: options.size, space: .grid(cells: options.cells),
      weights: SHA256.hash(weights))
    return StageOutput(
      files: [
        try context.output(manifest),
        try context.output("weights", kind: "judge", .safetensors, weights),
      ], metrics: metrics)
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
