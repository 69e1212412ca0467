import Diffusion
import Foundation
import Scenes
import Tensors

/// How a judge is trained; lengths are in pictures.
public struct JudgeSettings: Sendable, Hashable {
  public var camera: CameraKind
  public var size: Int
  public var cells: Int
  /// Different renders to train on.
  public var renders: Int
  /// Pictures seen in training.
  public var pictures: Int
  /// Held-out renders a K, for the threshold and again for the calibration.
  public var heldOut: Int
  /// As a share of the picture's side: how far a detection may lie from the object.
  public var tolerance: Double

  public init(
    camera: CameraKind, size: Int, cells: Int, renders: Int, pictures: Int, heldOut: Int,
    tolerance: Double
  ) {
    self.camera = camera
    self.size = size
    self.cells = cells
    self.renders = renders
    self.pictures = pictures
    self.heldOut = heldOut
    self.tolerance = tolerance
  }

  /// The most objects that a judge is asked about.
  public static let mostObjects = 12
}

/// How well a detector does on held-out renders of K objects.
public struct DetectorCalibration: Sendable {
  public var k: Int
  public var recall: Interval?
  public var precision: Interval?
  public var exact: Interval
}

/// A judge with its cross-check and what both are worth.
public struct TrainedJudge: Sendable {
  public var judge: Judge
  public var background: BackgroundDetector
  public var judgeCalibration: [DetectorCalibration]
  public var backgroundCalibration: [DetectorCalibration]
  /// (pictures seen, loss).
  public var curve: [(pictures: Int, loss: Double)]
}

/// Renders of 0 … 12 objects with their centres; gaps from CLEVR's down to touching.
struct JudgeRenders {
  var pixels: [UInt8] = []
  var places: [[Place]] = []

  init(
    _ settings: JudgeSettings, count: Int, seed: UInt64, purpose: RandomPurpose,
    objects: ClosedRange<Int>,
    threads: Int, check: () throws -> Void
  ) throws {
    // One fifth of the renders for each gap.
    let gaps = [0.25, 0.1875, 0.125, 0.0625, 0]
    for (index, gap) in gaps.enumerated() {
      let share = count * (index + 1) / gaps.count - count * index / gaps.count
      let scene = SceneSettings(
        camera: settings.camera, size: settings.size, cells: settings.cells,
        rules: LayoutRules(objects: objects, gap: gap, margin: 0))
      let start = index << 24
      let set = try renderSet(
        scene, seed: seed, indices: start..<start + share, purpose: purpose, threads: threads
      ) { _ in try check() }
      pixels += set.pixels
      places += set.scenes.map { scene in
        scene.objects.map { object in
          let pixel = scene.pixelPosition(of: object, size: settings.size)
          return Place(x: pixel.x, y: pixel.y)
        }
      }
    }
  }

  var count: Int { places.count }
  var pictures: [Float] { pixels.map(TrainingSet.value) }
}

/// Trains and calibrates a judge; the same bytes for any number of threads.
public func trainJudge(
  _ settings: JudgeSettings, seed: UInt64, threads: Int,
  progress: (_ done: Int, _ total: Int, _ loss: Double) throws -> Void
) throws -> TrainedJudge {
  let everything = 0...JudgeSettings.mostObjects
  let check = { try progress(0, settings.pictures, .nan) }
  let data = try JudgeRenders(
    settings, count: settings.renders, seed: seed, purpose: .judgeScenes, objects: everything,
    threads: threads, check: check)
  let network = JudgeNetwork(size: settings.size)
  let weights = network.graph.makeWeights()
  weights.initialize(seed: seed, purpose: .judgeWeights)
  let optimizer = Adam(weights: weights)
  var curve: [(pictures: Int, loss: Double)] = []
  let batch = 32
  let shards = (0..<8).map { _ in Gradients(for: weights) }
  let workers = (0..<max(threads, 1)).map { _ in JudgeWorker(network) }
  let steps = max(1, settings.pictures / batch)
  var sum = 0.0
  for step in 1...steps {
    let losses = AlignedBuffer(count: batch)
    parallel(shards.count, threads: threads) { shard, worker in
      for item in stride(from: shard, to: batch, by: shards.count) {
        losses.pointer[item] = workers[worker].addGradient(
          weights, data, seed: seed, index: UInt64((step - 1) * batch + item), into: shards[shard])
      }
    }
    // A linear rise over 5 % of the steps, then a fall to zero along a cosine.
    let done = Double(step) / Double(steps)
    let rate = 4e-3 * min(1, done / 0.05) * 0.5 * (1 + cos(.pi * done))
    optimizer.update(
      shards: shards, scale: 1 / Float(batch), learningRate: Float(rate), step: step,
      decay: Float(pow(0.5, 1 / (0.02 * Double(step) + 1))), threads: threads)
    sum += losses.array.reduce(0) { $0 + Double($1) } / Double(batch)
    if step % 16 == 0 || step == steps {
      let loss = sum / Double(step % 16 == 0 ? 16 : step % 16)
      curve.append((step * batch, loss))
      sum = 0
      try progress(step * batch, steps * batch, loss)
    }
  }
  optimizer.finish()
  return try calibrate(
    network, optimizer.averaged, settings, seed: seed, threads: threads, curve: curve,
    check: { try progress(steps * batch, steps * batch, .nan) })
}

private func calibrate(
  _ network: JudgeNetwork, _ weights: Weights, _ settings: JudgeSettings, seed: UInt64,
  threads: Int, curve: [(pictures: Int, loss: Double)], check: () throws -> Void
) throws -> TrainedJudge {
  let tolerance = settings.tolerance * Double(settings.size)
  var judge = Judge(network: network, weights: weights, threshold: 0.5)
  var background = try emptyGround(settings, seed: seed, threads: threads, check: check)
  // Thresholds from one held-out set …
  let counts = Array(0...JudgeSettings.mostObjects)
  let first = try counts.map { k in
    try JudgeRenders(
      settings, count: settings.heldOut, seed: seed &+ UInt64(k) << 40, purpose: .judgeHeldOut,
      objects: k...k, threads: threads, check: check)
  }
  let pictures = first.flatMap(\.pictures)
  let truth = first.flatMap(\.places)
  let maps = judge.heatMaps(pictures, threads: threads)
  judge.threshold = best(stride(from: 0.1, through: 0.8, by: 0.05).map { Float($0) }) { threshold in
    f1(judge.peaks(maps, threshold: threshold), truth, tolerance)
  }
  background.threshold = best(stride(from: 0.1, through: 1, by: 0.05).map { Float($0) }) {
    var candidate = background
    candidate.threshold = $0
    return f1(candidate.detect(pictures), truth, tolerance)
  }
  // … and what the detectors are worth from another one.
  var judged: [DetectorCalibration] = []
  var crossChecked: [DetectorCalibration] = []
  for k in counts {
    let renders = try JudgeRenders(
      settings, count: settings.heldOut, seed: seed &+ UInt64(k) << 40,
      purpose: .judgeCalibration, objects: k...k, threads: threads, check: check)
    let pictures = renders.pictures
    judged.append(
      calibration(k, judge.detect(pictures, threads: threads), renders.places, tolerance, seed))
    crossChecked.append(
      calibration(k, background.detect(pictures), renders.places, tolerance, seed))
  }
  return TrainedJudge(
    judge: judge, background: background, judgeCalibration: judged,
    backgroundCalibration: crossChecked, curve: curve)
}

/// The median, pixel by pixel, of renders with few objects.
private func emptyGround(
  _ settings: JudgeSettings, seed: UInt64, threads: Int, check: () throws -> Void
) throws -> BackgroundDetector {
  let renders = try JudgeRenders(
    settings, count: 201, seed: seed, purpose: .judgeBackground, objects: 0...3, threads: threads,
    check: check)
  let count = settings.size * settings.size * 3
  let ground = (0..<count).map { i -> Float in
    var values = (0..<renders.count).map { renders.pixels[$0 * count + i] }
    values.sort()
    return TrainingSet.value(values[values.count / 2])
  }
  return BackgroundDetector(size: settings.size, ground: ground, threshold: 0.4)
}

/// The first candidate with the highest score.
private func best(_ candidates: [Float], _ score: (Float) -> Double) -> Float {
  var winner = (candidate: candidates[0], score: -Double.infinity)
  for candidate in candidates {
    let value = score(candidate)
    if value > winner.score { winner = (candidate, value) }
  }
  return winner.candidate
}

private func f1(_ detected: [[Place]], _ truth: [[Place]], _ tolerance: Double) -> Double {
  var hits = 0
  var total = 0
  for (found, places) in zip(detected, truth) {
    hits += matchCount(requested: places, detected: found, tolerance: tolerance)
    total += found.count + places.count
  }
  return total == 0 ? 0 : 2 * Double(hits) / Double(total)
}

private func calibration(
  _ k: Int, _ detected: [[Place]], _ truth: [[Place]], _ tolerance: Double, _ seed: UInt64
) -> DetectorCalibration {
  let outcomes = zip(detected, truth).enumerated().map { index, pair in
    Outcome(
      seed: 0, k: k, layout: index, requested: pair.1.count,
      found: matchCount(requested: pair.1, detected: pair.0, tolerance: tolerance),
      drawn: pair.0.count)
  }
  let summary = summarize(outcomes, seed: seed)[0]
  return DetectorCalibration(
    k: k, recall: summary.recall, precision: summary.precision, exact: summary.exact)
}
