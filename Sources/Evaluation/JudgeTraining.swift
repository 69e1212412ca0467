import Diffusion
import Foundation
import Scenes
import Statistics
import Streams
import Tensors

/// How a judge is trained; lengths are in pictures.
package struct JudgeSettings: Sendable, Hashable {
  package var camera: CameraKind
  package var size: Int
  package var cells: Int
  /// Different renders to train on.
  package var renders: Int
  /// Pictures seen in training.
  package var pictures: Int
  /// Held-out renders a K, for the threshold and again for the calibration.
  package var heldOut: Int
  /// As a share of the picture's side: how far a detection may lie from the object.
  package var tolerance: Double

  package init(
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
  package static let mostObjects = 12
}

/// How well a detector does on held-out renders of K objects.
package struct DetectorCalibration: Sendable {
  package var k: Int
  package var recall: Interval?
  package var precision: Interval?
  package var exact: Interval
}

/// A judge with its cross-check and what both are worth.
package struct TrainedJudge: Sendable {
  package var judge: Judge
  package var background: BackgroundDetector
  package var judgeCalibration: [DetectorCalibration]
  package var backgroundCalibration: [DetectorCalibration]
  /// What finds are told by.
  package var examples: ObjectExamples
  /// What that is worth.
  package var looks: LookCalibration
  /// (pictures seen, loss).
  package var curve: [(pictures: Int, loss: Double)]
}

/// Renders of 0 … 12 objects with their centres; gaps from CLEVR's down to touching.
struct JudgeRenders {
  var pixels: [UInt8] = []
  var places: [[Place]] = []
  var attributes: [[ObjectAttributes]] = []

  init(
    _ settings: JudgeSettings, count: Int, seed: UInt64, purpose: RandomPurpose,
    objects: ClosedRange<Int>, threads: Int, checkpointing: Checkpointing
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
        scene, seed: seed, indices: start..<start + share, purpose: purpose, threads: threads,
        checkpointing: checkpointing.scoped("gap-\(index)"))
      pixels += set.pixels
      places += set.scenes.map { scene in
        scene.objects.map { object in
          let pixel = scene.pixelPosition(of: object, size: settings.size)
          return Place(x: pixel.x, y: pixel.y)
        }
      }
      attributes += set.scenes.map { $0.objects.map { ObjectAttributes($0) } }
    }
  }

  var count: Int { places.count }
  var pictures: [Float] { pixels.map(TrainingSet.value) }
}

/// Trains and calibrates a judge; the same bytes for any number of threads.
///
/// - Parameters:
///   - checkpointing: keeps renders and the training; what remains is quick.
///   - progress: is told the pictures done, all there will be, and the loss of late.
package func trainJudge(
  _ settings: JudgeSettings, seed: UInt64, threads: Int, checkpointing: Checkpointing = .none,
  progress: (_ done: Int, _ total: Int, _ loss: Double) -> Void
) throws -> TrainedJudge {
  let data = try JudgeRenders(
    settings, count: settings.renders, seed: seed, purpose: .judgeScenes,
    objects: 0...JudgeSettings.mostObjects, threads: threads,
    checkpointing: checkpointing.scoped("renders"))
  var training = JudgeTraining(settings, data, seed: seed, threads: threads)
  let own = checkpointing.scoped("training")
  if !own.saved.isEmpty, !training.restore(own.saved) {
    own.discard("it is of another network or training")
    training = JudgeTraining(settings, data, seed: seed, threads: threads)
  }
  try own.run(
    while: { training.step < training.steps }, state: { try training.saved() },
    unit: {
      try training.advance(checkCancellation: own.checkCancellation)
      if let (done, loss) = training.curve.last, done == training.step * JudgeTraining.batch {
        progress(done, training.steps * JudgeTraining.batch, loss)
      }
    })
  training.optimizer.finish()
  return try calibrate(
    training.network, training.optimizer.averaged, settings, seed: seed, threads: threads,
    curve: training.curve, checkpointing: checkpointing)
}

private func calibrate(
  _ network: JudgeNetwork, _ weights: Weights, _ settings: JudgeSettings, seed: UInt64,
  threads: Int, curve: [(pictures: Int, loss: Double)], checkpointing: Checkpointing
) throws -> TrainedJudge {
  let tolerance = settings.tolerance * Double(settings.size)
  var judge = Judge(network: network, weights: weights, threshold: 0.5)
  var background = try emptyGround(
    settings, seed: seed, threads: threads, checkpointing: checkpointing.scoped("ground"))
  // Thresholds from one held-out set …
  let counts = Array(0...JudgeSettings.mostObjects)
  let first = try counts.map { k in
    try JudgeRenders(
      settings, count: settings.heldOut, seed: seed &+ UInt64(k) << 40, purpose: .judgeHeldOut,
      objects: k...k, threads: threads, checkpointing: checkpointing.scoped("held-out-\(k)"))
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
  let examples = ObjectExamples(
    size: settings.size, ground: background.ground, pictures: pictures, places: truth,
    attributes: first.flatMap(\.attributes), most: LookCalibration.examples)
  var looks = LookCalibration()
  var judged: [DetectorCalibration] = []
  var crossChecked: [DetectorCalibration] = []
  for k in counts {
    let renders = try JudgeRenders(
      settings, count: settings.heldOut, seed: seed &+ UInt64(k) << 40,
      purpose: .judgeCalibration, objects: k...k, threads: threads,
      checkpointing: checkpointing.scoped("calibration-\(k)"))
    try checkpointing.checkCancellation()
    let pictures = renders.pictures
    judged.append(
      calibration(k, judge.detect(pictures, threads: threads), renders.places, tolerance, seed))
    crossChecked.append(
      calibration(k, background.detect(pictures), renders.places, tolerance, seed))
    looks.add(
      renders, examples: examples, judge: judge, background: background, tolerance: tolerance,
      threads: threads)
  }
  return TrainedJudge(
    judge: judge, background: background, judgeCalibration: judged,
    backgroundCalibration: crossChecked, examples: examples, looks: looks, curve: curve)
}

/// The median, pixel by pixel, of renders with few objects.
private func emptyGround(
  _ settings: JudgeSettings, seed: UInt64, threads: Int, checkpointing: Checkpointing
) throws -> BackgroundDetector {
  let renders = try JudgeRenders(
    settings, count: 201, seed: seed, purpose: .judgeBackground, objects: 0...3, threads: threads,
    checkpointing: checkpointing)
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

private func f1(_ detected: [[Find]], _ truth: [[Place]], _ tolerance: Double) -> Double {
  var hits = 0
  var total = 0
  for (found, places) in zip(detected, truth) {
    hits += matchCount(
      requested: places, detected: found.map(\.place), tolerance: tolerance)
    total += found.count + places.count
  }
  return total == 0 ? 0 : 2 * Double(hits) / Double(total)
}

private func calibration(
  _ k: Int, _ detected: [[Find]], _ truth: [[Place]], _ tolerance: Double, _ seed: UInt64
) -> DetectorCalibration {
  let outcomes = zip(detected, truth).enumerated().map { index, pair in
    Outcome(
      seed: 0, k: k, layout: index, requested: pair.1.count,
      found: matchCount(
        requested: pair.1, detected: pair.0.map(\.place), tolerance: tolerance),
      drawn: pair.0.count)
  }
  let summary = summarize(outcomes, seed: seed)[0]
  return DetectorCalibration(
    k: k, recall: summary.recall, precision: summary.precision, exact: summary.exact)
}
