import Diffusion
import Formats
import Foundation
import Streams
import Tensors

/// The optimisation of a judge's network, a batch at a time.
struct JudgeTraining {
  static let batch = 32
  private static let shardCount = 8
  /// Batches whose losses make one point of the curve.
  private static let spacing = 16

  let network: JudgeNetwork
  let optimizer: Adam
  /// Batches in all.
  let steps: Int
  /// Batches done.
  private(set) var step = 0
  private(set) var curve: [(pictures: Int, loss: Double)] = []
  private var sum = 0.0
  private let data: JudgeRenders
  private let seed: UInt64
  private let threads: Int
  private let shards: [Gradients]
  private let workers: [JudgeWorker]

  init(_ settings: JudgeSettings, _ data: JudgeRenders, seed: UInt64, threads: Int) {
    let network = JudgeNetwork(size: settings.size)
    let weights = network.graph.makeWeights()
    weights.initialize(seed: seed, purpose: .judgeWeights)
    self.network = network
    self.data = data
    self.seed = seed
    self.threads = threads
    optimizer = Adam(weights: weights)
    steps = max(1, settings.pictures / Self.batch)
    shards = (0..<Self.shardCount).map { _ in Gradients(for: weights) }
    workers = (0..<max(threads, 1)).map { _ in JudgeWorker(network) }
  }

  /// One batch. One that is stopped leaves no trace.
  mutating func advance(checkCancellation: @Sendable () throws -> Void) throws {
    let batch = Self.batch
    let losses = AlignedBuffer(count: batch)
    let first = UInt64(step * batch)
    let (data, seed, shards, workers) = (data, seed, shards, workers)
    let weights = optimizer.weights
    parallel(shards.count, threads: threads) { shard, worker in
      for item in stride(from: shard, to: batch, by: shards.count) {
        if (try? checkCancellation()) == nil { return }
        losses.pointer[item] = workers[worker].addGradient(
          weights, data, seed: seed, index: first + UInt64(item), into: shards[shard])
      }
    }
    do {
      try checkCancellation()
    } catch {
      for shard in shards { shard.clear() }
      throw error
    }
    step += 1
    // A linear rise over 5 % of the steps, then a fall to zero along a cosine.
    let done = Double(step) / Double(steps)
    let rate = 4e-3 * min(1, done / 0.05) * 0.5 * (1 + cos(.pi * done))
    optimizer.update(
      shards: shards, scale: 1 / Float(batch), learningRate: Float(rate), step: step,
      decay: Float(pow(0.5, 1 / (0.02 * Double(step) + 1))), threads: threads)
    sum += losses.array.reduce(0) { $0 + Double($1) } / Double(batch)
    let rest = step % Self.spacing
    if rest == 0 || step == steps {
      curve.append((step * batch, sum / Double(rest == 0 ? Self.spacing : rest)))
      sum = 0
    }
  }

  private struct Curve: Codable {
    var pictures: [Int]
    var losses: [Double]
    var sum: Double
  }

  /// All that the further training depends on.
  func saved() throws -> [String: Data] {
    let curve = Curve(pictures: curve.map(\.pictures), losses: curve.map(\.loss), sum: sum)
    return [
      "state": TrainingState(steps: step, tensors: optimizer.state()).data(),
      "curve": try JSONEncoder().encode(curve),
    ]
  }

  /// Goes on where `saved` was taken; `false` when that is not possible, and then this is of no use.
  mutating func restore(_ saved: [String: Data]) -> Bool {
    guard let state = saved["state"].flatMap({ try? TrainingState(data: $0) }),
      let curve = saved["curve"].flatMap({ try? JSONDecoder().decode(Curve.self, from: $0) }),
      state.steps <= steps, curve.pictures.count == curve.losses.count,
      (try? optimizer.restore(state.tensors)) != nil
    else { return false }
    step = state.steps
    self.curve = zip(curve.pictures, curve.losses).map { ($0, $1) }
    sum = curve.sum
    return true
  }
}
