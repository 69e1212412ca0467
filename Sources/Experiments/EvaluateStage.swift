import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Streams
import Workflow

/// `evaluate`: draws pictures for K requested places and counts what is there.
enum EvaluateStage {
  static let kind = StageKind(
    name: "evaluate", version: 2,
    summary: "Samples layouts never seen in training and lets the judge find the objects.",
    parameters: [
      Parameter(
        "counts", .list(.integer(0...12), count: 1...13),
        default: .array((0...12).map(JSONValue.integer)), help: "numbers of requested places, K"),
      Parameter(
        "layouts", .integer(0...100_000), default: .integer(0),
        help: "layouts a K; 0: max(24, 192 / K), so that 192 places are requested"),
      Parameter(
        "steps", .integer(2...1000), default: .integer(18), help: "steps of Heun's sampler"),
      Parameter(
        "tolerance", .number(0.001...0.5), default: .number(0.08),
        help: "how far an object may lie from the requested cell's centre, as a share of the side"),
      Parameter(
        "shown", .integer(0...24), default: .integer(8), help: "pictures a K in the sample grid"),
    ],
    inputs: [
      InputDeclaration(
        "denoiser", from: ["train", "intervene", "analytic", "import"],
        help: "the denoiser to draw with"),
      InputDeclaration("judge", from: ["judge"], help: "finds the objects"),
    ], check: check, run: run)

  private static func check(_ parameters: JSONValue) -> [ParameterProblem] {
    let counts = parameters["counts"]?.array?.compactMap(\.integer) ?? []
    if Set(counts).count == counts.count { return [] }
    return [ParameterProblem(path: "counts", message: "a K stands twice, accepted: each once")]
  }

  private static func run(_ context: StageContext) throws -> StageOutput {
    let parameters = context.parameters
    let artifact = try DenoiserArtifact("denoiser", of: context)
    let judgeFile = try context.input("judge").file("weights")
    let judge: JudgeFile
    do {
      judge = try JudgeFile(data: try judgeFile.data())
    } catch let error as EvaluationError {
      throw ArtifactError(file: judgeFile, reason: error.description)
    }
    let shape = artifact.denoiser.shape
    if judge.size != shape.size {
      throw ArtifactError(
        file: judgeFile,
        reason: "the judge looks at \(judge.size) px, the denoiser draws \(shape.size) px;"
          + " give both stages one `size`")
    }
    let requests = try requestedLayouts(context, shape: shape, judge: judge)
    let sampler = HeunSampler(steps: try parameters.integer("steps"))
    let evaluator = Evaluator(
      artifact: artifact, judge: judge, sampler: sampler,
      tolerance: try parameters.number("tolerance") * Double(shape.size), context: context)
    let drawn = try evaluator.draw(requests)
    return try EvaluationReport(
      artifact: artifact, judge: judge, drawn: drawn, context: context
    ).output(shown: try parameters.integer("shown"))
  }

  private static func requestedLayouts(
    _ context: StageContext, shape: PictureShape, judge: JudgeFile
  ) throws -> [RequestedLayout] {
    let fixed = try context.parameters.integer("layouts")
    return try context.parameters.integers("counts").sorted().flatMap { k in
      try (0..<(fixed > 0 ? fixed : layoutsNeeded(k: k))).map { layout in
        try requestedLayout(
          k: k, layout: layout, shape: shape, camera: judge.camera, seed: context.seed)
      }
    }
  }
}

/// A generated picture with what was asked for and what was found.
struct DrawnPicture {
  var request: RequestedLayout
  /// (S, S, 3).
  var picture: [Float]
  var outcome: Outcome
  /// By the background-difference detector.
  var crossCheck: Outcome
  /// The first 16 digits of the SHA-256 of the float32 picture: equal means bit for bit.
  var digest: String
}

/// A picture that is no picture: the judge would find anything in it.
struct SamplingError: Error, CustomStringConvertible {
  var k: Int
  var layout: Int

  var description: String {
    "the denoiser drew values that are not finite (K = \(k), layout \(layout)); train it longer or "
      + "with a lower learning_rate"
  }
}

/// Draws pictures and looks at them, some at a time.
struct Evaluator {
  let artifact: DenoiserArtifact
  let judge: JudgeFile
  let sampler: HeunSampler
  let tolerance: Double
  let context: StageContext

  /// Seconds that a portion of layouts takes, about: no more than that is done anew after a kill.
  private static let aim = Duration.seconds(4)

  func draw(_ requests: [RequestedLayout]) throws -> [DrawnPicture] {
    let count = artifact.denoiser.shape.pictureCount
    let checkpointing = context.checkpointing()
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
    return drawn
  }

  /// Pictures for layouts, (N, S, S, 3).
  private func sample(_ requests: ArraySlice<RequestedLayout>) throws -> [Float] {
    let shape = artifact.denoiser.shape
    let pictures = try sampler.sample(
      artifact.denoiser, labels: requests.flatMap(\.labels),
      noise: requests.flatMap {
        startingNoise(k: $0.k, layout: $0.layout, shape: shape, seed: context.seed)
      }, threads: context.threads, checkCancellation: context.checkCancellation)
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
    let found = judge.judge.detect(pictures, threads: context.threads)
    let crossChecked = judge.background.detect(pictures)
    return requests.enumerated().map { i, request in
      let picture = Array(pictures[i * count..<(i + 1) * count])
      return DrawnPicture(
        request: request, picture: picture, outcome: outcome(request, found[i]),
        crossCheck: outcome(request, crossChecked[i]),
        digest: String(SHA256.hash(picture.withUnsafeBytes { Data($0) }).prefix(16)))
    }
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

  private func outcome(_ request: RequestedLayout, _ found: [Place]) -> Outcome {
    Outcome(
      seed: Int(truncatingIfNeeded: context.seed), k: request.k, layout: request.layout,
      requested: request.k,
      found: matchCount(requested: request.places, detected: found, tolerance: tolerance),
      drawn: found.count)
  }
}
