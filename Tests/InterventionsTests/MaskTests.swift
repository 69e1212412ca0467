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
    _ mask: MaskSpecification.Name, labels: Int = 1, keep: MaskSpecification.Keep = .near,
    at: MaskSpecification.Place? = nil, radius: Double = 3, ring: MaskSpecification.Ring = .near
  ) -> MaskSpecification {
    MaskSpecification(
      mask: mask, labels: labels, keep: keep, at: at, radius: radius, block: 4, margin: 2,
      ring: ring, seed: 5)
  }

  static let fill: [Float] = (0..<2 * shape.pictureCount).map { Float(sin(Double($0))) }

  static func masked(_ base: any Denoiser, _ specification: MaskSpecification) throws
    -> MaskedDenoiser
  {
    try MaskedDenoiser(
      base: base, specification: specification, fill: fill,
      cut: specification.mask == .path ? ToyDenoiser(shape: base.shape, reach: 0) : nil)
  }

  /// Two pictures, the first with labels far apart, the second without any.
  static func batch(_ shape: PictureShape = shape, _ labels: [Int] = [9, 45]) -> NoisedBatch {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    var conditioners = [Float](repeating: 0, count: 2 * shape.conditionerCount)
    for cell in labels { conditioners[cell] = 1 }
    return NoisedBatch(
      x: (0..<2 * shape.pictureCount).map { _ in stream.gaussian() }, sigma: [0.7, 3],
      labels: conditioners, draws: [4, 5])
  }

  /// All but `features`, which needs a network with levels and has no gradients: `FeatureMaskTests`.
  static let all: [MaskSpecification] =
    MaskSpecification.Name.allCases.filter { $0 != .features }.map { specification($0) } + [
      specification(.conditioner, labels: 2, keep: .far),
      specification(.conditioner, labels: 2, keep: .random),
      specification(.window, keep: .far), specification(.reverse, keep: .far),
      specification(.pixel, ring: .remote),
      specification(.both, labels: 2, keep: .far, ring: .remote),
    ]
    + MaskSpecification.Place.allCases.flatMap { place in
      [
        specification(.conditioner, labels: 2, at: place), specification(.window, at: place),
        specification(.window, keep: .far, at: place), specification(.both, at: place),
      ]
    }

  @Test(
    "both identities change no bit, also of a real network",
    arguments: [MaskSpecification.Name.identity, .stitched])
  func identity(name: MaskSpecification.Name) throws {
    let network = try Network(
      NetworkDescription(
        .unet(width: 8, conditioning: .grid, normalization: .group, attention: true),
        shape: Self.shape))
    let weights = network.graph.makeWeights()
    weights.initialize(seed: 1, purpose: .test9)
    let base = NetworkDenoiser(network: network, weights: weights)
    let masked = try Self.masked(base, Self.specification(name))
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
    var refused: Set<MaskSpecification.Name> = []
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
            if mask.ring == .remote, mask.hasRingInItself(size: 8) { continue }
            refused.insert(mask.mask)
            let masked = try MaskedDenoiser(base: base, specification: mask, fill: Self.fill)
            #expect(try masked.denoise(batch, threads: 1) == plain, "\(mask)")
          }
        }
      }
    }
    #expect(
      refused
        == Set(
          MaskSpecification.Name.allCases.filter {
            !Self.specification($0).isIdentity && $0 != .path && $0 != .features
          }))
  }

  @Test("of a denoiser without bounds, a pixel mask is refused just where every block sees all")
  func seesAll() throws {
    let shape = PictureShape(size: 8, cells: 4)
    let base = ToyDenoiser(shape: shape, reach: 1, global: 1)
    let batch = Self.batch(shape, [6])
    let plain = try base.denoise(batch, threads: 1)
    for specification in [Self.specification(.pixel)] {
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

  /// Labels 9 and 13 in one row, 45 and 63 far below.
  private static let four = batch(shape, [9, 13, 45, 63])

  private static func shown(_ specification: MaskSpecification, draw: UInt64 = 0) throws
    -> [MaskPass]
  {
    let plan = try PassPlanner(specification, shape)
      .plan(labels: four.labels[..<shape.conditionerCount], draw: draw)
    return plan.passes
  }

  @Test("near and far show as many labels a pass, a pixel's own among them, and other ones")
  func nearAndFar() throws {
    func sets(_ keep: MaskSpecification.Keep, _ labels: Int = 2) throws -> Set<[Int]> {
      Set(
        try Self.shown(Self.specification(.conditioner, labels: labels, keep: keep)).compactMap(
          \.cells))
    }
    #expect(try sets(.near) == [[], [9, 13], [45, 63]])
    #expect(try sets(.far) == [[], [9, 63], [13, 63], [9, 45]])
    for keep in MaskSpecification.Keep.allCases {
      // One label is a pixel's own, whatever is kept beside it; four are all.
      #expect(try sets(keep, 1) == [[], [9], [13], [45], [63]])
      #expect(try sets(keep, 4) == [[], [9, 13, 45, 63]])
    }
    let random = try (0..<20).map {
      Set(
        try Self.shown(Self.specification(.conditioner, labels: 2, keep: .random), draw: $0)
          .compactMap(\.cells))
    }
    #expect(
      Set(random).count > 3 && random.allSatisfy { $0.allSatisfy { [0, 2].contains($0.count) } })
    #expect(
      try random[3]
        == Set(
          Self.shown(Self.specification(.conditioner, labels: 2, keep: .random), draw: 3)
            .compactMap(\.cells)))
  }

  @Test(
    "what is inside a window and what is outside are all labels, and a pixel's own is in both, for every pixel"
  )
  func windows() throws {
    let labels = Self.four.labels[..<Self.shape.conditionerCount]
    let plans = try [MaskSpecification.Keep.near, .far].map {
      try PassPlanner(Self.specification(.window, keep: $0, radius: 4.5), Self.shape)
        .plan(labels: labels, draw: 0)
    }
    func cells(_ plan: PassPlan, _ pixel: Int) throws -> [Int] {
      guard case .stitched(let choice) = plan.combination else { return [-1] }
      return try #require(plan.passes[choice[pixel]].cells)
    }
    for pixel in 0..<256 {
      let (inside, outside) = (try Set(cells(plans[0], pixel)), try Set(cells(plans[1], pixel)))
      #expect(inside.union(outside) == [9, 13, 45, 63])
      // Of a pixel with labels inside, one: its own.
      #expect(inside.intersection(outside).count == min(inside.count, 1))
    }
    // Cells 9 and 13 have their centres at (3, 3) and (3, 11): pixel (3, 6) has both inside, and 9 is nearer.
    #expect(try Set(cells(plans[0], 3 * 16 + 6)) == [9, 13])
    #expect(try Set(cells(plans[1], 3 * 16 + 6)) == [9, 45, 63])
    // Cell 9 has its centre at (3, 3): pixel (7, 7) is at 4.5 px from it, pixel (8, 3) at 5.5.
    #expect(try cells(plans[0], 7 * 16 + 7).contains(9))
    #expect(try !cells(plans[0], 8 * 16 + 3).contains(9))
  }

  /// A denoiser whose every output is the number of labels that it is shown: the mask can be read off.
  @Test("labels are hidden from labelled pixels alone, from the others alone, or from all")
  func places() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: -1, labelReach: 100)
    let grid = try #require(Self.shape.grid)
    func counts(_ specification: MaskSpecification) throws -> [Float] {
      let result = try Self.masked(base, specification).denoise(Self.four, threads: 2)
      return (0..<256).map { result[$0 * 3] }
    }
    func isNear(_ pixel: Int, _ reach: (Double, Double) -> Double) -> Int {
      [9, 13, 45, 63].filter { label in
        let center = grid.center(label)
        return reach(
          Double(pixel / 16) + 0.5 - center.y, Double(pixel % 16) + 0.5 - center.x) <= 3
      }.count
    }
    // Of the conditioner mask within a circle, of a window within its square.
    let circle = (0..<256).map { isNear($0) { ($0 * $0 + $1 * $1).squareRoot() } }
    let square = (0..<256).map { isNear($0) { max(abs($0), abs($1)) } }
    #expect(circle.contains(0) && circle.contains(1) && square != circle)
    func expect(
      _ mask: MaskSpecification.Name, _ keep: MaskSpecification.Keep, labels: Int = 1,
      labelled: @escaping (Int) -> Int, ground: Int
    ) throws {
      let near = mask == .window ? square : circle
      for (place, labelledSees, groundSees) in [
        (nil, labelled, ground), (.objects, labelled, 4), (.ground, { _ in 4 }, ground),
      ] as [(MaskSpecification.Place?, (Int) -> Int, Int)] {
        let found = try counts(Self.specification(mask, labels: labels, keep: keep, at: place))
        #expect(
          found == near.map { Float($0 > 0 ? labelledSees($0) : groundSees) },
          "\(mask) \(keep) \(place.map { "\($0)" } ?? "everywhere")")
      }
    }
    for keep in MaskSpecification.Keep.allCases {
      try expect(.conditioner, keep, labels: 3, labelled: { _ in 3 }, ground: 0)
    }
    try expect(.window, .near, labelled: { $0 }, ground: 0)
    try expect(.window, .far, labelled: { 5 - $0 }, ground: 4)
  }

  @Test("what is outside a window objects to what is inside it")
  func windowObjects() {
    let inside = Self.specification(.window)
    let outside = Self.specification(.window, keep: .far)
    #expect(outside.fault(asControlOf: inside) == nil && outside.isControl)
    #expect(inside.fault(asControlOf: outside) == .keepsWhatIsNear)
  }

  @Test("the same cut on the ground objects to one at objects, and to nothing else")
  func groundObjects() {
    let objects = Self.specification(.conditioner, labels: 2, at: .objects)
    let ground = Self.specification(.conditioner, at: .ground)
    let everywhere = Self.specification(.conditioner, labels: 2)
    #expect(ground.isControl && !objects.isControl && !everywhere.isControl)
    #expect(ground.fault(asControlOf: objects) == nil)
    #expect(objects.fault(asControlOf: ground) == .otherMechanism)
    #expect(ground.fault(asControlOf: everywhere) == .otherMechanism)
    #expect(objects.fault(asControlOf: everywhere) == .otherMechanism)
    #expect(
      Self.specification(.conditioner, at: .ground, radius: 4).fault(asControlOf: objects)
        == .otherMechanism)
    #expect(
      Self.specification(.window, at: .ground).fault(asControlOf: objects) == .otherMechanism)
    // Near no label nothing is chosen: two such masks are one.
    #expect(
      Self.specification(.conditioner, labels: 3, keep: .far, at: .ground)
        .fault(asControlOf: ground) == .keepsWhatIsNear)
    let far = Self.specification(.conditioner, labels: 2, keep: .far, at: .objects)
    #expect(far.fault(asControlOf: objects) == nil && far.isControl)
    // A sum shows one label a pass on the ground too.
    #expect(
      Self.specification(.sum).fault(asControlOf: Self.specification(.conditioner, at: .objects))
        == .otherMechanism)
  }

  @Test("a mask is written as before where it holds everywhere, and read with its place")
  func coding() throws {
    func members(_ specification: MaskSpecification) throws -> [String: Any] {
      let data = try JSONEncoder().encode(specification)
      #expect(try JSONDecoder().decode(MaskSpecification.self, from: data) == specification)
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
    #expect(
      try Set(members(Self.specification(.conditioner)).keys) == [
        "mask", "labels", "keep", "radius", "block", "margin", "ring", "fill", "seed",
      ])
    #expect(try members(Self.specification(.window, at: .ground))["at"] as? String == "ground")
  }

  @Test("the sum is each label's own effect on nothing, added")
  func sum() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 2.5, sharesLabels: true)
    let composing = ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 2.5)
    let masked = try Self.masked(base, Self.specification(.sum))
    let summed = try masked.denoise(Self.four, threads: 1)
    let expected = try composing.denoise(Self.four, threads: 1)
    #expect(zip(summed, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    // One label alone, and none, are the base's own, bit for bit.
    for labels in [[], [9]] {
      let batch = Self.batch(Self.shape, labels)
      #expect(try masked.denoise(batch, threads: 1) == base.denoise(batch, threads: 1))
    }
  }

  /// The same strengths for both arms, by one law; they go by the own cell in one, by the others in the other.
  @Test("reverse makes labels tell more or less by their own cell, or by the others'")
  func reverse() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 2.5)
    func strengths(_ keep: MaskSpecification.Keep, _ labels: [Int]) throws -> [Float] {
      let planner = try PassPlanner(
        MaskSpecification(mask: .reverse, keep: keep, seed: 5, amplitude: 0.25), Self.shape)
      let plan = planner.plan(labels: Self.batch(Self.shape, labels).labels[0..<64], draw: 3)
      guard case .weighted(let weights) = plan.combination else { return [] }
      return weights
    }
    let (own, remote) = (try strengths(.near, [9, 45, 50]), try strengths(.far, [9, 45, 50]))
    for all in [own, remote] {
      #expect(all.dropFirst().allSatisfy { $0 == 0.75 || $0 == 1.25 })
      #expect(abs(all.reduce(0, +) - 1) < 1e-6)
    }
    // The first label's own strength does not see the others; its remote one does, and nothing else.
    let others = (0..<20).map { [9, 30 + $0] }
    #expect(try Set(others.map { try strengths(.near, $0)[1] }).count == 1)
    #expect(try Set(others.map { try strengths(.far, $0)[1] }).count == 2)
    let owns = (0..<20).map { [$0, 45] }
    #expect(try Set(owns.map { try strengths(.near, $0)[1] }).count == 2)
    #expect(try Set(owns.map { try strengths(.far, $0)[1] }).count == 1)
    // Fair coins, in either arm.
    for keep in [MaskSpecification.Keep.near, .far] {
      let strong = try (0..<60).flatMap { a in
        try strengths(keep, [a, 63]).dropFirst().map { $0 > 1 ? 1 : 0 }
      }
      #expect((30...90).contains(strong.reduce(0, +)), "\(keep)")
    }
    // What a label adds is scaled, what is there without labels is not.
    let masked = try Self.masked(base, MaskSpecification(mask: .reverse, seed: 5, amplitude: 0.25))
    let (one, none) = (Self.batch(Self.shape, [9]), Self.batch(Self.shape, []))
    let added = zip(try base.denoise(one, threads: 1), try base.denoise(none, threads: 1)).map(-)
    let scaled = zip(try masked.denoise(one, threads: 1), try base.denoise(none, threads: 1)).map(-)
    let strength = try strengths(.near, [9])[1]
    #expect(zip(added, scaled).allSatisfy { abs($0 * strength - $1) < 1e-4 })
    #expect(added.contains { abs($0) > 0.01 })
    let (near, far) = (
      MaskSpecification(mask: .reverse), MaskSpecification(mask: .reverse, keep: .far)
    )
    #expect(far.fault(asControlOf: near) == nil && near.fault(asControlOf: far) == .keepsWhatIsNear)
  }

  /// What each control is there for: denoisers that depend on how many labels there are, on where the
  /// others are, or on neither. At equal number near and far differ for the second alone.
  @Test("near and far object to place, and to nothing else")
  func objecting() throws {
    func differs(_ base: ToyDenoiser, _ one: MaskSpecification, _ other: MaskSpecification) throws
      -> Bool
    {
      try Self.masked(base, one).denoise(Self.four, threads: 1)
        != Self.masked(base, other).denoise(Self.four, threads: 1)
    }
    let neither = ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.5)
    let count = ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.5, sharesLabels: true)
    let place = ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.5, remotePlaces: 0.5)
    let near = Self.specification(.conditioner, labels: 2)
    let far = Self.specification(.conditioner, labels: 2, keep: .far)
    let one = Self.specification(.conditioner)
    #expect(try !differs(neither, near, far) && !differs(neither, near, one))
    #expect(try !differs(count, near, far) && differs(count, near, one))
    #expect(try differs(place, near, far))
    #expect(far.fault(asControlOf: near) == nil && near.fault(asControlOf: far) == .keepsWhatIsNear)
    #expect(Self.specification(.sum).fault(asControlOf: one) == nil)
    #expect(Self.specification(.stitched).fault(asControlOf: one) == .changesNothing)
    let ring = Self.specification(.pixel, ring: .remote)
    #expect(ring.fault(asControlOf: Self.specification(.pixel)) == nil && ring.isControl)
    #expect(ring.fault(asControlOf: near) == .otherMechanism)
  }

  @Test("a ring half a picture away shows as many pixels, and the block's own")
  func rings() {
    for (block, margin) in [(4, 2), (2, 3), (2, 1), (8, 0)] {
      var near = Self.specification(.pixel)
      (near.block, near.margin) = (block, margin)
      var remote = near
      remote.ring = .remote
      let (a, b) = (ShownPixels(near, Self.shape), ShownPixels(remote, Self.shape))
      let across = 16 / block
      for index in 0..<across * across {
        func values(_ shown: ShownPixels) -> Set<Int> { Set(shown[index].joined()) }
        #expect(values(a).count == values(b).count, "block \(block), margin \(margin)")
        let own = Set(
          (0..<768).filter {
            $0 / 3 / 16 / block * across + $0 / 3 % 16 / block == index
          })
        #expect(values(a).intersection(values(b)) == own)
      }
    }
    var meeting = Self.specification(.pixel, ring: .remote)
    (meeting.block, meeting.margin) = (8, 2)
    #expect(throws: MaskError.ring(block: 8, margin: 2, size: 16)) {
      try Self.masked(ToyDenoiser(shape: Self.shape, reach: 1), meeting)
    }
  }

  @Test("fills are drawn anew for each layout, block and σ, and only for these")
  func fills() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 0, global: 1)
    let masked = try Self.masked(base, Self.specification(.pixel))
    var batch = Self.batch()
    let count = Self.shape.pictureCount
    (batch.x, batch.sigma) = (Array(batch.x[..<count] + batch.x[..<count]), [2, 2])
    func outputs(_ batch: NoisedBatch) throws -> [[Float]] {
      let result = try masked.denoise(batch, threads: 2)
      return [Array(result[..<count]), Array(result[count...])]
    }
    batch.labels = [Float](repeating: 0, count: batch.labels.count)
    let apart = try outputs(batch)
    #expect(apart[0] != apart[1])
    batch.draws = [4, 4]
    let together = try outputs(batch)
    #expect(together[0] == together[1] && together[0] == apart[0])
    batch.sigma = [2, 2.001]
    let levels = try outputs(batch)
    #expect(zip(levels[0], levels[1]).contains { abs($0 - $1) > 0.01 })
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

  @Test(
    "a path is cut within its noise levels, gradients too, and nothing is cut without what is cut")
  func paths() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 1, global: 1, labelReach: 4)
    let cut = ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 4)
    var specification = Self.specification(.path)
    let batch = Self.batch(Self.shape, [9, 45])
    for (low, high, isCut) in [
      (nil, nil, [true, true]), (1, nil, [false, true]), (nil, 1, [true, false]),
      (10, nil, [false, false]),
    ] as [(Double?, Double?, [Bool])] {
      (specification.sigmaLow, specification.sigmaHigh) = (low, high)
      let masked = try MaskedDenoiser(
        base: base, specification: specification, fill: [], cut: cut)
      let found = try masked.denoise(batch, threads: 1)
      let gradient = try masked.vectorJacobian(batch, cotangent: batch.x, threads: 1)
      for n in 0..<2 {
        let inner = isCut[n] ? cut : base
        let pixels = n * 768..<(n + 1) * 768
        #expect(try Array(found[pixels]) == Array(inner.denoise(batch, threads: 1)[pixels]))
        let expected = try inner.vectorJacobian(batch, cotangent: batch.x, threads: 1)
        #expect(Array(gradient.x[pixels]) == Array(expected.x[pixels]))
        #expect(
          Array(gradient.labels[n * 64..<(n + 1) * 64])
            == Array(expected.labels[n * 64..<(n + 1) * 64]))
      }
      _ = try checkMask(masked, on: batch, threads: 1)
    }
    #expect(throws: MaskError.uncut(.path)) {
      try MaskedDenoiser(base: base, specification: specification, fill: [])
    }
    #expect(!specification.isControl && specification.path == .both)
    #expect(
      MaskSpecification(mask: .path, path: .attention)
        .fault(asControlOf: MaskSpecification(mask: .path, path: .statistics)) == .otherMechanism)
    #expect(Self.specification(.pixel).path == nil)
  }

  /// Of regions the toy has many that are equally good, and rounding chooses: `MaskedFieldTests`.
  @Test(
    "gradients agree with finite differences, whatever the mask",
    arguments: all.filter { $0.mask != .concept })
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

  @Test("a mask that hides every label where the base sees one is an error")
  func ignoringLabels() throws {
    let base = ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.5)
    // No pixel's centre is within half a pixel of a cell's: all see ∅.
    let masked = try Self.masked(base, Self.specification(.conditioner, radius: 0.5))
    #expect(throws: MaskError.ignoresLabels(.conditioner)) {
      try checkMask(masked, on: Self.batch(), threads: 1)
    }
  }

  @Test("window areas", arguments: all)
  func areas(specification: MaskSpecification) throws {
    let masked = try Self.masked(ToyDenoiser(shape: Self.shape, reach: 1), specification)
    let area = masked.labelWindowArea
    #expect(area > 0 && area <= 256)
    if specification.at != nil { #expect(area == masked.base.labelWindowArea) }
    if specification.mask == .conditioner, specification.at == nil {
      #expect(abs(area - .pi * 9) < 1e-9)
    }
  }

  @Test("a block that does not divide the picture and a missing fill are refused")
  func refusals() {
    let base = ToyDenoiser(shape: Self.shape, reach: 1)
    var odd = Self.specification(.pixel)
    odd.block = 5
    #expect(throws: MaskError.block(block: 5, size: 16)) {
      try MaskedDenoiser(base: base, specification: odd, fill: Self.fill)
    }
    #expect(throws: MaskError.labels(0)) {
      try Self.masked(base, Self.specification(.conditioner, labels: 0))
    }
    #expect(throws: MaskError.keep(.window, .random)) {
      try Self.masked(base, Self.specification(.window, keep: .random))
    }
    #expect(throws: MaskError.fill(found: 0, expected: 768)) {
      try MaskedDenoiser(base: base, specification: Self.specification(.both), fill: [])
    }
  }

  @Test("on words, masks by the places of labels are refused; those by pixels alone hold")
  func words() throws {
    let space = ConditionerSpace.set(words: ["red", "blue"])
    let base = ToyDenoiser(
      shape: PictureShape(size: 16, space: space), reach: 1, global: 1, labelStrength: 0.5,
      sharesLabels: true)
    for specification in Self.all where specification.needsPlaces {
      #expect(throws: MaskError.places(specification.mask, NoPlaces(space))) {
        try Self.masked(base, specification)
      }
    }
    var batch = Self.batch()
    batch.labels = [1, 2, 0, 2]
    for specification in Self.all where !specification.needsPlaces {
      let masked = try Self.masked(base, specification)
      _ = try checkMask(masked, on: batch, threads: 2)
      let gradient = try masked.vectorJacobian(batch, cotangent: batch.x, threads: 1)
      // What is not told of is shown in no pass of a sum.
      #expect(gradient.labels.count == 4)
      #expect(zip(batch.labels, gradient.labels).allSatisfy { $0 == 0 || $1 != 0 })
    }
  }
}
