import Artifacts
import Diffusion
import Evaluation
import Measures
import Scenes
import Workflow

/// Settings and checks of kinds that draw layouts with a denoiser and have a judge look at them.
extension Shared {
  static let spacing = Setting<LayoutSpacing>(
    default: .clevr,
    "clevr: CLEVR's gap, more crowded with more objects; spaced: centres 1.65 apart at least")
  static let guidance = Setting<Double>(
    0...100, default: 1, isLate: true,
    "classifier-free guidance g: pictures are drawn with D(∅) + g (D(c) − D(∅)), from 2 passes a step but for 1"
  )
  static let guidanceSigmas = Setting<[Double]>(
    each: 0...1000, count: 2...2, default: Guidance.wholeRange, isLate: true,
    "lowest and highest noise level at which guidance holds")
  static let foundWithin = Setting<Double>(
    judgeTolerance, default: 0.08, unit: "of the side",
    "how far an object may lie from the requested cell's centre, as a share of the side")

  static func checkGuidance(_ guidance: Double, sigmas: [Double]) -> [ParameterProblem] {
    var problems: [ParameterProblem] = []
    if sigmas[0] > sigmas[1] {
      problems.append(
        ParameterProblem(
          path: "guidance_sigmas",
          message: "found \(sigmas), accepted: the lowest first, then the highest"))
    }
    if Guidance(scale: guidance, sigmas: sigmas) == nil, sigmas != Guidance.wholeRange {
      problems.append(
        ParameterProblem(
          path: "guidance_sigmas",
          message: "there is no guidance, `guidance` is 1; accepted: another `guidance`"))
    }
    return problems
  }

  /// A fault of a judge, or of training pictures, that a denoiser is not made for.
  static func checkDrawing(_ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    if let difference = Foreseen(upstream, "judge").difference(from: denoiser) {
      return [ParameterProblem(path: "inputs.judge", message: differing(difference))]
    }
    if let difference = Foreseen(upstream, "scenes").differenceOfShape(from: denoiser) {
      return [
        ParameterProblem(
          path: "inputs.scenes",
          message:
            "pictures and denoiser differ: \(difference); give the ones that it was trained on"
        )
      ]
    }
    return []
  }

  fileprivate static func differing(_ difference: String) -> String {
    "judge and denoiser look at different pictures: \(difference); give both stages one `size` and"
      + " one `camera`"
  }
}

/// What draws layouts and looks at them, read.
struct DrawingInputs {
  static let declarations = [
    InputDeclaration("denoiser", accepts: [.denoiser], help: "the denoiser to draw with"),
    InputDeclaration("judge", accepts: [.judge], help: "finds the objects"),
    InputDeclaration(
      "scenes", accepts: [.pictureSet], arity: .optional,
      help: "training pictures whose layouts are passed over"),
  ]

  let artifact: DenoiserArtifact
  let judge: JudgeFile
  /// SHA-256 of the judge's weights.
  let judgeWeights: String
  /// Layouts that training pictures have, where these are given, and SHA-256 of their manifest.
  let seen: SeenLayouts?
  let unlike: String?

  var shape: PictureShape { artifact.denoiser.shape }

  /// - Throws: `MismatchError` for a judge of other pictures than the denoiser's.
  init(_ context: StageContext) throws {
    artifact = try DenoiserArtifact("denoiser", of: context)
    let (judge, manifest) = try JudgeFile.read("judge", of: context)
    (self.judge, judgeWeights) = (judge, manifest.weights)
    let shape = artifact.denoiser.shape
    let looks = Foreseen(camera: judge.camera, size: judge.size)
    if let difference = looks.difference(
      from: Foreseen(camera: artifact.training.camera, size: shape.size))
    {
      throw MismatchError(Shared.differing(difference))
    }
    if context.inputs["scenes"] == nil {
      (seen, unlike) = (nil, nil)
      return
    }
    seen = SeenLayouts(
      conditioners: try PictureSet("scenes", of: context).conditioners,
      count: shape.conditionerCount)
    unlike = try context.input("scenes").manifest.sha256
  }

  /// A layout of places.
  func layout(k: Int, _ layout: Int, spacing: LayoutSpacing, seed: UInt64) throws
    -> RequestedLayout
  {
    try requestedLayout(
      k: k, layout: layout, shape: shape, camera: judge.camera, spacing: spacing, unlike: seen,
      seed: seed)
  }

  /// Bytes of the training pictures, and of so many pictures with a second time for their checkpoint.
  static func memory(pictures: Int, _ context: StageContext) throws -> Int {
    let file = try context.input("judge").manifest
    let size = try JudgeManifest(file).size
    guard PictureShape.sizes.contains(size) else {
      throw ArtifactError(file: file, reason: "looks at pictures that cannot be")
    }
    let seen =
      context.inputs["scenes"] == nil
      ? 0 : try PictureSetManifest("scenes", of: context).bytes(context)
    return seen + 2 * pictures * size * size * PictureShape.channels * MemoryLayout<Float>.stride
  }
}
