import Testing

@testable import Reporting

@Suite("The verdict follows from intervals alone")
struct VerdictTests {
  static func model(
    _ name: String, _ recall: (Double, Double, Double), k: (Double, Double, Double) = (3, 2, 4),
    locality: (Double, Double, Double)? = nil
  ) -> Verdict.Model {
    Verdict.Model(
      name: name, kMax: Estimate(value: k.0, low: k.1, high: k.2, n: 24),
      recallBeyond: Estimate(value: recall.0, low: recall.1, high: recall.2, n: 24),
      locality: locality.map { Estimate(value: $0.0, low: $0.1, high: $0.2, n: 9) })
  }

  static func arm(
    _ name: String, _ recall: (Double, Double, Double), p: Double = 0.001,
    of: String = "conditioner",
    radius: String = "7", precision: (Double, Double, Double) = (0.01, -0.01, 0.03)
  ) -> Verdict.Arm {
    Verdict.Arm(
      name: "masked[mask=\(name)]", arm: name,
      windows: RunData.Windows(
        mask: name, of: of, radius: radius, block: "8", margin: "4", fill: "mean"),
      recall: Estimate(value: recall.0, low: recall.1, high: recall.2, n: 30), pHolm: p,
      precision: Estimate(value: precision.0, low: precision.1, high: precision.2, n: 30))
  }

  static var success: Verdict {
    Verdict(
      failing: model("single", (0.6, 0.55, 0.65), k: (2, 1, 3), locality: (0.8, 0.75, 0.85)),
      composing: model("all", (0.9, 0.87, 0.93), locality: (0.95, 0.9, 0.99)),
      local: model("local", (0.92, 0.9, 0.94), k: (12, 9, 12), locality: (1, 1, 1)),
      masks: [arm("conditioner", (0.2, 0.15, 0.25))],
      placebos: [arm("placebo", (-0.3, -0.4, -0.2))], identicalShare: 1,
      threshold: 0.9, window: 13, place: "K = 3, σ = 2")
  }

  @Test("a story that holds is shown, with N beside its numbers")
  func shown() {
    let sentences = Self.success.sentences
    #expect(sentences.allSatisfy { $0.hasPrefix("**Shown:**") })
    #expect(sentences[0].contains("less local"))
    #expect(sentences[1].contains("2 [1, 3] against 12 [9, 12]."))
    #expect(sentences[2].contains("N = 30") && sentences[2].contains("placebo"))
  }

  @Test("overlapping intervals are not shown")
  func overlap() {
    var verdict = Self.success
    verdict.composing = Self.model("all", (0.66, 0.6, 0.72), locality: (0.82, 0.78, 0.86))
    verdict.local = Self.model("local", (0.66, 0.6, 0.72))
    #expect(verdict.sentences[0].hasPrefix("**Not shown:**"))
    #expect(verdict.sentences[0].contains("less local is **not shown**"))
    #expect(verdict.sentences[1].hasPrefix("**Not shown:**"))
  }

  @Test("separated recall with overlapping K_max says so")
  func kMaxOverlap() {
    var verdict = Self.success
    verdict.local = Self.model("local", (0.92, 0.9, 0.94), k: (11, 0, 12))
    #expect(verdict.sentences[1].contains("by K_max alone the two are not separated"))
  }

  @Test(
    "a mask is no repair without an effect, by drawing everywhere, or when its placebo does the same",
    arguments: [
      (arm("conditioner", (0.02, -0.01, 0.05)), "not above 0"),
      (arm("conditioner", (0.2, 0.1, 0.3), p: 0.2), "not above 0"),
      (
        arm("conditioner", (0.2, 0.15, 0.25), precision: (-0.5, -0.6, -0.4)),
        "no more than its cost"
      ),
    ] as [(Verdict.Arm, String)])
  func noRepair(mask: Verdict.Arm, why: String) {
    var verdict = Self.success
    verdict.masks = [mask]
    #expect(verdict.sentences[2].hasPrefix("**Not shown:**"))
    #expect(verdict.sentences[2].contains(why))
  }

  @Test("a placebo that does as much, or none at all, leaves a mask unproven")
  func placebo() {
    var verdict = Self.success
    verdict.placebos = [Self.arm("placebo", (0.18, 0.12, 0.24))]
    #expect(verdict.sentences[2].contains("which is not less"))
    // Another mask's placebo is no control of this one.
    verdict.placebos = [Self.arm("placebo", (-0.5, -0.6, -0.4), radius: "3")]
    #expect(verdict.sentences[2].contains("no placebo"))
    verdict.placebos = [Self.arm("placebo", (-0.5, -0.6, -0.4), of: "pixel")]
    #expect(verdict.sentences[2].contains("no placebo"))
    verdict.placebos = []
    #expect(verdict.sentences[2].contains("no placebo"))
    verdict = Self.success
    verdict.identicalShare = 0.99
    #expect(verdict.sentences[2].contains("identity control failed"))
    verdict = Self.success
    verdict.masks = []
    #expect(verdict.sentences[2].contains("no mask was evaluated"))
  }

  @Test("missing models are not shown")
  func missing() {
    var verdict = Self.success
    verdict.failing = nil
    #expect(verdict.sentences[0].hasPrefix("**Not shown:**"))
    #expect(verdict.sentences[1].hasPrefix("**Not shown:**"))
  }

  @Test("names cannot become markup")
  func escaping() {
    #expect(Markdown.escape("a|b*c<d>\ne`") == "a\\|b\\*c&lt;d&gt; e\\`")
    #expect(Markdown.name("a`b|c") == "`a'b¦c`")
    #expect(Markdown.sql("it's") == "'it''s'")
  }
}
