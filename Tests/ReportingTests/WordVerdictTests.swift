import Measures
import Testing

@testable import Reporting

/// Proves that sentences on words in pixels and features say what their numbers do, and no more.
@Suite("Verdicts on words")
struct WordVerdictTests {
  private static func row(_ sigma: Double, _ low: Double, _ high: Double) -> FeatureRow {
    FeatureRow(
      stage: "features", measure: "", sigma: sigma, k: 5, inputs: "trajectory", pair: nil,
      attribute: nil,
      estimate: Estimate(value: (low + high) / 2, low: low, high: high, n: 32))
  }

  private static func verdict(
    _ own: [(Double, Double)], others: Double = 0.05, _ random: (Double, Double)
  ) -> String {
    FeatureVerdict(
      "features", k: 5,
      own: own.enumerated().map { row(Double($0.offset + 1), $0.element.0, $0.element.1) },
      others: own.indices.map { row(Double($0 + 1), others, others) },
      random: own.indices.map { row(Double($0 + 1), random.0, random.1) })?.text ?? ""
  }

  @Test("features are local only where all noise levels say so")
  func features() {
    #expect(Self.verdict([(0.95, 0.99), (0.91, 0.99)], (0.1, 0.2)).hasPrefix("**Shown:**"))
    #expect(
      Self.verdict([(0.95, 0.99), (0.4, 0.6)], (0.1, 0.2)).contains("it is not local by words"))
    #expect(
      Self.verdict([(0.95, 0.99), (0.8, 0.95)], (0.1, 0.2)).contains("is open"))
    #expect(Self.verdict([(0.95, 0.99), (0.15, 0.6)], (0.1, 0.2)).hasPrefix("**Not shown**"))
    // All words in one subspace: none has its own.
    #expect(
      Self.verdict([(0.95, 0.99)], others: 0.96, (0.1, 0.2)).hasPrefix("**Not shown**"))
    #expect(
      Self.verdict([(0.95, 0.99)], others: 0.3, (0.1, 0.2)).contains("it is not local by words"))
    #expect(Self.verdict([], (0, 0)).isEmpty)
  }

  @Test("pixels are shown not to be local by the lowest level, or nothing is")
  func pixels() {
    func verdict(_ lows: [Double]) -> String {
      PixelVerdict(
        "model",
        lows.map {
          WordProbeRow(
            title: "model", stage: "probe", measure: "", k: 3, sigma: 1, attribute: nil,
            estimate: Estimate(value: $0 + 0.1, low: $0, high: $0 + 0.2, n: 12),
            label: "model")
        }
      ).text
    }
    #expect(verdict([0.5, 0.3]).hasPrefix("**Shown:**"))
    #expect(verdict([0.5, 0.05]).hasPrefix("**Not shown**"))
  }

  @Test("of seeds the largest p stands for all, and no mean")
  func worst() {
    let rows = [0.01, 0.4].enumerated().map { seed, p -> FeatureRow in
      var row = Self.row(1, p, p)
      row.stage = "features[seed=\(seed)]"
      row.measure = Measure.featureCosineP(.intervened).name
      return row
    }
    let folded = rows.labelled().overSeeds(worst: [Measure.featureCosineP(.intervened).name])
    #expect(folded.count == 1 && folded[0].estimate.value == 0.4)
  }
}
