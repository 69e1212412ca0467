import Diffusion
import Foundation
import Synchronization

/// A model that another program computes, as a denoiser of Locus: noise levels are σ, pictures are channels
/// last.
package final class ExternalDenoiser: Denoiser {
  package let peer: Peer
  package let shape: PictureShape
  /// Directions along which it is probed where it gives no gradients.
  private let directions: Int
  private let note: @Sendable (String) -> Void
  private let found = Mutex<GradientEstimate?>(nil)

  /// - Parameters:
  ///   - directions: pairs of passes for the gradients of an input, where the peer has no `vjp`.
  ///   - note: is told at the end how good its gradients were, if they were estimates.
  /// - Throws: `MisfitError` for a model of other pictures or conditioners than Locus has.
  package init(
    _ peer: Peer, directions: Int = 4096, note: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.note = note
    self.peer = peer
    self.directions = directions
    shape = try peer.hello.pictureShape()
  }

  deinit {
    if let estimate { note("had no gradients of its model but " + estimate.text) }
  }

  package var labelWindowArea: Double {
    let side = peer.hello.labelReach.map { min(2 * $0 + 1, shape.size) } ?? shape.size
    return Double(side * side)
  }

  /// Whether its gradients are the model's own, and not estimates.
  package var hasGradients: Bool { peer.hello.abilities.contains(.vjp) }

  /// Of the gradients that were estimated so far, the worst; `nil` where there were none.
  package var estimate: GradientEstimate? { found.withLock { $0 } }

  package func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    let (asked, factors) = try question(batch)
    let answer = try peer.denoise(asked)
    let (plane, channels) = (shape.size * shape.size, PictureShape.channels)
    var result = batch.x
    for n in 0..<batch.count {
      let (skip, out) = (Float(factors[n].skip), Float(factors[n].out))
      let start = n * shape.pictureCount
      for pixel in 0..<plane {
        for channel in 0..<channels {
          let i = start + pixel * channels + channel
          let f = answer[start + channel * plane + pixel]
          result[i] = skip == 0 ? out * f : skip * result[i] + out * f
        }
      }
    }
    return result
  }

  package func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws -> (
    x: [Float], labels: [Float]
  ) {
    try batch.validate(shape, cotangent: cotangent)
    guard hasGradients else {
      let (gradient, estimate) = try estimatedGradients(
        batch, cotangent: cotangent, directions: directions, portion: peer.hello.batch
      ) { try denoise($0, threads: threads) }
      found.withLock { $0 = $0.map { $0.worse(estimate) } ?? estimate }
      return gradient
    }
    let (asked, factors) = try question(batch)
    let answer = try peer.vectorJacobian(asked, cotangent: transposed(cotangent, toPlanes: true))
    var result = (x: transposed(answer.x, toPlanes: false), labels: answer.labels)
    let (count, entries) = (shape.pictureCount, shape.conditionerCount)
    for n in 0..<batch.count {
      let (skip, out) = (Float(factors[n].skip), Float(factors[n].out))
      let inner = out * Float(factors[n].input)
      for i in n * count..<(n + 1) * count {
        result.x[i] = skip == 0 ? inner * result.x[i] : skip * cotangent[i] + inner * result.x[i]
      }
      for i in n * entries..<(n + 1) * entries { result.labels[i] *= out }
    }
    return result
  }

  // MARK: - Between the conventions

  private func question(_ batch: NoisedBatch) throws -> (Peer.Batch, [NoiseConvention.Factors]) {
    let factors = try batch.sigma.map { try peer.hello.noise.factors(Double($0)) }
    var x = transposed(batch.x, toPlanes: true)
    for (n, factor) in factors.enumerated() where factor.input != 1 {
      let input = Float(factor.input)
      for i in n * shape.pictureCount..<(n + 1) * shape.pictureCount { x[i] *= input }
    }
    return (
      Peer.Batch(x: x, levels: factors.map { Float($0.level) }, labels: batch.labels), factors
    )
  }

  /// From (N, S, S, 3) to (N, 3, S, S), or back.
  private func transposed(_ values: [Float], toPlanes: Bool) -> [Float] {
    let (plane, channels) = (shape.size * shape.size, PictureShape.channels)
    var result = values
    for start in stride(from: 0, to: values.count, by: shape.pictureCount) {
      for pixel in 0..<plane {
        for channel in 0..<channels {
          let (last, first) = (start + pixel * channels + channel, start + channel * plane + pixel)
          if toPlanes { result[first] = values[last] } else { result[last] = values[first] }
        }
      }
    }
    return result
  }
}

extension PeerHello {
  /// The pictures and conditioners of Locus that these are.
  package func pictureShape() throws(MisfitError) -> PictureShape {
    guard shape[0] == PictureShape.channels, shape[1] == shape[2],
      PictureShape.sizes.contains(shape[1])
    else {
      throw MisfitError(
        name, "pictures are \(shape[0]) × \(shape[1]) × \(shape[2]) (channels, height, width)",
        "\(PictureShape.channels) channels and a square of \(PictureShape.sizes.lowerBound) to"
          + " \(PictureShape.sizes.upperBound) px")
    }
    let size = shape[1]
    switch conditioner {
    case .grid(let cells):
      if size % cells == 0 { return PictureShape(size: size, cells: cells) }
      throw MisfitError(
        name, "conditioners are of \(cells) × \(cells) cells", "a divisor of \(size)")
    case .set(let words): return PictureShape(size: size, space: .set(words: words))
    case .vector(let count):
      throw MisfitError(
        name, "conditioners are \(count) numbers that stand for nothing known",
        "a grid of cells or a set of words")
    }
  }
}
