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
    @Setting(Shared.spacing) var spacing: LayoutSpacing
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
    @Setting(Shared.sampler) var sampler: SamplingMethod
    @Setting(Shared.guidance) var guidance: Double
    @Setting(Shared.guidanceSigmas) var guidanceSigmas: [Double]
    @Setting(Shared.foundWithin) var tolerance: Double
    @Setting(0...24, default: 8, "pictures a K in the sample grid") var shown: Int

    var guided: Guidance? { Guidance(scale: guidance, sigmas: guidanceSigmas) }
  }

  static let kind = StageKind(
    name: "evaluate", version: 7,
    summary:
      "Samples layouts, or words, never seen in training and lets the judge find the objects.",
    settings: Options.self,
    inputs: DrawingInputs.declarations, produces: .outcomes,
    check: check,
    checkInputs: checkInputs,
    foresee: { options, upstream in
      let denoiser = Foreseen(upstream, "denoiser")
      var foreseen = Foreseen(
        camera: denoiser.camera, size: denoiser.size, space: denoiser.space,
        isMasked: denoiser.isMasked, counts: options.counts)
      (foreseen.denoiser, foreseen.base) = (denoiser.stage, denoiser.base)
      foreseen.guidance = options.guidance
      return foreseen.value
    }, memory: memory, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    Shared.checkDistinct(options.counts, path: "counts", what: "K")
      + Shared.checkGuidance(options.guidance, sigmas: options.guidanceSigmas)
  }

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let problems = Shared.checkDrawing(upstream)
    if !problems.isEmpty { return problems }
    let denoiser = Foreseen(upstream, "denoiser")
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
    return Shared.checkRequests(
      options.counts, of: denoiser, camera: Foreseen(upstream, "judge").camera)
  }

  private static func layouts(_ options: Options, k: Int) -> Int {
    options.layouts > 0 ? options.layouts : layoutsNeeded(k: k)
  }

  /// Every picture stays until all are drawn.
  private static func memory(_ options: Options, _ context: StageContext) throws -> Int {
    try DrawingInputs.memory(
      pictures: options.counts.reduce(0) { $0 + layouts(options, k: $1) }, context)
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let inputs = try DrawingInputs(context)
    let (artifact, judge) = (inputs.artifact, inputs.judge)
    let shape = inputs.shape
    let words = try words(options, artifact, judge, context)
    func request(_ k: Int, _ layout: Int) throws -> RequestedLayout {
      if let words {
        return try words.reader.words.request(
          k: k, layout: layout, asked: options.asked, seed: context.seed)
      }
      return try inputs.layout(k: k, layout, spacing: options.spacing, seed: context.seed)
    }
    let requests = try options.counts.sorted().flatMap { k in
      try (0..<layouts(options, k: k)).map { try request(k, $0) }
    }
    var others: [Int: [RequestedLayout]] = [:]
    for k in options.counts { others[k] = try (0..<chanceLayouts).map { try request(k, $0) } }
    let evaluator = Evaluator(
      artifact: artifact, denoiser: artifact.denoiser.guided(by: options.guided), judge: judge,
      words: words?.reader, sampler: Sampler(steps: options.steps, method: options.sampler),
      tolerance: options.tolerance * Double(shape.size), context: context)
    let drawn = try evaluator.draw(requests, others: others)
    return try EvaluationReport(
      artifact: artifact, judge: judge,
      conditions: .init(
        judge: inputs.judgeWeights, steps: options.steps, tolerance: options.tolerance,
        instructions: instructionSet, spacing: options.spacing,
        unlike: inputs.unlike, guidance: options.guided,
        asked: options.asked == .seen ? nil : options.asked,
        sampler: options.sampler == .heun ? nil : options.sampler),
      seen: inputs.seen, words: words, drawn: drawn, context: context
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
