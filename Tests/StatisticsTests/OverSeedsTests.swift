// Proves that the mean over seeds has an interval about such networks, not about these: by simulation.
import Foundation
import Statistics
import Streams
import Testing

@Suite("The mean over seeds")
struct OverSeedsTests {
  private static let layouts = 20

  /// Seeds that lie `between` apart, on layouts that move all of them by `common` (where they are the same
  /// layouts) and each by 1; the truth is 0.
  private func study(
    _ trial: Int, seeds: Int, between: Double, common: Double, areShared: Bool
  ) -> [SeedValue] {
    var stream = RandomStream(
      seed: UInt64(seeds), purpose: .test,
      index: UInt64(trial) << 8 | UInt64(between * 10) << 4 | UInt64(common * 2))
    let strata = [0..<Self.layouts]
    var layouts = (0..<Self.layouts).map { _ in common * Double(stream.gaussian()) }
    return (0..<seeds).map { seed in
      if !areShared { layouts = layouts.map { _ in common * Double(stream.gaussian()) } }
      let own = between * Double(stream.gaussian())
      let values = layouts.map { own + $0 + Double(stream.gaussian()) }
      func mean(_ weights: [Int]) -> Double {
        zip(weights, values).reduce(0) { $0 + Double($1.0) * $1.1 } / Double(values.count)
      }
      return SeedValue(
        mean([Int](repeating: 1, count: values.count)), low: nil, high: nil,
        draws: Bootstrap(seed: areShared ? 7 : UInt64(trial * 100 + seed), resamples: 60)
          .distribution(strata: strata, count: values.count, mean))
    }
  }

  /// Of `between`: 0.02 is nothing beside what 20 layouts move a mean by, 0.22; 0.5 is much more.
  @Test(
    "its interval holds the truth in 93 % of 200 studies at least",
    arguments: [
      (4, 0.5, 0, false), (5, 0.5, 0, false), (5, 0.1, 0.5, false), (8, 0.5, 0, false),
      (8, 0.02, 0, false), (12, 0.5, 0, false), (5, 0.1, 1, true), (8, 0.5, 1, true),
      (10, 0.1, 1, true),
    ] as [(Int, Double, Double, Bool)])
  func coverage(seeds: Int, between: Double, common: Double, areShared: Bool) throws {
    var covered = 0
    for trial in 0..<200 {
      let mean = try #require(
        overSeeds(
          study(trial, seeds: seeds, between: between, common: common, areShared: areShared),
          areShared: areShared, seed: UInt64(trial), draws: 1500))
      if mean.low <= 0, mean.high >= 0 { covered += 1 }
    }
    #expect(covered >= 186, "\(covered) of 200")
  }

  @Test("without draws it is Student's t of the seeds' means")
  func student() throws {
    #expect(overSeeds([SeedValue(1, low: nil, high: nil)], areShared: false, seed: 1) == nil)
    let three = [1.0, 2, 3].map { SeedValue($0, low: nil, high: nil) }
    let mean = try #require(overSeeds(three, areShared: false, seed: 1))
    #expect(mean.value == 2 && mean.deviation == 1 && mean.seeds == 3)
    #expect(abs(mean.width - 2 * 4.30265 / 3.0.squareRoot()) < 1e-4)
    // t = 2 √3 at 2 degrees.
    #expect(abs(mean.p - 0.0742) < 1e-4)
  }

  @Test("seeds that agree are not known exactly: their layouts say how well")
  func floor() throws {
    let equal = [SeedValue](repeating: SeedValue(0.9, low: 0.8, high: 1.0), count: 4)
    let mean = try #require(overSeeds(equal, areShared: false, seed: 1))
    // An error of 0.1 / 1.96 each, of the mean of four half of it, by t at 3 degrees.
    #expect(abs(mean.width - 2 * 3.18245 * 0.1 / 1.95996 / 2) < 1e-4)
    #expect(mean.deviation == 0 && !mean.isDegenerate)
    // On the same layouts they may err together.
    let shared = try #require(overSeeds(equal, areShared: true, seed: 1))
    #expect(abs(shared.width - 2 * 3.18245 * 0.1 / 1.95996) < 1e-4)
    let bare = [SeedValue](repeating: SeedValue(0.9, low: 0.9, high: 0.9), count: 4)
    #expect(overSeeds(bare, areShared: false, seed: 1)?.isDegenerate == true)
  }

  @Test("the same draws for the same seed")
  func deterministic() throws {
    let values = study(1, seeds: 8, between: 0.5, common: 0, areShared: false)
    let first = overSeeds(values, areShared: false, seed: 3)
    #expect(first == overSeeds(values, areShared: false, seed: 3))
    #expect(first != overSeeds(values, areShared: false, seed: 4))
  }
}
