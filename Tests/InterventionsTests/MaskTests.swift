import DenoiserFixtures
import Diffusion
import Foundation
import Streams
import Tensors
import Testing

@testable import Interventions

@Suite("Masked denoisers")
struct MaskTests {
  static let shape = PictureShape(size: 16, cells: 8)

  static func specification(
    _ mask: MaskSpecification.Name, of: MaskSpecification.Target = .conditioner,
    radius: Double = 3, fill: MaskSpecification.Fill = .mean
  ) -> MaskSpecification {
    MaskSpecification(
      mask: mask, of: of, radius: radius, block: 4, margin: 2, fill: fill, seed: 5)
  }

  static let fill: [Float] = (0..<2 * shape.pictureCount).map { Float(sin(Double($0))) }

  static func masked(_ base: any Denoiser, _ specification: MaskSpecification) throws
    -> MaskedDenoiser
  {
    try MaskedDenoiser(base: base, specification: specification, fill: fill)
  }

  /// Two pictures, the first with labels far apart, the second without any.
  static func batch(_ shape: PictureShape = shape, _ labels: [Int] = [9, 45]) -> NoisedBatch {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    var conditioners = [Float](repeating: 0, count: 2 * shape.conditionerCount)
    for cell in labels { conditioners[cell] = 1 }
    return NoisedBatch(
      x: (0..<2 * shape.pictureCount).map { _ in stream.gaussian() }, sigma: [0.7, 3],
      labels: conditioners)
  }

  static let all: [MaskSpecification] =
    MaskSpecification.Name.allCases.map { specification($0) } + [
      specification(.placebo, of: .pixel), specification(.placebo, of: .both),
      specification(.pixel, fill: .resampled), specification(.both, fill: .resampled),
    ]

  @Test("the identity changes no bit, also of a real network")
  func identity() throws {
    let network = try Network(
      NetworkDescription(
        .unet(width: 8, conditioning: .grid, normalization: .group, attention: true),
        shape: Self.shape))
    let weights = network.graph.makeWeights()
    weights.initialize(seed: 1, purpose: .test9)
    let base = NetworkDenoiser(network: network, weights: weights)
    let masked = try Self.masked(base, Self.specification(.identity))
    #expect(
      try masked.denoise(Self.batch(), threads: 2) == base.denoise(Self.batch(), threads: 1))
    let effect = try checkMask(masked, on: Self.batch(), threads: 2)
    #expect(effect.changedShare == 0 && effect.largestChange == 0)
  }

  @Test("a local denoiser with distant labels is left as it is by the conditioner mask")
  func localUnchanged() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 2.5)
    let masked = try Self.masked(base, Self.specification(.conditioner, radius: 3))
    #expect(try masked.denoise(Self.batch(), threads: 1) == base.denoise(Self.batch(), threads: 1))
    // And a mask that cuts nothing is an error.
    #expect(throws: MaskError.changedNothing(.conditioner)) {
      try checkMask(masked, on: Self.batch(), threads: 1)
    }
  }

  @Test("a mask that is said to cut nothing changes no bit of any denoiser of that reach")
  func cutsNothing() throws {
    let shape = PictureShape(size: 8, cells: 4)
    var refused: Set<MaskSpecification.Target> = []
    for (reach, labelReach) in [(0, 0), (1, 2), (3, 1)] {
      let base = ToyDenoiser(shape: shape, reach: reach, labelReach: Double(labelReach))
      for labels in [[], [6], [0, 15]] {
        let batch = Self.batch(shape, labels)
        let plain = try base.denoise(batch, threads: 1)
        for specification in Self.all where !specification.isIdentity {
          for (block, margin, radius) in [
            (4, 1, 3.0), (4, 4, 6), (8, 0, 30), (2, 3, 4.3), (1, 7, 0.5),
          ] {
            var mask = specification
            (mask.block, mask.margin, mask.radius) = (block, margin, radius)
            let cutsNothing = mask.cutsNothing(
              size: 8, cellSize: 2, mostLabels: labels.count, pixelReach: reach,
              labelReach: labelReach)
            if !cutsNothing { continue }
            if let target = mask.target { refused.insert(target) }
            let masked = try MaskedDenoiser(base: base, specification: mask, fill: Self.fill)
            #expect(try masked.denoise(batch, threads: 1) == plain, "\(mask)")
          }
        }
      }
    }
    #expect(refused == Set(MaskSpecification.Target.allCases))
  }

  @Test("of a denoiser without bounds, a pixel mask is refused just where every block sees all")
  func seesAll() throws {
    let shape = PictureShape(size: 8, cells: 4)
    let base = ToyDenoiser(shape: shape, reach: 1, global: 1)
    let batch = Self.batch(shape, [6])
    let plain = try base.denoise(batch, threads: 1)
    for specification in [Self.specification(.pixel), Self.specification(.placebo, of: .pixel)] {
      for (block, margin) in [(1, 6), (1, 7), (4, 3), (4, 4), (8, 0), (2, .max)] {
        var mask = specification
        (mask.block, mask.margin) = (block, margin)
        let cutsNothing = mask.cutsNothing(
          size: 8, cellSize: 2, mostLabels: nil, pixelReach: nil, labelReach: nil)
        let masked = try MaskedDenoiser(base: base, specification: mask, fill: Self.fill)
        #expect(
          try cutsNothing == (masked.denoise(batch, threads: 1) == plain),
          "block \(block), margin \(margin)")
      }
    }
  }

  @Test("the conditioner mask repairs a denoiser whose labels share one strength")
  func repairs() throws {
    let failing = ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.5, sharesLabels: true)
    let composing = ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.5)
    let batch = Self.batch(Self.shape, [9, 13, 45])
    let masked = try Self.masked(failing, Self.specification(.conditioner, radius: 3))
    let repaired = try masked.denoise(batch, threads: 1)
    let expected = try composing.denoise(batch, threads: 1)
    #expect(zip(repaired, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(try failing.denoise(batch, threads: 1) != expected)
  }

  @Test("the placebo shows the same labels half a picture away, and repairs nothing")
  func placebo() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.5)
    let masked = try Self.masked(base, Self.specification(.placebo))
    let specification = masked.specification
    let labels = Self.batch().labels[..<Self.shape.conditionerCount]
    let real = try PassPlanner(Self.specification(.conditioner), Self.shape).plan(labels: labels)
    let moved = try PassPlanner(specification, Self.shape).plan(labels: labels)
    // The same area for each label.
    func areas(_ plan: PassPlan) -> [MaskPass: Int] {
      Dictionary(grouping: plan.choice.map { plan.passes[$0] }, by: { $0 }).mapValues(\.count)
    }
    #expect(areas(real) == areas(moved))
    #expect(real.choice.map { real.passes[$0] } != moved.choice.map { moved.passes[$0] })
    #expect(try masked.denoise(Self.batch(), threads: 1) != base.denoise(Self.batch(), threads: 1))
  }

  @Test("a pixel mask lets nothing from outside the window through")
  func pixelWindow() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 1, global: 1)
    let masked = try Self.masked(base, Self.specification(.pixel))
    var batch = Self.batch()
    let before = try masked.denoise(batch, threads: 1)
    // Block (0, 0) sees rows and columns 0 … 5: a change at (8, 8) must not reach it.
    batch.x[(8 * 16 + 8) * 3] += 10
    let after = try masked.denoise(batch, threads: 1)
    for row in 0..<4 {
      for column in 0..<4 {
        let i = (row * 16 + column) * 3
        #expect(before[i] == after[i])
      }
    }
    #expect(before[(8 * 16 + 8) * 3] != after[(8 * 16 + 8) * 3])
  }

  @Test("resampled fills stay one noised picture along a trajectory")
  func resampled() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 0, global: 1)
    let masked = try Self.masked(base, Self.specification(.pixel, fill: .resampled))
    let batch = Self.batch()
    #expect(try masked.denoise(batch, threads: 1) == masked.denoise(batch, threads: 2))
  }

  @Test("gradients agree with finite differences, whatever the mask", arguments: all)
  func gradients(specification: MaskSpecification) throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 1, global: 0.5, labelReach: 4)
    let masked = try Self.masked(base, specification)
    let batch = Self.batch()
    var stream = RandomStream(seed: 2, purpose: .test, index: 0)
    let cotangent = batch.x.map { _ in stream.gaussian() }
    let gradient = try masked.vectorJacobian(batch, cotangent: cotangent, threads: 1)
    let direction = batch.x.map { _ in stream.gaussian() }
    func loss(_ step: Float) throws -> Double {
      var moved = batch
      for i in moved.x.indices { moved.x[i] += step * direction[i] }
      let d = try masked.denoise(moved, threads: 1)
      return zip(d, cotangent).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let difference = try (loss(0.5) - loss(-0.5))
    let expected = zip(gradient.x, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    // The toy is linear: only rounding remains.
    #expect(abs(difference - expected) < 1e-4 * max(abs(expected), 10))
  }

  @Test("window areas", arguments: all)
  func areas(specification: MaskSpecification) throws {
    let masked = try Self.masked(ToyDenoiser(shape: Self.shape, reach: 1), specification)
    let area = masked.labelWindowArea
    #expect(area > 0 && area <= 256)
    if specification.mask == .conditioner { #expect(abs(area - .pi * 9) < 1e-9) }
  }

  @Test("a block that does not divide the picture and a missing fill are refused")
  func refusals() {
    let base = ToyDenoiser(shape: Self.shape, reach: 1)
    var odd = Self.specification(.pixel)
    odd.block = 5
    #expect(throws: MaskError.block(block: 5, size: 16)) {
      try MaskedDenoiser(base: base, specification: odd, fill: Self.fill)
    }
    #expect(throws: MaskError.fill(found: 0, expected: 768)) {
      try MaskedDenoiser(base: base, specification: Self.specification(.both), fill: [])
    }
  }

  @Test("on words, masks by the places of labels are refused; those by pixels alone hold")
  func words() throws {
    let space = ConditionerSpace.set(words: ["red", "blue"])
    let base = ToyDenoiser(
      shape: PictureShape(size: 16, space: space), reach: 1, global: 1, labelStrength: 0.5)
    for specification in Self.all where specification.needsPlaces {
      #expect(throws: MaskError.places(specification.mask, NoPlaces(space))) {
        try Self.masked(base, specification)
      }
    }
    var batch = Self.batch()
    batch.labels = [1, 0, 0, 2]
    for specification in Self.all where !specification.needsPlaces {
      let masked = try Self.masked(base, specification)
      _ = try checkMask(masked, on: batch, threads: 2)
      let gradient = try masked.vectorJacobian(batch, cotangent: batch.x, threads: 1)
      #expect(gradient.labels.count == 4 && gradient.labels.allSatisfy { $0 != 0 })
    }
  }
}
