// Proves that the mean over seeds has an interval about such networks, not about these: by simulation.
import Foundation
import Streams
import Testing

@testable import Statistics

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
          .distribution(strata: strata, count: values.count, mean), layouts: Self.layouts)
    }
  }

  /// What 400 studies of nothing say of it.
  private struct Outcome {
    var covered = 0
    /// With p < .05 and < .0025, which is what a correction over twenty claims asks.
    var rejected = 0
    var rejectedByTwenty = 0
  }

  private func outcome(
    _ seeds: Int, _ between: Double, _ common: Double, _ areShared: Bool
  ) throws -> Outcome {
    var outcome = Outcome()
    for trial in 0..<400 {
      let mean = try #require(
        overSeeds(
          study(trial, seeds: seeds, between: between, common: common, areShared: areShared),
          areShared: areShared))
      #expect((mean.p < 0.05) == (mean.low > 0 || mean.high < 0))
      if mean.low <= 0, mean.high >= 0 { outcome.covered += 1 }
      if mean.p < 0.05 { outcome.rejected += 1 }
      if mean.p < 0.0025 { outcome.rejectedByTwenty += 1 }
    }
    return outcome
  }

  /// Of `between`: 0.02 is nothing beside what 20 layouts move a mean by, 0.22; 0.5 is much more.
  @Test(
    "its interval holds the truth in 93 % of 400 studies at least, and its p is not small by chance",
    arguments: [
      (3, 0.5, 0, false), (3, 0.1, 1, true), (4, 0.5, 0, false), (5, 0.5, 0, false),
      (5, 0.1, 0.5, false), (8, 0.5, 0, false), (8, 0.02, 0, false), (12, 0.5, 0, false),
      (5, 0.1, 1, true), (5, 0.5, 1, true), (8, 0.5, 1, true), (10, 0.1, 1, true),
    ] as [(Int, Double, Double, Bool)])
  func coverage(seeds: Int, between: Double, common: Double, areShared: Bool) throws {
    let outcome = try outcome(seeds, between, common, areShared)
    #expect(outcome.covered >= 372, "\(outcome)")
    #expect(outcome.rejectedByTwenty <= 5, "\(outcome)")
  }

  /// An interval that is too wide shows nothing that is there.
  @Test(
    "where layouts are shared, chance is seen as often as it should be",
    arguments: [(5, 0.02, 1), (5, 0.1, 1), (5, 0.3, 1), (8, 0.1, 1), (5, 0.5, 0.5)])
  func size(seeds: Int, between: Double, common: Double) throws {
    let outcome = try outcome(seeds, between, common, true)
    #expect(outcome.rejected >= 10, "\(outcome)")
  }

  @Test("without draws it is Student's t of the seeds' means")
  func student() throws {
    #expect(overSeeds([SeedValue(1, low: nil, high: nil)], areShared: false) == nil)
    let three = [1.0, 2, 3].map { SeedValue($0, low: nil, high: nil) }
    let mean = try #require(overSeeds(three, areShared: false))
    #expect(mean.value == 2 && mean.deviation == 1 && mean.seeds == 3 && mean.degrees == 2)
    #expect(abs(mean.width - 2 * 4.30265 / 3.0.squareRoot()) < 1e-4)
    // t = 2 √3 at 2 degrees.
    #expect(abs(mean.p - 0.0742) < 1e-4)
  }

  /// Of seeds 0.01 ²/3 at 2 degrees, of layouts 0.05² at 19: (0.000033 + 0.0025)² over (0.000033² / 2 +
  /// 0.0025² / 19) is 19.5.
  @Test("what layouts move all seeds by is known by layouts, not by seeds")
  func degrees() throws {
    func mean(_ layouts: Int?) throws -> SeedMean {
      try #require(
        overSeeds(
          [0.89, 0.9, 0.91].map {
            SeedValue(
              $0, low: $0 - 0.05 * normalPoint, high: $0 + 0.05 * normalPoint, layouts: layouts)
          }, areShared: true))
    }
    #expect(abs(try mean(20).degrees - 19.5) < 0.05)
    #expect(abs(try mean(nil).degrees - 2.05) < 0.01)
    #expect(abs(try mean(20).error - (0.0001 / 3 + 0.0025).squareRoot()) < 1e-12)
    #expect(abs(try mean(20).widthByLayouts - 2 * normalPoint * 0.05) < 1e-12)
  }

  @Test("seeds that agree are not known exactly: their layouts say how well")
  func floor() throws {
    let equal = [SeedValue](repeating: SeedValue(0.9, low: 0.8, high: 1.0), count: 4)
    let mean = try #require(overSeeds(equal, areShared: false))
    // An error of 0.1 / 1.96 each, of the mean of four half of it, by t at 3 degrees.
    #expect(abs(mean.width - 2 * 3.18245 * 0.1 / 1.95996 / 2) < 1e-4)
    #expect(mean.deviation == 0 && !mean.isDegenerate)
    // On the same layouts they may err together.
    let shared = try #require(overSeeds(equal, areShared: true))
    #expect(abs(shared.width - 2 * 3.18245 * 0.1 / 1.95996) < 1e-4)
    let bare = [SeedValue](repeating: SeedValue(0.9, low: 0.9, high: 0.9), count: 4)
    #expect(overSeeds(bare, areShared: false)?.isDegenerate == true)
  }
}
