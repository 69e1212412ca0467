// Proves that the index of remote dependence tells a denoiser that counts labels from one that goes by where
// the others are and from one that does neither, and that it is 0 where nothing remote matters.
import DenoiserFixtures
import Diffusion
import Foundation
import Statistics
import Streams
import Testing

@testable import Probing

@Suite("What changes at an object with what is remote to it")
struct RemoteTests {
  static let shape = PictureShape(size: 16, cells: 8)

  /// Labels in three corners and, for every other picture, one beside the first.
  static func inputs(_ count: Int = 6, _ cells: [Int] = [9, 14, 49]) -> RemoteInputs {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    func noise() -> [Float] { (0..<count * shape.pictureCount).map { _ in stream.gaussian() } }
    var labels = [Float](repeating: 0, count: count * shape.conditionerCount)
    for n in 0..<count {
      for cell in cells + (n % 2 == 1 ? [10] : []) { labels[n * shape.conditionerCount + cell] = 1 }
    }
    let batch = NoisedBatch(
      x: noise(), sigma: [Float](repeating: 2, count: count), labels: labels,
      draws: (0..<count).map { UInt64($0) })
    return RemoteInputs(batch: batch, others: noise())
  }

  /// A window of 3 px around objects of 3 px each way: labels beyond 5 px are remote.
  static let settings = RemoteSettings(window: 3, objectReach: 3)

  /// At one noise level.
  struct Index {
    var single, removed, moved, swapped: Interval?
  }

  static func index(_ denoiser: ToyDenoiser, _ inputs: RemoteInputs = inputs()) throws
    -> Index
  {
    let level = RemoteAverage(
      levels: [try remoteChanges(denoiser, inputs, settings, seed: 3, threads: 1)])
    func value(_ change: RemoteAverage.Change) -> Interval? { level.interval(change, seed: 3) }
    return Index(
      single: value(.single), removed: value(.removed), moved: value(.moved),
      swapped: value(.swapped))
  }

  @Test("count, place and neither are told apart")
  func channels() throws {
    let neither = try Self.index(ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 2.2))
    #expect(neither.removed?.value == 0 && neither.moved?.value == 0)
    let count = try Self.index(
      ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 2.2, sharesLabels: true))
    let counted = try #require(count.removed)
    #expect(counted.low > 0.5 && count.moved?.value == 0)
    let place = try Self.index(
      ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 2.2, remotePlaces: 0.5))
    let moved = try #require(place.moved)
    #expect(moved.low > 0.05)
  }

  @Test("by a closed form: three equal labels that share one strength")
  func closedForm() throws {
    // At an object: 1/3 with all, 0 without its own, 1/2 without one other, 1 alone.
    let one = try Self.index(
      ToyDenoiser(shape: Self.shape, reach: 1, labelReach: 2.2, sharesLabels: true),
      Self.inputs(1))
    #expect(abs((one.removed?.value ?? 0) - 2) < 1e-5)
    #expect(abs((one.single?.value ?? 0) - 0.5) < 1e-5)
  }

  @Test(
    "over noise levels and between denoisers: the mean of the levels' ratios, picture by picture")
  func average() throws {
    func changes(_ own: Double, _ removed: Double) -> RemoteChanges {
      var result = RemoteChanges()
      (result.remoteOwn, result.removed, result.single) = (own, removed, removed / 4)
      return result
    }
    // √(2 / 2) and √(8 / 2): 1.5 over both levels.
    let one = RemoteAverage(levels: [
      [changes(1, 1), changes(1, 1)], [changes(1, 4), changes(1, 4)],
    ])
    #expect(one.value(.removed, [1, 1]) == 1.5 && one.value(.single, [1, 1]) == 0.75)
    #expect(
      one.interval(.removed, seed: 1).map { [$0.low, $0.high, Double($0.n)] } == [1.5, 1.5, 2])
    // Twice as much in every picture, whatever the picture: paired, nothing is left to vary.
    let pictures = (1...6).map { changes(1, Double($0)) }
    let (half, whole) = (
      RemoteAverage(levels: [pictures]),
      RemoteAverage(levels: [pictures.map { changes(1, 4 * $0.removed) }])
    )
    let difference = try #require(whole.difference(.removed, from: half, seed: 1))
    #expect(abs(difference.value - 3.5.squareRoot()) < 1e-12)
    let own = try #require(whole.interval(.removed, seed: 1))
    #expect(difference.low > 0 && difference.high - difference.low < 0.6 * (own.high - own.low))
    var pixels = RemoteChanges()
    (pixels.swapped, pixels.replaced) = (1, 4)
    #expect(RemoteAverage(levels: [[pixels]]).value(.swapped, [1]) == 0.5)
    // Where an object's own label has no effect there is no ratio.
    #expect(RemoteAverage(levels: [[changes(0, 1)]]).interval(.removed, seed: 1) == nil)
    #expect(RemoteAverage(levels: []).interval(.removed, seed: 1) == nil)
  }

  @Test("pixels outside the window matter to a mean of all, not to a blur that stays inside")
  func swapped() throws {
    let blur = try Self.index(ToyDenoiser(shape: Self.shape, reach: 1))
    #expect(blur.swapped?.value == 0)
    let mean = try Self.index(ToyDenoiser(shape: Self.shape, reach: -1, global: 5))
    #expect(mean.swapped.map { $0.low > 0.5 } == true)
  }

  @Test("labels without any remote one have no ratio of these; a moved label keeps away and alone")
  func remote() throws {
    let alone = try Self.index(
      ToyDenoiser(shape: Self.shape, reach: 1, sharesLabels: true), Self.inputs(4, [9]))
    #expect(
      alone.removed == nil && alone.moved == nil && alone.single == nil && alone.swapped != nil)
    // What sees only labels near the object sees none of those that moved.
    let near = try Self.index(ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 1.9))
    #expect(near.moved?.value == 0)
  }

  @Test("a probe that was cut off goes on to the same numbers")
  func resumed() throws {
    let denoiser = ToyDenoiser(shape: Self.shape, reach: 1, sharesLabels: true)
    let whole = try remoteChanges(denoiser, Self.inputs(), Self.settings, seed: 3, threads: 1)
    #expect(Set(whole).count == 6)
    let some = whole.prefix(4).flatMap(\.values).withUnsafeBytes { Data($0) }
    var seen = 0
    let checkpointing = Checkpointing(
      saved: ["changes": some], isDue: { false }, save: { _ in seen += 1 },
      discard: { _ in }, checkCancellation: {})
    #expect(
      try remoteChanges(
        denoiser, Self.inputs(), Self.settings, seed: 3, threads: 2, checkpointing: checkpointing)
        == whole)
  }
}

@Suite("When a layout is decided")
struct LayoutDecisionTests {
  /// Draws what its labels say, or leaves everything as it is below a noise level.
  private struct Frozen: Denoiser {
    var shape = RemoteTests.shape
    var below: Float
    var labelWindowArea: Double { 1 }

    func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
      (0..<batch.x.count).map { i in
        let n = i / shape.pictureCount
        if batch.sigma[n] < below { return batch.x[i] }
        return batch.labels[n * shape.conditionerCount + i % shape.conditionerCount]
      }
    }

    func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
      -> (x: [Float], labels: [Float])
    {
      (cotangent, batch.labels)
    }
  }

  private static func decision(_ denoiser: Frozen) throws -> LayoutDecision {
    let sampler = Sampler(steps: 8)
    let shape = denoiser.shape
    let inputs = RemoteTests.inputs(4)
    let others = RemoteTests.inputs(4, [3, 60]).batch
    let sampled = try sampler.states(
      denoiser, labels: inputs.batch.labels, noise: inputs.batch.x, at: [40, 1, 0.1], threads: 1)
    #expect(sampled.pictures.count == 4 * shape.pictureCount)
    return try LayoutDecision(
      denoiser, sampler, labels: inputs.batch.labels, others: others.labels,
      noise: inputs.batch.x, draws: inputs.batch.draws, pictures: sampled.pictures,
      states: sampled.states, seed: 1, threads: 1, checkCancellation: {})
  }

  @Test("what is drawn anew at every level is never decided; what is frozen is")
  func extremes() throws {
    let open = try Self.decision(Frozen(below: 0))
    #expect(open.levels.map(\.sigma) == [40, 1, 0.1])
    #expect(open.levels.allSatisfy { $0.share.value < 1e-6 } && open.range == nil)
    let frozen = try Self.decision(Frozen(below: 2))
    #expect(frozen.levels[0].share.value < 0.2)
    #expect(frozen.levels[1...].allSatisfy { $0.share.value == 1 })
    #expect(frozen.range == 1...1)
  }
}
