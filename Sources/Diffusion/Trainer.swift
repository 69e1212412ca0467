import Foundation
import Streams
import Tensors

/// Settings of a training; lengths are in pictures, so that results do not depend on time.
package struct TrainingSettings: Sendable, Hashable {
  package var pictures: Int
  package var batch: Int
  package var learningRate: Double
  /// The learning rate rises linearly over the first so many pictures.
  package var warmUp: Int
  /// From here on the learning rate falls as 1/√pictures (EDM2, eq. 67).
  package var decayAfter: Int
  /// Over the last so many pictures it falls to 0 besides, linearly (warm-up–stable–decay, arXiv 2405.18392).
  package var coolDown: Int
  /// ln σ ~ N(mean, deviation).
  package var sigmaMean: Double
  package var sigmaDeviation: Double
  package var labelling: Labelling
  /// Share of conditioners that are blanked.
  package var labelDropout: Double
  /// Pixels within 5 px of a label weigh 1 + balance; other than 0 only where labels have places.
  package var balance: Double

  package init(
    pictures: Int, batch: Int, learningRate: Double, warmUp: Int, decayAfter: Int,
    coolDown: Int, sigmaMean: Double, sigmaDeviation: Double, labelling: Labelling,
    labelDropout: Double, balance: Double
  ) {
    self.pictures = pictures
    self.batch = batch
    self.learningRate = learningRate
    self.warmUp = warmUp
    self.decayAfter = decayAfter
    self.coolDown = coolDown
    self.sigmaMean = sigmaMean
    self.sigmaDeviation = sigmaDeviation
    self.labelling = labelling
    self.labelDropout = labelDropout
    self.balance = balance
  }

  /// The learning rate after `seen` pictures.
  package func learningRate(after seen: Int) -> Double {
    let rise = min(1, Double(seen) / Double(max(warmUp, 1)))
    let decayed =
      learningRate * rise / max(Double(seen) / Double(max(decayAfter, 1)), 1).squareRoot()
    if coolDown == 0 { return decayed }
    return decayed * min(1, Double(max(pictures - seen, 0)) / Double(coolDown))
  }

  /// Share of the average that a step keeps: a half-life of 5 % of the pictures seen (EDM's
  /// ramp-up), so that the average never reaches back to the initial weights.
  package func averageDecay(after seen: Int) -> Double {
    pow(0.5, Double(batch) / max(0.05 * Double(seen), 1e-8))
  }
}

/// A training under way.
///
/// A batch is split into a fixed number of shards whose gradients are added in order: the weights
/// are the same for any number of threads.
package final class Trainer {
  package let network: Network
  package let settings: TrainingSettings
  private let data: TrainingSet
  private let seed: UInt64
  private let purpose: RandomPurpose
  private let restriction: (any TrainingRestriction)?
  /// `nil` where all pixels weigh the same.
  private let balance: LabelBalance?
  private let weights: Weights
  private let optimizer: Adam
  private let shards: [Gradients]
  /// A picture of the batch each.
  private let losses: AlignedBuffer
  private var workers: [TrainingWorker] = []
  package private(set) var steps = 0

  /// Pictures of one batch that share a gradient buffer.
  private static let shardCount = 8

  /// - Throws: `NoPlaces` when the network or `balance` goes by places and conditioners have none.
  package convenience init(
    _ description: NetworkDescription, _ settings: TrainingSettings, data: TrainingSet,
    seed: UInt64
  ) throws(NoPlaces) {
    try self.init(
      description, settings, data: data, seed: seed, purpose: .training, restriction: nil)
  }

  /// Goes on with a network's weights, under a restriction; its pictures and noise are others than those of
  /// a training with the same seed.
  package convenience init(
    tuning base: NetworkDenoiser, _ settings: TrainingSettings, data: TrainingSet, seed: UInt64,
    by restriction: any TrainingRestriction
  ) throws {
    try self.init(
      base.network.description, settings, data: data, seed: seed, purpose: .tuning,
      restriction: restriction)
    try optimizer.begin(at: base.weights)
  }

  private init(
    _ description: NetworkDescription, _ settings: TrainingSettings, data: TrainingSet,
    seed: UInt64, purpose: RandomPurpose, restriction: (any TrainingRestriction)?
  ) throws(NoPlaces) {
    self.purpose = purpose
    self.restriction = restriction
    network = try Network(description)
    balance =
      settings.balance == 0
      ? nil
      : LabelBalance(grid: try description.shape.places(), weight: Float(1 + settings.balance))
    self.settings = settings
    self.data = data
    self.seed = seed
    let weights = network.graph.makeWeights()
    weights.initialize(seed: seed, purpose: .initialization)
    self.weights = weights
    optimizer = Adam(weights: weights)
    losses = AlignedBuffer(count: settings.batch)
    shards = (0..<min(Self.shardCount, settings.batch)).map { _ in Gradients(for: weights) }
  }

  /// Bytes that a training on so many threads holds at least: its weights with their mean, the optimiser's
  /// two moments, the shards' gradients and the threads' workspaces.
  package static func memory(
    _ description: NetworkDescription, _ settings: TrainingSettings, threads: Int
  ) throws(NoPlaces) -> Int {
    let graph = try Network(description).graph
    let copies = 4 + min(shardCount, settings.batch)
    return copies * graph.weightBytes + 2 * graph.preparedBytes
      + max(threads, 1) * graph.workspaceBytes(gradients: true)
  }

  package var seen: Int { steps * settings.batch }
  package var isFinished: Bool { seen >= settings.pictures }
  package var parameterCount: Int { weights.count }

  /// One batch; returns its mean loss. Throws when the loss is not finite.
  ///
  /// A batch that `checkCancellation` stops leaves no trace.
  package func step(threads: Int, checkCancellation: @Sendable () throws -> Void = {}) throws
    -> Double
  {
    while workers.count < max(threads, 1) {
      workers.append(TrainingWorker(NetworkRunner(network, gradients: true)))
    }
    let first = UInt64(steps) * UInt64(settings.batch)
    let count = shards.count
    let (workers, shards, weights, losses) = (workers, shards, weights, losses)
    let (settings, balance, data, seed) = (settings, balance, data, seed)
    let (purpose, restriction) = (purpose, restriction)
    parallel(count, threads: threads) { shard, worker in
      for item in stride(from: shard, to: settings.batch, by: count) {
        if (try? checkCancellation()) == nil { return }
        losses.pointer[item] = workers[worker].addGradient(
          weights, data, settings, balance, restriction,
          stream: RandomStream(seed: seed, purpose: purpose, index: first + UInt64(item)),
          patches: RandomStream(seed: seed, purpose: .patches, index: first + UInt64(item)),
          into: shards[shard])
      }
    }
    do {
      try checkCancellation()
    } catch {
      for shard in shards { shard.clear() }
      throw error
    }
    steps += 1
    optimizer.update(
      shards: shards, scale: 1 / Float(settings.batch * network.trainedValues),
      learningRate: Float(settings.learningRate(after: seen)), step: steps,
      decay: Float(settings.averageDecay(after: seen)), threads: threads)
    let sum = (0..<settings.batch).reduce(0.0) { $0 + Double(losses.pointer[$1]) }
    let loss = sum / Double(settings.batch)
    if !loss.isFinite { throw TrainingError.diverged(pictures: seen) }
    return loss
  }

  /// All that the further training depends on.
  package var state: TrainingState { TrainingState(steps: steps, tensors: optimizer.state()) }

  /// Goes on where `state` was taken.
  package func restore(_ state: TrainingState) throws(ParameterMismatch) {
    try optimizer.restore(state.tensors)
    steps = state.steps
  }

  /// The denoiser with the averaged weights, as of now.
  package func denoiser() throws(ParameterMismatch) -> NetworkDenoiser {
    optimizer.finish()
    let copy = network.graph.makeWeights()
    try copy.load(optimizer.averaged.tensors())
    return NetworkDenoiser(network: network, weights: copy)
  }
}
