import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Streams
import Workflow

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
  /// Where words were asked for, those that are true of the finds.
  var words: WordsSeen?
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
  /// Tells words, where these are asked for.
  let words: WordReader?
  let sampler: Sampler
  let tolerance: Double
  let context: StageContext
  /// The noise that a request starts from, by its place among all; `nil`: each its own.
  var noise: (@Sendable (_ place: Int) -> [Float])?
  /// What a request is called.
  var unit = "layouts"

  /// Seconds that a portion of layouts takes, about: no more than that is done anew after a kill.
  private static let aim = Duration.seconds(4)

  /// - Parameter others: by K, the layouts that tell what chance would find.
  func draw(_ requests: [RequestedLayout], others: [Int: [RequestedLayout]]) throws
    -> [DrawnPicture]
  {
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
            done: drawn.count, total: requests.count, unit: unit,
            metrics: requested == 0
              ? [] : [Measure.recall.row(Double(found) / Double(requested))]))
      })
    return withChance(drawn, others)
  }

  /// What of each picture's objects other layouts of the same K would have met.
  private func withChance(_ drawn: [DrawnPicture], _ others: [Int: [RequestedLayout]])
    -> [DrawnPicture]
  {
    drawn.map { picture in
      var result = picture
      let own = picture.request
      let others = others[own.k, default: []].filter { $0.layout != own.layout }
      if let told = picture.words {
        let asked = others.map(\.asked)
        result.outcome.chance = chanceCount(asked, seen: told.judge)
        result.outcome.chanceBackground = chanceCount(asked, seen: told.plain)
        return result
      }
      let places = others.map(\.places)
      func chance(_ finds: Finds) -> Double {
        chanceCount(places, detected: finds.all.map(\.place), tolerance: tolerance)
      }
      result.outcome.chance = chance(picture.finds)
      result.outcome.chanceBackground = chance(picture.crossCheck)
      return result
    }
  }

  /// Pictures for layouts, (N, S, S, 3).
  private func sample(_ requests: ArraySlice<RequestedLayout>) throws -> [Float] {
    let shape = artifact.denoiser.shape
    let pictures = try sampler.sample(
      denoiser, labels: requests.flatMap(\.labels),
      noise: requests.indices.flatMap { place in
        noise?(place)
          ?? startingNoise(
            k: requests[place].k, layout: requests[place].layout, shape: shape, seed: context.seed)
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
      let digest = String(SHA256.hash(picture.withUnsafeBytes { Data($0) }).prefix(16))
      if let words {
        let told = words.seen(
          seen, finds: finds.all, looks: finds.looks, plain: crossCheck.all)
        return DrawnPicture(
          request: request, picture: picture, outcome: outcome(request, told), finds: finds,
          crossCheck: crossCheck, words: told, digest: digest)
      }
      return DrawnPicture(
        request: request, picture: picture,
        outcome: Outcome(
          seed: Int(truncatingIfNeeded: context.seed), k: request.k, layout: request.layout,
          requested: request.k, found: finds.count, drawn: finds.all.count,
          foundBackground: crossCheck.count,
          foundSolid: finds.assigned.count {
            $0.map { finds.opacity($0) >= LookCalibration.solid } == true
          }),
        finds: finds, crossCheck: crossCheck, digest: digest)
    }
  }

  /// Words asked for and met, in the places of places; of what was drawn, the words that are true of it.
  private func outcome(_ request: RequestedLayout, _ told: WordsSeen) -> Outcome {
    let asked = request.k == 0 ? [] : request.asked
    func drawn(_ words: Set<Int>) -> Set<Int> {
      words.filter { self.words?.words.meanings[$0].isNothing == false }
    }
    return Outcome(
      seed: Int(truncatingIfNeeded: context.seed), k: request.k, layout: request.layout,
      requested: request.k, found: asked.intersection(told.judge).count,
      drawn: drawn(told.judge).count, foundBackground: asked.intersection(told.plain).count,
      foundSolid: asked.intersection(told.solid).count)
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
