import Analytic
import Artifacts
import Diffusion
import Evaluation
import Foundation
import Scenes
import Streams
import Synchronization
import Workflow

/// Renders of the law of a picture set on the condition of layouts, and the exact posterior means of some.
struct ConditionedRenders {
  private let options: PosteriorStage.Options
  private let scenes: PictureSet
  private let context: StageContext
  private let grid: CellGrid
  private let seen: SeenLayouts

  /// Renders between two looks at whether the stage shall stop.
  private static let portion = 128
  /// Scenes by whose weights the others are taken.
  private static let pilots = 256

  init(_ options: PosteriorStage.Options, _ scenes: PictureSet, _ context: StageContext) throws {
    self.options = options
    self.scenes = scenes
    self.context = context
    grid = try scenes.shape.places()
    seen = SeenLayouts(
      conditioners: scenes.conditioners, count: scenes.shape.conditionerCount)
  }

  func law(_ k: Int) throws -> ConditionalLaw {
    guard let law = ConditionalLaw(options.labelling, k: k, objects: scenes.objects) else {
      throw MismatchError("labelling \"none\" tells of no object; give another")
    }
    return law
  }

  func posterior(k: Int, layout: Int) throws -> PosteriorStage.Found {
    let law = try law(k)
    let margin = law.isOnTraining ? options.margin : 0
    let request = try request(k: k, layout: layout, margin: margin)
    let conditioned = try ConditionedScenes(
      SceneSettings(
        camera: scenes.camera, size: grid.size, cells: grid.cells,
        rules: LayoutRules(objects: k...k, gap: options.gap, margin: margin),
        supersample: options.supersample),
      cells: request.labels.indices.filter { request.labels[$0] > 0 }, numbers: law.numbers)
    let place = UInt64(k) << 48 | UInt64(layout) << 32
    var pilot = RandomStream(
      seed: context.seed, purpose: .posteriorScenes, index: place | UInt64(UInt32.max))
    let bound = try conditioned.logBound(of: Self.pilots, &pilot)
    let (pixels, logWeights) = try references(conditioned, place, logBound: bound)
    let posterior = ReferencePosterior(pixels: pixels, logWeights: logWeights)
    var found = PosteriorStage.Found(layouts: 1)
    for draw in 0..<options.draws {
      let index = place | UInt64(draw)
      var scenes = RandomStream(seed: context.seed, purpose: .posteriorInputs, index: index)
      // Not weighted, so that hardly any may be beyond it.
      let scene = try conditioned.draw(&scenes, logBound: bound + log(4)).scene
      let clean = rendered(scene, conditioned.settings).map(TrainingSet.value)
      var stream = RandomStream(seed: context.seed, purpose: .posteriorNoise, index: index)
      let noise = clean.map { _ in stream.gaussian() }
      for sigma in options.sigmas {
        found.x += zip(clean, noise).map { $0 + Float(sigma) * $1 }
        found.labels += request.labels
        found.inputs.append(.init(k: k, layout: layout, sigma: sigma, isKept: true))
      }
    }
    let half = options.references / 2
    let (x, inputs) = (found.x, found.inputs)
    let estimates = try inParallel(2 * inputs.count) { item in
      let picture = scenes.shape.pictureCount
      let input = item / 2
      return posterior.estimate(
        x[input * picture..<(input + 1) * picture], sigma: inputs[input].sigma,
        from: item % 2 == 0 ? 0..<half : half..<2 * half)
    }
    for n in inputs.indices {
      let (first, second) = (estimates[2 * n], estimates[2 * n + 1])
      found.first += first.mean
      found.second += second.mean
      found.effectives += [first.effective, second.effective]
      found.inputs[n].isKept = min(first.effective, second.effective) >= options.effective
    }
    return found
  }

  /// One that training pictures do not have, where there are others.
  private func request(k: Int, layout: Int, margin: Double) throws -> RequestedLayout {
    func request(unlike seen: SeenLayouts?) throws -> RequestedLayout {
      try requestedLayout(
        k: k, layout: layout, shape: scenes.shape, camera: scenes.camera, gap: options.gap,
        margin: margin, unlike: seen, seed: context.seed)
    }
    do {
      return try request(unlike: seen)
    } catch is EvaluationError {
      return try request(unlike: nil)
    }
  }

  /// Renders with their weights.
  private func references(_ law: ConditionedScenes, _ place: UInt64, logBound bound: Double) throws
    -> (pixels: [UInt8], logWeights: [Double])
  {
    var pixels: [UInt8] = []
    var logWeights: [Double] = []
    while logWeights.count < options.references {
      try context.checkCancellation()
      let first = logWeights.count
      let drawn = try inParallel(min(Self.portion, options.references - first)) { item in
        var stream = RandomStream(
          seed: context.seed, purpose: .posteriorScenes, index: place | UInt64(first + item))
        let drawn = try law.draw(&stream, logBound: bound)
        return (picture: rendered(drawn.scene, law.settings), logWeight: drawn.logWeight)
      }
      for one in drawn {
        pixels += one.picture
        logWeights.append(one.logWeight)
      }
    }
    return (pixels, logWeights)
  }

  /// `body` of 0 ..< count, in order.
  private func inParallel<Value: Sendable>(
    _ count: Int, _ body: @Sendable (Int) throws -> Value
  ) throws -> [Value] {
    let results = Mutex([Result<Value, any Error>?](repeating: nil, count: count))
    parallel(count, threads: context.threads) { item, _ in
      let result = Result { try body(item) }
      results.withLock { $0[item] = result }
    }
    return try results.withLock { $0 }.compactMap { try $0?.get() }
  }
}

/// (S, S, 3).
private func rendered(_ scene: Scene, _ settings: SceneSettings) -> [UInt8] {
  var picture = [UInt8](repeating: 0, count: settings.size * settings.size * PictureShape.channels)
  picture.withUnsafeMutableBufferPointer { render(scene, settings, into: $0) }
  return picture
}
