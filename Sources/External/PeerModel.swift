import Diffusion
import Synchronization

/// A model that another program computes, of whatever shape it is: noise levels are σ, arrays channels first.
package final class PeerModel: FieldDenoiser {
  package let peer: Peer
  package let fieldShape: FieldShape
  package let schedule: NoiseSchedule

  package init(_ peer: Peer) {
    self.peer = peer
    let hello = peer.hello
    fieldShape = FieldShape(
      channels: hello.shape[0], height: hello.shape[1], width: hello.shape[2],
      entries: hello.conditioner.count)
    schedule = hello.noise.schedule
  }

  package var hasGradients: Bool { peer.hello.abilities.contains(.vjp) }
  package var givesEndpoints: Bool { peer.hello.givesEndpoints }

  package func denoise(_ batch: FieldBatch) throws -> [Float] {
    let (asked, factors) = try question(batch)
    let answer = try peer.denoise(asked)
    // A model of σ gives D itself.
    if factors.allSatisfy({ $0.skip == 0 && $0.out == 1 }) { return answer }
    return combined(
      batch.x, answer, factors.map { (Float($0.skip), Float($0.out)) }, count: fieldShape.count)
  }

  package func gradient(_ batch: FieldBatch, cotangent: [Float]) throws -> [Float] {
    try gradients(batch, cotangent: cotangent).x
  }

  /// The gradients of Σ cotangent · D by x, (N, C, H, W), and by the labels, (N, entries).
  package func gradients(_ batch: FieldBatch, cotangent: [Float]) throws -> (
    x: [Float], labels: [Float]
  ) {
    let (asked, factors) = try question(batch)
    var result = try peer.vectorJacobian(asked, cotangent: cotangent)
    let (count, entries) = (fieldShape.count, fieldShape.entries)
    result.x = combined(
      cotangent, result.x,
      factors.map { (Float($0.skip), Float($0.out) * Float($0.input)) }, count: count)
    for (n, factor) in factors.enumerated() {
      let out = Float(factor.out)
      for i in n * entries..<(n + 1) * entries { result.labels[i] *= out }
    }
    return result
  }

  /// Activations at x, σ, c: (N, the feature's shape).
  package func features(_ batch: FieldBatch, of name: String) throws -> [Float] {
    try peer.features(question(batch).0, names: [name])[name] ?? []
  }

  private func question(_ batch: FieldBatch) throws -> (Peer.Batch, [NoiseConvention.Factors]) {
    let factors = try batch.sigma.map { try peer.hello.noise.factors(Double($0)) }
    let x =
      factors.allSatisfy { $0.input == 1 }
      ? batch.x
      : combined(
        batch.x, batch.x, factors.map { (0, Float($0.input)) }, count: fieldShape.count)
    return (
      Peer.Batch(x: x, levels: factors.map { Float($0.level) }, labels: batch.labels), factors
    )
  }
}

extension NoiseConvention {
  /// For samplers.
  package var schedule: NoiseSchedule {
    switch self {
    case .sigma(let low, let high): NoiseSchedule(low: low, high: high)
    case .schedule(let alphas, _):
      NoiseSchedule(low: range.low, high: range.high, times: alphas.map(Self.sigma))
    }
  }
}
