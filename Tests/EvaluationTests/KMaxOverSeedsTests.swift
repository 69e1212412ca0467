import Statistics
import Streams
import Testing

@testable import Evaluation

@Suite("K_max over training seeds")
struct KMaxOverSeedsTests {
  /// Seeds that all have these recalls, each with what its layouts leave open.
  private func seeds(_ recalls: [Double], layouts: Double = 0.02) -> [SeedValue] {
    recalls.map { SeedValue($0, low: $0 - layouts, high: $0 + layouts) }
  }

  @Test("is the largest K up to which the mean over seeds reaches the threshold")
  func value() {
    let found = kMaxOverSeeds(
      [
        1: seeds([0.98, 0.97, 0.99, 0.98, 0.98]), 3: seeds([0.96, 0.97, 0.95, 0.96, 0.96]),
        // One seed alone is above.
        5: seeds([0.8, 0.82, 0.95, 0.81, 0.79]), 9: seeds([0.97, 0.96, 0.98, 0.97, 0.97]),
      ], threshold: 0.9)
    #expect(found.value == 3 && found.low == 3)
    #expect(found.n == 5)
  }

  @Test("seeds that lie far apart leave it open on both sides")
  func openInterval() {
    let found = kMaxOverSeeds(
      [
        1: seeds([0.99, 0.98, 0.99]), 3: seeds([0.99, 0.7, 0.98]), 5: seeds([0.95, 0.5, 0.9]),
        9: seeds([0.3, 0.2, 0.25]),
      ], threshold: 0.9)
    #expect(found.low == 1 && found.high == 5)
  }

  @Test("seeds that agree by chance are not surer than their layouts")
  func floor() {
    let found = kMaxOverSeeds(
      [1: seeds([0.91, 0.91, 0.91], layouts: 0.1), 3: seeds([0.5, 0.5, 0.5])], threshold: 0.9)
    #expect(found.value == 1 && found.low == 0)
  }

  @Test("of seeds with a known mean, 19 of 20 intervals hold the K of that mean")
  func coverage() {
    // Mean recall falls through the threshold between 5 and 7; seeds spread by .03 about it.
    let means = [1: 0.98, 3: 0.95, 5: 0.92, 7: 0.88, 9: 0.8]
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    let trials = 400
    var held = 0
    for _ in 0..<trials {
      let found = kMaxOverSeeds(
        means.mapValues { mean in
          (0..<5).map { _ in
            let value = mean + 0.03 * Double(stream.gaussian())
            return SeedValue(value, low: value - 0.01, high: value + 0.01)
          }
        }, threshold: 0.9)
      if found.low <= 5 && found.high >= 5 { held += 1 }
    }
    #expect(held >= trials * 93 / 100, "\(held) of \(trials)")
  }
}
