import DenoiserFixtures
import Diffusion
import Streams
import Testing

@testable import Interventions

@Suite("Masks on models of any shape")
struct MaskedFieldTests {
  private static func batch(_ model: ToyField, _ labels: [[Float]]) -> FieldBatch {
    var stream = RandomStream(seed: 3, purpose: .test, index: 0)
    var batch = FieldBatch()
    for row in labels {
      batch.append((0..<model.fieldShape.count).map { _ in stream.gaussian() }, 1, row)
    }
    return batch
  }

  private static func masked(
    _ model: ToyField, _ mask: MaskSpecification.Name, keep: MaskSpecification.Keep = .near,
    knockOut: RegionMask.KnockOut = .among, sigmaLow: Double? = nil
  ) throws -> MaskedField {
    try MaskedField(
      base: model,
      specification: MaskSpecification(
        mask: mask, keep: keep, seed: 5, sigmaLow: sigmaLow,
        region: RegionMask(share: 0.75, noises: 2, knockOut: knockOut)))
  }

  @Test("the identity changes no bit, and neither does a mask outside of its noise levels")
  func identity() throws {
    let model = ToyField(coupling: 0.5, leak: 0.2)
    let batch = Self.batch(model, [[1, 1, 0], [0, 0, 0], [1, 0, 1]])
    let plain = try model.denoise(batch)
    #expect(try Self.masked(model, .identity).denoise(batch) == plain)
    #expect(try Self.masked(model, .concept, sigmaLow: 2).denoise(batch) == plain)
    #expect(try Self.masked(model, .concept).denoise(batch) != plain)
  }

  /// Concept k acts in row k, and a fifth of it elsewhere; one told with it adds half of it.
  @Test(
    "a place is told of a concept where its own knock-out acts: there it stands as if alone, and elsewhere nothing does",
    arguments: RegionMask.KnockOut.allCases)
  func regions(_ knockOut: RegionMask.KnockOut) throws {
    let model = ToyField(coupling: 0.5, leak: 0.05)
    let batch = Self.batch(model, [[1, 1, 0]])
    var (blank, first) = (batch, batch)
    blank.labels = [0, 0, 0]
    first.labels = [1, 0, 0]
    let (nothing, alone) = (try model.denoise(blank), try model.denoise(first))
    let found = try Self.masked(model, .concept, knockOut: knockOut).denoise(batch)
    let places = model.fieldShape.places
    // Seven of its eight places hold three quarters of the first.
    let own = (0..<8).filter { found[$0] == alone[$0] }
    #expect(own.count == 7)
    let ground = (16..<places).filter { found[$0] == nothing[$0] }
    #expect(ground.count == places - 16, "no region lies beyond the rows of the two")
    // Of all three channels alike.
    for place in own { #expect(found[2 * places + place] == alone[2 * places + place]) }
  }

  @Test("controls tell each concept at as many places, and at others")
  func controls() throws {
    let model = ToyField(coupling: 0.5, leak: 0.05)
    let batch = Self.batch(model, [[1, 1, 0]])
    var told: [MaskSpecification.Keep: [[Int]]] = [:]
    for keep in MaskSpecification.Keep.allCases {
      let masked = try Self.masked(model, .concept, keep: keep)
      let plan = try #require(masked.plans(batch).first)
      guard case .stitched(let choice) = plan.combination else {
        Issue.record("\(keep) is not stitched")
        continue
      }
      told[keep] = (0..<2).map { concept in
        choice.indices.filter { plan.passes[choice[$0]].cells?.contains(concept) ?? true }
      }
    }
    let near = try #require(told[.near])
    #expect(near.map(\.count) == [7, 7])
    #expect(near[0].allSatisfy { $0 < 8 } && near[1].allSatisfy { (8..<16).contains($0) })
    #expect(told[.far] == [near[1], near[0]])
    let random = try #require(told[.random])
    #expect(random.map(\.count) == [7, 7] && random != near)
    for keep in MaskSpecification.Keep.allCases {
      let mask = try Self.masked(model, .concept, keep: keep).specification
      #expect(mask.isControl == (keep != .near))
      let own = try Self.masked(model, .concept).specification
      #expect((mask.fault(asControlOf: own) == nil) == (keep != .near))
    }
  }

  @Test("sums add what concepts change alone, and cost a pass each")
  func sums() throws {
    let model = ToyField(coupling: 0.5)
    let batch = Self.batch(model, [[1, 1, 0]])
    let parts = try [[0, 0, 0], [1, 0, 0], [0, 1, 0] as [Float]].map { labels in
      var one = batch
      one.labels = labels
      return try model.denoise(one)
    }
    let found = try Self.masked(model, .sum).denoise(batch)
    for i in found.indices {
      #expect(abs(found[i] - (parts[1][i] + parts[2][i] - parts[0][i])) < 1e-5)
    }
    #expect(MaskSpecification(mask: .sum).mostPasses(told: 2) == 3)
    #expect(MaskSpecification(mask: .concept).mostPasses(told: 2) == 1 + 2 * 3 + 4)
  }

  @Test("gradients go through the passes that a place takes", arguments: [1, 4])
  func gradients(_ copies: Int) throws {
    let model = ToyField(coupling: 0.5)
    let one = Self.batch(model, [[1, 1, 0]])
    var batch = FieldBatch()
    for _ in 0..<copies { batch.append(one.x, one.sigma[0], one.labels) }
    var stream = RandomStream(seed: 9, purpose: .test, index: 0)
    let cotangent = batch.x.map { _ in stream.gaussian() }
    // What labels add does not depend on x.
    let plain = try model.gradient(batch, cotangent: cotangent)
    for mask in [MaskSpecification.Name.concept, .sum] {
      let found = try Self.masked(model, mask).gradient(batch, cotangent: cotangent)
      #expect(zip(found, plain).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test("masks that go by pixels, by places of labels or by parts of a network are refused")
  func refused() throws {
    for mask in MaskSpecification.Name.allCases
    where ![.identity, .sum, .reverse, .concept].contains(mask) {
      #expect(throws: MaskError.noFieldMask(mask)) { try Self.masked(ToyField(), mask) }
    }
    #expect(throws: MaskError.region(share: 1, noises: 2)) {
      try MaskedField(
        base: ToyField(),
        specification: MaskSpecification(mask: .concept, region: RegionMask(share: 1)))
    }
  }
}
