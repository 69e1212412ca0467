import Diffusion
import Foundation
import Synchronization

/// A model that another program computes, as a denoiser of Locus: noise levels are σ, pictures are channels
/// last.
package final class ExternalDenoiser: Denoiser {
  package let model: PeerModel
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
    model = PeerModel(peer)
    self.directions = directions
    shape = try peer.hello.pictureShape()
  }

  deinit {
    if let estimate { note("had no gradients of its model but " + estimate.text) }
  }

  package var peer: Peer { model.peer }
  package var schedule: NoiseSchedule { model.schedule }

  package var labelWindowArea: Double {
    let side = peer.hello.labelReach.map { min(2 * $0 + 1, shape.size) } ?? shape.size
    return Double(side * side)
  }

  /// Whether its gradients are the model's own, and not estimates.
  package var hasGradients: Bool { model.hasGradients }

  /// Of the gradients that were estimated so far, the worst; `nil` where there were none.
  package var estimate: GradientEstimate? { found.withLock { $0 } }

  package func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    return transposed(try model.denoise(field(batch)), toPlanes: false)
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
    let result = try model.gradients(
      field(batch), cotangent: transposed(cotangent, toPlanes: true))
    return (transposed(result.x, toPlanes: false), result.labels)
  }

  // MARK: - Between the orders of channels

  private func field(_ batch: NoisedBatch) -> FieldBatch {
    FieldBatch(
      x: transposed(batch.x, toPlanes: true), sigma: batch.sigma, labels: batch.labels)
  }

  /// From (N, S, S, 3) to (N, 3, S, S), or back.
  private func transposed(_ values: [Float], toPlanes: Bool) -> [Float] {
    Diffusion.transposed(
      values, places: shape.size * shape.size, channels: PictureShape.channels, toPlanes: toPlanes)
  }
}

/// Levels are activations that the peer tells by the name of one.
extension ExternalDenoiser: LevelDenoiser {
  package func shape(of level: NetworkLevel) throws -> LevelShape {
    let feature = try peer.feature(level.rawValue)
    if feature.shape.count == 3 {
      return LevelShape(
        height: feature.shape[1], width: feature.shape[2], channels: feature.channels)
    }
    return LevelShape(height: 1, width: feature.places, channels: feature.channels)
  }

  package func features(_ batch: NoisedBatch, at level: NetworkLevel, threads: Int) throws
    -> [Float]
  {
    let feature = try peer.feature(level.rawValue)
    let made = try model.features(field(batch), of: feature.name)
    if feature.isChannelsLast { return made }
    return Diffusion.transposed(
      made, places: feature.places, channels: feature.channels, toPlanes: false)
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
