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
    var result = batch.x
    let count = fieldShape.count
    for (n, factor) in factors.enumerated() {
      let (skip, out) = (Float(factor.skip), Float(factor.out))
      for i in n * count..<(n + 1) * count {
        result[i] = skip == 0 ? out * answer[i] : skip * result[i] + out * answer[i]
      }
    }
    return result
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
    for (n, factor) in factors.enumerated() {
      let (skip, out) = (Float(factor.skip), Float(factor.out))
      let inner = out * Float(factor.input)
      for i in n * count..<(n + 1) * count {
        result.x[i] = skip == 0 ? inner * result.x[i] : skip * cotangent[i] + inner * result.x[i]
      }
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
    var x = batch.x
    let count = fieldShape.count
    for (n, factor) in factors.enumerated() where factor.input != 1 {
      let input = Float(factor.input)
      for i in n * count..<(n + 1) * count { x[i] *= input }
    }
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
