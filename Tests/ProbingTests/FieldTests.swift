import DenoiserFixtures
import Diffusion
import Streams
import Testing

@testable import Probing

@Suite("Probes of models of any shape")
struct FieldTests {
  private static func fields(_ model: ToyField, _ count: Int) -> FieldBatch {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    var batch = FieldBatch()
    for _ in 0..<count {
      batch.append((0..<model.fieldShape.count).map { _ in stream.gaussian() }, 1, [1, 1, 0])
    }
    return batch
  }

  @Test(
    "the share of a window is that of the Jacobian: by its rows, and by its columns where there are no gradients",
    arguments: [true, false], [1, 2, 3])
  func places(_ hasGradients: Bool, _ projections: Int) throws {
    let model = ToyField(hasGradients: hasGradients)
    let probe = FieldProbe(places: 12, projections: projections)
    let found = try probe.measure(model, Self.fields(model, 3), seed: 4)
    // ¼ of ¼ + 1/16, whatever the signs: channels do not mix.
    #expect(abs(found.shares[0].value - 0.8) < 1e-4)
    #expect(found.windows == [1, 3, 5, 7, 9, 11, 13, 15])
    #expect(abs((found.shares.last?.value ?? 0) - 1) < 1e-6)
    #expect(abs(found.even[0] - 1 / 40) < 1e-9)
    #expect(found.sides[0] == 1 && found.sides[1] == 1 && found.sides[2] > 1)
    #expect((found.stepError == nil) == hasGradients)
    #expect((found.stepError ?? 0) < 1e-3, "a linear model has no error of the step")
  }

  @Test("concepts that keep to their places are inside and alone there")
  func separate() throws {
    let model = ToyField()
    let found = try ConceptLocality(
      model, clean: Self.fields(model, 4).x, told: [[0, 1], [0, 2], [1, 2], [0, 1]], sigma: 1,
      seed: 2)
    // Six of eight equal places of forty hold ¾ of the effect.
    #expect(abs(found.inside.value - 0.75) < 1e-4)
    #expect(abs(found.area.value - 6.0 / 40) < 1e-6)
    #expect((found.remote?.value ?? 1) < 1e-4)
    #expect(found.effects.map(\.entry) == [0, 1, 2])
  }

  @Test("what another concept does to one is told by the share that it has in its effect")
  func coupled() throws {
    let model = ToyField(coupling: 0.5)
    let found = try ConceptLocality(
      model, clean: Self.fields(model, 3).x, told: [[0, 1], [0, 2], [1, 2]], sigma: 2, seed: 2)
    // Without the other 1 of 1.5 is left, without itself none.
    #expect(abs((found.remote?.value ?? 0) - 0.5 / 1.5) < 1e-3)
  }

  @Test(
    "a concept that acts everywhere alike is inside no more than its region's area, and others reach there"
  )
  func everywhere() throws {
    let model = ToyField(isGlobal: true)
    let found = try ConceptLocality(
      model, clean: Self.fields(model, 3).x, told: [[0, 1], [0, 2], [1, 2]], sigma: 2, seed: 2)
    #expect(abs(found.inside.value - found.area.value) < 0.02)
    #expect(abs((found.remote?.value ?? 0) - 1) < 1e-3)
  }

  @Test("of one concept at a time there are no others")
  func alone() throws {
    let model = ToyField()
    let found = try ConceptLocality(
      model, clean: Self.fields(model, 2).x, told: [[0], [1]], sigma: 1, seed: 2)
    #expect(found.remote == nil)
    #expect(ConceptLocality.passes(concepts: 1) == 4 && ConceptLocality.passes(concepts: 2) == 10)
  }

  @Test("a picture shows most those entries told of which it is denoised best")
  func shown() throws {
    let model = ToyField()
    let shape = model.fieldShape
    // All but fixed points of the toy: ½ x_i + ¼ x_(i+1) + c = x_i.
    let clean = [[0], [1, 2]].flatMap { told in
      (0..<shape.count).map { i -> Float in told.contains(i % shape.places / 8) ? 4 : 0 }
    }
    let entries = ShownEntries(model: model, clean: clean, sigmas: [0.1, 0.5], noises: 4, seed: 3)
    #expect(try entries.measure(most: 1)[0] == [true, false, false])
    #expect(try entries.measure(most: 2)[1] == [false, true, true])
  }
}
