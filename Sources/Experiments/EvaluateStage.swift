import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Streams
import Vectors
import Workflow

/// `evaluate`: draws pictures for K requested places and counts what is there.
enum EvaluateStage {
  struct Options: Settings {
    @Setting(each: 0...12, count: 1...13, default: Array(0...12), "numbers of requested places, K")
    var counts: [Int]
    @Setting(
      0...100_000, default: 0, isBudget: true,
      "layouts a K; 0: max(24, 192 / K), so that 192 places are requested")
    var layouts: Int
    @Setting(
      default: .clevr,
      "clevr: CLEVR's gap, more crowded with more objects; spaced: centres 1.65 apart at least")
    var spacing: LayoutSpacing
    @Setting(
      default: .seen, isLate: true,
      "of words: those that training showed together (seen), combinations that it held out (held-out), or that nothing is there (nothing)"
    )
    var asked: AskedWords
    @Setting(
      40...100_000, default: 600, isLate: true,
      "of words: renders on which it is tried how well they are told")
    var renders: Int
    @Setting(Shared.steps) var steps: Int
    @Setting(
      0...100, default: 1, isLate: true,
      "classifier-free guidance g: pictures are drawn with D(∅) + g (D(c) − D(∅)), from 2 passes a step but for 1"
    )
    var guidance: Double
    @Setting(
      each: 0...1000, count: 2...2, default: Guidance.wholeRange, isLate: true,
      "lowest and highest noise level at which guidance holds")
    var guidanceSigmas: [Double]
    @Setting(
      Shared.judgeTolerance, default: 0.08, unit: "of the side",
      "how far an object may lie from the requested cell's centre, as a share of the side")
    var tolerance: Double
    @Setting(0...24, default: 8, "pictures a K in the sample grid") var shown: Int

    var guided: Guidance? { Guidance(scale: guidance, sigmas: guidanceSigmas) }
  }

  static let kind = StageKind(
    name: "evaluate", version: 7,
    summary:
      "Samples layouts, or words, never seen in training and lets the judge find the objects.",
    settings: Options.self,
    inputs: [
      InputDeclaration("denoiser", accepts: [.denoiser], help: "the denoiser to draw with"),
      InputDeclaration("judge", accepts: [.judge], help: "finds the objects"),
      InputDeclaration(
        "scenes", accepts: [.pictureSet], arity: .optional,
        help: "training pictures whose layouts are passed over"),
    ], produces: .outcomes,
    check: check,
    checkInputs: checkInputs,
    foresee: { options, upstream in
      let denoiser = Foreseen(upstream, "denoiser")
      var foreseen = Foreseen(isMasked: denoiser.isMasked, counts: options.counts)
      (foreseen.denoiser, foreseen.base) = (denoiser.stage, denoiser.base)
      return foreseen.value
    }, memory: memory, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    var problems = Shared.checkDistinct(options.counts, path: "counts", what: "K")
    if options.guidanceSigmas[0] > options.guidanceSigmas[1] {
      problems.append(
        ParameterProblem(
          path: "guidance_sigmas",
          message: "found \(options.guidanceSigmas), accepted: the lowest first, then the highest"))
    }
    if options.guided == nil, options.guidanceSigmas != Guidance.wholeRange {
      problems.append(
        ParameterProblem(
          path: "guidance_sigmas",
          message: "there is no guidance, `guidance` is 1; accepted: another `guidance`"))
    }
    return problems
  }

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    let judge = Foreseen(upstream, "judge")
    if let difference = judge.difference(from: denoiser) {
      return [ParameterProblem(path: "inputs.judge", message: words(difference))]
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
    if case .set(let words)? = denoiser.space { return checkWords(options, words, upstream) }
    if denoiser.space != nil, options.asked != .seen {
      return [
        ParameterProblem(
          path: "asked",
          message:
            "found \"\(options.asked.rawValue)\", and places are asked for, not words; accepted:"
            + " \"seen\"")
      ]
    }
    return Shared.checkRequests(options.counts, of: denoiser, camera: judge.camera)
  }

  private static func words(_ difference: String) -> String {
    "judge and denoiser look at different pictures: \(difference); give both stages one `size` and"
      + " one `camera`"
  }

  private static func layouts(_ options: Options, k: Int) -> Int {
    options.layouts > 0 ? options.layouts : layoutsNeeded(k: k)
  }

  /// Every picture stays until all are drawn, with a second time for its checkpoint.
  private static func memory(_ options: Options, _ context: StageContext) throws -> Int {
    let file = try context.input("judge").manifest
    let size = try JudgeManifest(file).size
    guard PictureShape.sizes.contains(size) else {
      throw ArtifactError(file: file, reason: "looks at pictures that cannot be")
    }
    let pictures = options.counts.reduce(0) { $0 + layouts(options, k: $1) }
    let seen =
      try context.inputs["scenes"] == nil
      ? 0 : PictureSetManifest("scenes", of: context).bytes(context)
    return seen + 2 * pictures * size * size * PictureShape.channels * MemoryLayout<Float>.stride
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let artifact = try DenoiserArtifact("denoiser", of: context)
    let (judge, judgeManifest) = try JudgeFile.read("judge", of: context)
    let shape = artifact.denoiser.shape
    let looks = Foreseen(camera: judge.camera, size: judge.size)
    if let difference = looks.difference(
      from: Foreseen(camera: artifact.training.camera, size: shape.size))
    {
      throw MismatchError(words(difference))
    }
    let scenes =
      try context.inputs["scenes"] == nil ? nil : PictureSet("scenes", of: context)
    let seen = scenes.map {
      SeenLayouts(conditioners: $0.conditioners, count: shape.conditionerCount)
    }
    let words = try words(options, artifact, judge, context)
    func request(_ k: Int, _ layout: Int) throws -> RequestedLayout {
      if let words {
        return try words.reader.words.request(
          k: k, layout: layout, asked: options.asked, seed: context.seed)
      }
      return try requestedLayout(
        k: k, layout: layout, shape: shape, camera: judge.camera, spacing: options.spacing,
        unlike: seen, seed: context.seed)
    }
    let requests = try options.counts.sorted().flatMap { k in
      try (0..<layouts(options, k: k)).map { try request(k, $0) }
    }
    var others: [Int: [RequestedLayout]] = [:]
    for k in options.counts { others[k] = try (0..<chanceLayouts).map { try request(k, $0) } }
    let evaluator = Evaluator(
      artifact: artifact, denoiser: artifact.denoiser.guided(by: options.guided), judge: judge,
      words: words?.reader, sampler: HeunSampler(steps: options.steps),
      tolerance: options.tolerance * Double(shape.size), context: context)
    let drawn = try evaluator.draw(requests, others: others)
    return try EvaluationReport(
      artifact: artifact, judge: judge,
      conditions: .init(
        judge: judgeManifest.weights, steps: options.steps, tolerance: options.tolerance,
        instructions: instructionSet, spacing: options.spacing,
        unlike: try scenes.map { _ in try context.input("scenes").manifest.sha256 },
        guidance: options.guided, asked: options.asked == .seen ? nil : options.asked),
      seen: seen, words: words, drawn: drawn, context: context
    ).output(shown: options.shown)
  }

  /// Whether and how well words are told, of a denoiser that is asked for them.
  private static func words(
    _ options: Options, _ artifact: DenoiserArtifact, _ judge: JudgeFile, _ context: StageContext
  ) throws -> WordCalibration? {
    if artifact.denoiser.shape.space.hasPlaces { return nil }
    guard let words = artifact.words else { throw NoPlaces(artifact.denoiser.shape.space) }
    return try WordCalibration(
      judge, words: words,
      objects: 1...max(1, artifact.origin.objects.upperBound, options.counts.max() ?? 1),
      count: options.renders, tolerance: options.tolerance * Double(judge.size),
      seed: context.seed, threads: context.threads)
  }
}
