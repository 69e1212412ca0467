import Artifacts
import Diffusion
import Evaluation
import Foundation
import Lineage
import Measures
import Scenes
import Statistics
import Workflow

/// `judge`: the detector that finds objects in generated pictures, trained and calibrated on renders.
enum JudgeStage {
  struct Options: Settings {
    @Setting(Shared.camera) var camera: CameraKind
    @Setting(Shared.size) var size: Int
    @Setting(Shared.cells) var cells: Int
    @Setting(100...1_000_000, default: 6000, isBudget: true, "different renders to train on")
    var renders: Int
    @Setting(32...100_000_000, default: 16000, isBudget: true, "pictures seen in training")
    var pictures: Int
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
    name: "judge", version: 5,
    summary: "Trains a detector on renders of 0 to 12 objects and calibrates it on others.",
    settings: Options.self, inputs: [], produces: .judge,
    check: { Shared.checkView(size: $0.size, cells: $0.cells) },
    foresee: { options, _ in
      Foreseen(camera: options.camera, size: options.size, space: .grid(cells: options.cells))
        .value
    }, memory: { options, _ in options.renders * options.size * options.size * 3 }, run: run)

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let settings = JudgeSettings(
      camera: options.camera, size: options.size, cells: options.cells, renders: options.renders,
      pictures: options.pictures, heldOut: options.heldOut, tolerance: options.tolerance)
    let trained = try trainJudge(
      settings, seed: context.seed, threads: context.threads,
      checkpointing: try context.checkpointing()
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
    let looks = trained.looks
    metrics += [
      Measure.solidShare.row(looks.solidShare), Measure.faintShare.row(looks.faintShare),
      Measure.faintRecall.row(looks.judgeRecall, .detector(.trained)),
      Measure.faintRecall.row(looks.backgroundRecall, .detector(.background)),
    ]
    metrics += ObjectAttributes.Kind.allCases.map {
      Measure.attributeAccuracy.row(looks.accuracy($0), .attribute($0.rawValue))
    }
    metrics += ObjectAttributes.Kind.allCases.compactMap { kind in
      neighbourDependence(looks.rendered, kind, seed: context.seed).map {
        Measure.renderedDependence.row($0, .attribute(kind.rawValue))
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
