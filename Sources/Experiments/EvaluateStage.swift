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
      0...100_000, default: 0, "layouts a K; 0: max(24, 192 / K), so that 192 places are requested")
    var layouts: Int
    @Setting(
      default: .clevr,
      "clevr: CLEVR's gap, more crowded with more objects; spaced: centres 1.65 apart at least")
    var spacing: LayoutSpacing
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
    name: "evaluate", version: 6,
    summary: "Samples layouts never seen in training and lets the judge find the objects.",
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
    return Shared.checkPlaces(
      denoiser, path: "inputs.denoiser", what: "places cannot be requested of it")
      + Shared.checkRequests(options.counts, of: denoiser, camera: judge.camera)
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
    let requests = try options.counts.sorted().flatMap { k in
      try (0..<layouts(options, k: k)).map { layout in
        try requestedLayout(
          k: k, layout: layout, shape: shape, camera: judge.camera, spacing: options.spacing,
          unlike: seen, seed: context.seed)
      }
    }
    let evaluator = Evaluator(
      artifact: artifact, denoiser: artifact.denoiser.guided(by: options.guided), judge: judge,
      sampler: HeunSampler(steps: options.steps), tolerance: options.tolerance * Double(shape.size),
      context: context)
    let drawn = try evaluator.draw(requests)
    return try EvaluationReport(
      artifact: artifact, judge: judge,
      conditions: .init(
        judge: judgeManifest.weights, steps: options.steps, tolerance: options.tolerance,
        instructions: instructionSet, spacing: options.spacing,
        unlike: try scenes.map { _ in try context.input("scenes").manifest.sha256 },
        guidance: options.guided),
      seen: seen, drawn: drawn, context: context
    ).output(shown: options.shown)
  }
}

/// A generated picture with what was asked for and what was found.
struct DrawnPicture {
  var request: RequestedLayout
  /// (S, S, 3).
  var picture: [Float]
  var outcome: Outcome
  /// By the judge.
  var finds: Finds
  /// By the background-difference detector.
  var crossCheck: Finds
  /// The first 16 digits of the SHA-256 of the float32 picture: equal means bit for bit.
  var digest: String
}

/// What a detector finds in a picture.
struct Finds {
  var all: [Find]
  /// Of each; `nil` for what is ground to the last bit.
  var looks: [Look?]
  /// Of each requested place the find that meets it.
  var assigned: [Int?]

  var count: Int { assigned.count { $0 != nil } }
  func opacity(_ find: Int) -> Double { looks[find]?.opacity ?? 0 }
}

/// A picture that is no picture: the judge would find anything in it.
struct SamplingError: CategorizedError, CustomStringConvertible {
  var k: Int
  var layout: Int

  var category: ErrorCategory { .data }

  var description: String {
    "the denoiser drew values that are not finite (K = \(k), layout \(layout)); train it longer or "
      + "with a lower learning_rate"
  }
}

/// Draws pictures and looks at them, some at a time.
struct Evaluator {
  let artifact: DenoiserArtifact
  /// The artifact's, under guidance where that was asked for.
  let denoiser: any Denoiser
  let judge: JudgeFile
  let sampler: HeunSampler
  let tolerance: Double
  let context: StageContext

  /// Seconds that a portion of layouts takes, about: no more than that is done anew after a kill.
  private static let aim = Duration.seconds(4)

  func draw(_ requests: [RequestedLayout]) throws -> [DrawnPicture] {
    let count = artifact.denoiser.shape.pictureCount
    let checkpointing = try context.checkpointing()
    var (kept, pictures) = restored(checkpointing, most: requests.count * count)
    var drawn = examined(requests[..<(pictures.count / count)], pictures)
    let portion = Portion(aim: Self.aim)
    try checkpointing.run(
      while: { drawn.count < requests.count }, state: { kept.piece(of: pictures) },
      unit: {
        let end = min(drawn.count + portion.count(threads: context.threads), requests.count)
        let some = requests[drawn.count..<end]
        try portion.measure(some.count) {
          let new = try sample(some)
          drawn += examined(some, new)
          pictures += new
        }
        let requested = drawn.reduce(0) { $0 + $1.outcome.requested }
        let found = drawn.reduce(0) { $0 + $1.outcome.found }
        context.progress(
          StageProgress(
            done: drawn.count, total: requests.count, unit: "layouts",
            metrics: requested == 0
              ? [] : [Measure.recall.row(Double(found) / Double(requested))]))
      })
    return withChance(drawn)
  }

  /// What of each picture's objects other layouts of the same K would have met.
  private func withChance(_ drawn: [DrawnPicture]) -> [DrawnPicture] {
    var result = drawn
    for members in Dictionary(grouping: drawn.indices, by: { drawn[$0].request.k }).values {
      let requests = members.map { drawn[$0].request.places }
      for (place, index) in members.enumerated() {
        func chance(_ finds: Finds) -> Double {
          chanceCount(
            requests: requests, own: place, detected: finds.all.map(\.place),
            tolerance: tolerance)
        }
        result[index].outcome.chance = chance(drawn[index].finds)
        result[index].outcome.chanceBackground = chance(drawn[index].crossCheck)
      }
    }
    return result
  }

  /// Pictures for layouts, (N, S, S, 3).
  private func sample(_ requests: ArraySlice<RequestedLayout>) throws -> [Float] {
    let shape = artifact.denoiser.shape
    let pictures = try sampler.sample(
      denoiser, labels: requests.flatMap(\.labels),
      noise: requests.flatMap {
        startingNoise(k: $0.k, layout: $0.layout, shape: shape, seed: context.seed)
      }, draws: requests.map { layoutDraw(k: $0.k, layout: $0.layout, seed: context.seed) },
      threads: context.threads, checkCancellation: context.checkCancellation)
    if let bad = pictures.firstIndex(where: { !$0.isFinite }) {
      let request = requests[requests.startIndex + bad / shape.pictureCount]
      throw SamplingError(k: request.k, layout: request.layout)
    }
    return pictures
  }

  /// What the detectors find in pictures.
  private func examined(_ requests: ArraySlice<RequestedLayout>, _ pictures: [Float])
    -> [DrawnPicture]
  {
    let count = artifact.denoiser.shape.pictureCount
    // The detectors see what a stored picture holds, so that anybody can count again.
    let stored = pictures.map { TrainingSet.value(EvaluationReport.byte($0)) }
    let judged = judge.judge.detect(stored, threads: context.threads)
    let crossChecked = judge.background.detect(stored)
    return requests.enumerated().map { i, request in
      let pixels = i * count..<(i + 1) * count
      let picture = Array(pictures[pixels])
      let seen = Array(stored[pixels])
      let finds = finds(judged[i], in: seen, request)
      let crossCheck = self.finds(crossChecked[i], in: seen, request)
      return DrawnPicture(
        request: request, picture: picture,
        outcome: Outcome(
          seed: Int(truncatingIfNeeded: context.seed), k: request.k, layout: request.layout,
          requested: request.k, found: finds.count, drawn: finds.all.count,
          foundBackground: crossCheck.count,
          foundSolid: finds.assigned.count {
            $0.map { finds.opacity($0) >= LookCalibration.solid } == true
          }),
        finds: finds, crossCheck: crossCheck,
        digest: String(SHA256.hash(picture.withUnsafeBytes { Data($0) }).prefix(16)))
    }
  }

  private func finds(_ all: [Find], in picture: [Float], _ request: RequestedLayout) -> Finds {
    Finds(
      all: all, looks: all.map { judge.examples.look(picture, at: $0.place) },
      assigned: assignments(
        requested: request.places, detected: all.map(\.place), tolerance: tolerance))
  }

  /// The pictures that an earlier process drew.
  private func restored(_ checkpointing: Checkpointing, most: Int) -> (
    GrowingBlob<Float>, [Float]
  ) {
    let name = "pictures"
    if let (kept, pictures) = GrowingBlob<Float>.restored(name, from: checkpointing.saved),
      pictures.count % artifact.denoiser.shape.pictureCount == 0, pictures.count <= most
    {
      return (kept, pictures)
    }
    checkpointing.discard("its pictures are not those of these layouts")
    return (GrowingBlob(name: name), [])
  }
}
