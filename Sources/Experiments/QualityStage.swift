import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Statistics
import Workflow

/// `quality`: what an evaluation's pictures are like beside held-out renders: whether their features have the
/// same law, and whether they are nearer to training pictures.
///
/// A kind of its own, on the pictures that `evaluate` stored: evaluations stay as they are, and nothing is
/// drawn again.
enum QualityStage {
  struct Options: Settings {
    @Setting(Shared.featureAxes) var dimensions: Int
    @Setting(Shared.axisRenders) var renders: Int
    @Setting(Shared.halfSplits) var splits: Int
    @Setting(Shared.distanceResamples) var resamples: Int
  }

  static let kind = StageKind(
    name: "quality", version: 1,
    summary: "Fréchet distance and nearest training picture of drawn pictures and of renders.",
    settings: Options.self,
    inputs: [
      InputDeclaration("outcomes", accepts: [.outcomes], help: "the evaluation with the pictures"),
      InputDeclaration("judge", accepts: [.judge], help: "whose features are compared"),
      InputDeclaration(
        "scenes", accepts: [.pictureSet], help: "the pictures that the denoiser was trained on"),
    ], produces: .quality, checkInputs: checkInputs,
    memory: { options, context in
      let scenes = try PictureSetManifest("scenes", of: context)
      let outcomes = try OutcomesManifest(context.input("outcomes").manifest)
      // Of drawn pictures, and of three times as many renders, bytes and floats.
      return try scenes.bytes(context) + 16 * context.object(outcomes.samples).size
    }, run: run)

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let scenes = Foreseen(upstream, "scenes")
    let judge = Shared.checkJudge(upstream, of: scenes, as: "scenes")
    if !judge.isEmpty { return judge }
    if let difference = Foreseen(upstream, "outcomes").differenceOfShape(from: scenes) {
      return [
        ParameterProblem(
          path: "inputs.scenes",
          message:
            "the evaluated denoiser and scenes differ: \(difference); give the pictures that it was trained on"
        )
      ]
    }
    return Shared.checkPlaces(
      scenes, path: "inputs.scenes",
      what: "renders are laid out by places; accepted: scenes of cells")
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let samples = try DrawnSamples("outcomes", of: context)
    let (judge, judgeManifest) = try JudgeFile.read("judge", of: context)
    let scenes = try PictureSet("scenes", of: context)
    if judge.size != samples.size || scenes.shape.size != samples.size {
      throw MismatchError(
        "pictures of \(samples.size) px, a judge of \(judge.size) px and scenes of \(scenes.shape.size) px; give"
          + " the judge and the scenes of the evaluation")
    }
    let renders = QualityRenders(
      grid: try scenes.shape.places(), camera: judge.camera,
      spacing: samples.manifest.conditions.spacing, context: context)
    let looked = try QualityLook(
      samples, judge: judge.judge, scenes: scenes, renders: renders, options: options, context)
    let table = Data(looked.table.canonicalText().utf8)
    return StageOutput(
      files: [
        try context.output(
          QualityManifest(
            outcomes: samples.sha256, scenes: try context.input("scenes").manifest.sha256,
            judge: judgeManifest.weights, table: SHA256.hash(table))),
        try context.output("table", kind: "quality", .json, table),
      ], metrics: looked.metrics)
  }
}

/// Settings of kinds that take the distance of pictures in a judge's features.
extension Shared {
  static let featureAxes = Setting<Int>(
    1...16, default: 8, "axes of the judge's features: principal components of renders")
  static let axisRenders = Setting<Int>(
    8...10000, default: 64, "renders a K by which the axes are chosen")
  static let halfSplits = Setting<Int>(
    20...100_000, default: 200,
    "splits of held-out renders into halves, each as large as what was drawn")
  static let distanceResamples = Setting<Int>(
    20...100_000, default: 400, "resamples of pictures for the distance's interval")
}

/// Renders of K objects, laid out as requested places are, that nobody trains on.
struct QualityRenders {
  let grid: CellGrid
  let camera: CameraKind
  let spacing: LayoutSpacing
  let context: StageContext

  /// What renders are for: no picture is for two things.
  enum Use: Int {
    case axes, features, training

    /// The first of the renders of K objects that are for it.
    func first(k: Int) -> Int { k << 32 + rawValue << 28 }
  }

  /// (N, S, S, 3) bytes.
  func pixels(k: Int, _ use: Use, count: Int) throws -> [UInt8] {
    let settings = requestedScenes(k: k, grid: grid, camera: camera, spacing: spacing)
    let picture = grid.size * grid.size * PictureShape.channels
    var pixels: [UInt8] = []
    var next = use.first(k: k)
    let last = next + 256 * count
    while pixels.count < count * picture {
      if next >= last {
        throw EvaluationError.setting(
          name: "cells", found: "\(grid.cells)", accepted: "a grid fine enough for \(k) objects")
      }
      let set = try renderSet(
        settings, seed: context.seed, indices: next..<next + count - pixels.count / picture,
        purpose: .featureRenders, threads: context.threads)
      try context.checkCancellation()
      next += set.scenes.count
      // As of requests: no two objects in a cell.
      for n in set.scenes.indices
      where set.conditioners[n * grid.count..<(n + 1) * grid.count].allSatisfy({ $0 < 2 }) {
        pixels += set.pixels[n * picture..<(n + 1) * picture]
      }
    }
    return pixels
  }
}
