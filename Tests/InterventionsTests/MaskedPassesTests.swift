import Diffusion
import Streams
import Tensors
import Testing

@testable import Interventions

@Suite("Training on the passes of a mask")
struct MaskedPassesTests {
  private static let shape = MaskTests.shape
  private static let told = [9, 13, 45, 63]

  /// What one picture is told of, and what its pixels weigh that weighed 2.
  private func applied(_ passes: MaskedPasses, _ labels: [Int], index: Int) -> (
    shown: [Int], weights: [Float]
  ) {
    var conditioner = [Float](repeating: 0, count: 64)
    for cell in labels { conditioner[cell] = 1 }
    var weights = [Float](repeating: 2, count: 256)
    var stream = RandomStream(seed: 7, purpose: .test, index: UInt64(index))
    conditioner.withUnsafeMutableBufferPointer { conditioner in
      weights.withUnsafeMutableBufferPointer { weights in
        guard let labels = conditioner.baseAddress, let weights = weights.baseAddress else {
          return
        }
        passes.apply(labels: labels, weights: weights, stream: &stream)
      }
    }
    return (conditioner.indices.filter { conditioner[$0] != 0 }, weights)
  }

  @Test(
    "each pass has its labels and its own pixels count; on average all pixels count once",
    arguments: [
      MaskTests.specification(.conditioner), MaskTests.specification(.conditioner, labels: 2),
      MaskTests.specification(.conditioner, labels: 2, keep: .far, at: .objects),
      MaskTests.specification(.window, at: .ground), MaskTests.specification(.window, radius: 5),
    ])
  func passes(specification: MaskSpecification) throws {
    let passes = try MaskedPasses(specification, Self.shape)
    let plan = try PassPlanner(specification, Self.shape)
      .plan(
        labels: MaskTests.batch(Self.shape, Self.told).labels[..<64], draw: 0)
    guard case .stitched(let choice) = plan.combination else {
      Issue.record("the mask stitches")
      return
    }
    let count = 1200
    var sums = [Float](repeating: 0, count: 256)
    for index in 0..<count {
      let (shown, weights) = applied(passes, Self.told, index: index)
      let pass = try #require(plan.passes.firstIndex { ($0.cells ?? Self.told) == shown })
      let expected = choice.map { $0 == pass ? 2 * Float(plan.passes.count) : 0 }
      #expect(weights == expected)
      for i in sums.indices { sums[i] += weights[i] / 2 }
    }
    #expect(plan.passes.count > 1)
    #expect(sums.allSatisfy { abs($0 / Float(count) - 1) < 0.35 })
  }

  @Test("random labels are drawn anew for each picture; without labels there is one pass")
  func draws() throws {
    let passes = try MaskedPasses(
      MaskTests.specification(.conditioner, labels: 2, keep: .random), Self.shape)
    let sets = Set((0..<200).map { applied(passes, Self.told, index: $0).shown })
    #expect(sets.count > 5 && sets.allSatisfy { [0, 2].contains($0.count) })
    let (shown, weights) = applied(passes, [], index: 0)
    #expect(shown.isEmpty && weights.allSatisfy { $0 == 2 })
  }

  @Test(
    "masks of more than labels are refused",
    arguments: [MaskSpecification.Name.pixel, .both, .sum, .identity, .path])
  func refused(mask: MaskSpecification.Name) {
    #expect(throws: MaskError.noLabelMask(mask)) {
      try MaskedPasses(MaskTests.specification(mask), Self.shape)
    }
  }

  // MARK: - A network that goes on learning

  /// Grey pictures with two bright squares where the labels are.
  private static func data() throws -> TrainingSet {
    var pixels = [UInt8](repeating: 100, count: 32 * shape.pictureCount)
    var conditioners = [UInt8](repeating: 0, count: 32 * 64)
    for n in 0..<32 {
      for cell in [(n * 7) % 64, (n * 7 + 30) % 64] {
        conditioners[n * 64 + cell] = 1
        for pixel in 0..<4 {
          let place = (cell / 8 * 2 + pixel / 2) * 16 + cell % 8 * 2 + pixel % 2
          pixels[n * shape.pictureCount + place * 3] = 250
        }
      }
    }
    return try TrainingSet(shape: shape, pixels: pixels, conditioners: conditioners)
  }

  private static func base() throws -> NetworkDenoiser {
    try untrainedDenoiser(
      NetworkDescription(
        .unet(width: 8, conditioning: .grid, normalization: .group, attention: true), shape: shape),
      seed: 2)
  }

  private static func trainer(
    pictures: Int, by restriction: (any TrainingRestriction)? = nil
  ) throws -> Trainer {
    let settings = TrainingSettings(
      pictures: pictures, batch: 12, learningRate: 3e-3, warmUp: 24, decayAfter: 1000, coolDown: 0,
      sigmaMean: 0, sigmaDeviation: 1.2, labelling: .all, labelDropout: 0.1, balance: 0)
    return try Trainer(
      tuning: try base(), settings, data: try data(), seed: 3,
      by: try restriction ?? MaskedPasses(MaskTests.specification(.conditioner), shape))
  }

  @Test("it begins as it was, and its loss falls")
  func loss() throws {
    let trainer = try Self.trainer(pictures: 12 * 150)
    let base = try Self.base()
    #expect(try trainer.denoiser().weights.tensors() == base.weights.tensors())
    var losses: [Double] = []
    while !trainer.isFinished { losses.append(try trainer.step(threads: 2)) }
    let first = losses.prefix(30).reduce(0, +)
    let last = losses.suffix(30).reduce(0, +)
    #expect(last < 0.7 * first)
    #expect(try trainer.denoiser().weights.tensors() != base.weights.tensors())
  }

  @Test("stopped and gone on with, with other threads, it gives the same bytes")
  func resumed() throws {
    let whole = try Self.trainer(pictures: 96)
    while !whole.isFinished { _ = try whole.step(threads: 1) }
    let first = try Self.trainer(pictures: 96)
    for _ in 0..<3 { _ = try first.step(threads: 3) }
    let second = try Self.trainer(pictures: 96)
    try second.restore(try TrainingState(data: first.state.data()))
    while !second.isFinished { _ = try second.step(threads: 2) }
    #expect(try second.denoiser().weights.tensors() == whole.denoiser().weights.tensors())
  }

  private struct Nothing: TrainingRestriction {
    func apply(
      labels: UnsafeMutablePointer<Float>, weights: UnsafeMutablePointer<Float>,
      stream: inout RandomStream
    ) {
      for i in 0..<256 { weights[i] = 0 }
    }
  }

  @Test("pixels that do not count teach nothing")
  func uncounted() throws {
    let trainer = try Self.trainer(pictures: 24, by: Nothing())
    while !trainer.isFinished { #expect(try trainer.step(threads: 2) == 0) }
    #expect(try trainer.denoiser().weights.tensors() == Self.base().weights.tensors())
  }
}
