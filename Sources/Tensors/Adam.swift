import Streams
import Vectors

/// Adam (Kingma & Ba 2015) with an exponential moving average of the weights.
///
/// The gradient of a batch comes as partial sums, one a shard, which are added in order: the
/// result does not depend on who computed which.
package final class Adam: Sendable {
  package let weights: Weights
  /// The averaged weights, from which pictures are drawn.
  package let averaged: Weights
  private let first: AlignedBuffer
  private let second: AlignedBuffer
  private let beta1: Float = 0.9
  private let beta2: Float = 0.999
  private let epsilon: Float = 1e-8

  package init(weights: Weights) {
    self.weights = weights
    averaged = Weights(parameters: weights.parameters)
    averaged.values.copy(from: weights.values)
    averaged.refresh()
    first = AlignedBuffer(count: weights.values.count)
    second = AlignedBuffer(count: weights.values.count)
  }

  /// Goes on from other weights, of which nothing but their values is known.
  package func begin(at weights: Weights) throws(ParameterMismatch) {
    let tensors = weights.tensors()
    try self.weights.load(tensors)
    try averaged.load(tensors)
  }

  /// One update with the gradient Σ shards · `scale`; shards are cleared.
  ///
  /// - Parameters:
  ///   - step: counts from 1.
  ///   - decay: the share of the old average that is kept.
  package func update(
    shards: [Gradients], scale: Float, learningRate: Float, step: Int, decay: Float, threads: Int
  ) {
    let count = weights.values.count
    let chunk = 4096
    // 1 − βᵗ in double: in float the second one loses half its bits in the first steps.
    var power1 = 1.0
    var power2 = 1.0
    for _ in 0..<min(step, 20_000) {
      power1 *= Double(beta1)
      power2 *= Double(beta2)
    }
    let correction1 = Float(1 - power1)
    let correction2 = Float(1 - power2)
    parallel((count + chunk - 1) / chunk, threads: threads) { item, _ in
      let range = item * chunk..<min((item + 1) * chunk, count)
      let w = weights.values.pointer
      let average = averaged.values.pointer
      let m = first.pointer
      let v = second.pointer
      for i in stride(from: range.lowerBound, to: range.upperBound, by: lanes) {
        var g = Vector()
        for shard in shards {
          g += load(shard.values.pointer + i)
          store(Vector(), shard.values.pointer + i)
        }
        g *= scale
        let m1 = load(m + i) * beta1 + g * (1 - beta1)
        let v1 = load(v + i) * beta2 + g * g * (1 - beta2)
        store(m1, m + i)
        store(v1, v + i)
        let root = (v1 / correction2).squareRoot() + epsilon
        let w1 = load(w + i) - learningRate / correction1 * m1 / root
        store(w1, w + i)
        store(load(average + i) * decay + w1 * (1 - decay), average + i)
      }
    }
    weights.refresh(threads: threads)
  }

  /// Makes the averaged weights ready for use.
  package func finish() { averaged.refresh() }

  private var parts: [(name: String, buffer: AlignedBuffer)] {
    [
      ("weights", weights.values), ("average", averaged.values), ("first", first),
      ("second", second),
    ]
  }

  /// Weights, average and both moments, in PyTorch's names and layouts behind the name of the part:
  /// all that the next update depends on, whatever the layout in memory.
  package func state() -> [NamedTensor] {
    parts.flatMap { part in
      weights.export(part.buffer).map {
        NamedTensor(name: "\(part.name).\($0.name)", shape: $0.shape, values: $0.values)
      }
    }
  }

  /// Takes up what `state` gave.
  package func restore(_ state: [NamedTensor]) throws(ParameterMismatch) {
    for part in parts {
      let prefix = part.name + "."
      try weights.fill(
        part.buffer,
        from: state.filter { $0.name.hasPrefix(prefix) }.map {
          NamedTensor(
            name: String($0.name.dropFirst(prefix.count)), shape: $0.shape, values: $0.values)
        })
    }
    weights.refresh()
  }
}
