import Testing

@testable import Reporting

@Suite("The verdict on analytic machines follows from intervals alone")
struct AnalyticVerdictTests {
  static func model(_ name: String, _ side: Int, _ recall: (Double, Double, Double)?)
    -> AnalyticVerdict.Model
  {
    AnalyticVerdict.Model(
      name: name, side: side, kMax: Estimate(value: 3, low: 2, high: 5, n: 20),
      recallBeyond: recall.map { Estimate(value: $0.0, low: $0.1, high: $0.2, n: 20) })
  }

  static func verdict(
    matching: (Double, Double, Double)?, whole: (Double, Double, Double),
    local: (Double, Double, Double)
  ) -> AnalyticVerdict {
    AnalyticVerdict(
      matching: model("near", 13, matching), whole: model("far", 63, whole),
      local: model("trained", 13, local))
  }

  @Test("intervals apart are shown, in whichever direction they lie, with N and K_max")
  func shown() {
    let one = Self.verdict(
      matching: (0.8, 0.75, 0.85), whole: (0.3, 0.2, 0.4), local: (0.95, 0.9, 0.97)
    ).sentences
    #expect(one[0].hasPrefix("**Shown:** locality alone composes where memorising does not"))
    #expect(
      one[0].contains("0.80 [0.75, 0.85] (N = 20 layouts)") && one[0].contains("K_max 3 [2, 5]"))
    #expect(one[1].hasPrefix("**Shown:** training adds to locality"))
    let other = Self.verdict(
      matching: (0.3, 0.2, 0.4), whole: (0.8, 0.75, 0.85), local: (0.1, 0.05, 0.15)
    ).sentences
    #expect(other[0].hasPrefix("**Shown, against the claim:**"))
    #expect(other[1].hasPrefix("**Shown:** training takes from"))
  }

  @Test("overlapping intervals and missing machines are not shown")
  func notShown() {
    let overlapping = Self.verdict(
      matching: (0.8, 0.7, 0.9), whole: (0.75, 0.65, 0.85), local: (0.85, 0.8, 0.9)
    ).sentences
    #expect(overlapping.allSatisfy { $0.hasPrefix("**Not shown**") })
    let missing = Self.verdict(
      matching: nil, whole: (0.3, 0.2, 0.4), local: (0.9, 0.8, 1)
    ).sentences
    #expect(missing.allSatisfy { $0.hasPrefix("**Not shown:** no ") })
    #expect(AnalyticVerdict().sentences.allSatisfy { $0.hasPrefix("**Not shown:** no ") })
  }
}
