import Foundation

/// Samples drawn with exact and with composed scores.
enum TheorySamplingSection {
  static func write(_ worlds: [TheoryWorld], _ data: RunData, _ page: inout Page) {
    let sampled = worlds.filter { world in
      world.values.keys.contains { $0.name == "theory.support" }
    }
    if sampled.isEmpty { return }
    page.heading("Sampling with exact and with composed scores", level: 3)
    var ps: [Double] = []
    var lacking = 0
    var recalls: [Double] = []
    var rows: [[String]] = []
    for world in sampled {
      guard let coupling = world.couplings.last else { continue }
      let counts = Set(
        world.values.keys.filter { $0.name == "theory.support" }.compactMap(\.k)
      ).sorted()
      for k in counts {
        func value(_ name: String, _ arm: String?) -> Double? {
          world.estimate(name, coupling, k: k, arm: arm)?.value
        }
        func test(_ arm: String) -> String {
          guard let chi2 = value("chi2", arm), let freedom = value("freedom", arm),
            let p = value("p", arm)
          else { return "–" }
          if freedom > 0 { ps.append(p) }
          return freedom == 0
            ? (chi2 == 0 ? "one picture, always drawn" : "**wrong picture drawn**")
            : "\(Markdown.number(chi2, digits: 1)) (\(Int(freedom))), p = \(Markdown.number(p, digits: 3))"
        }
        let support = value("support", nil) ?? 0
        let exact = support > 0 ? test("exact") : "does not exist"
        if support == 0 {
          lacking += 1
          if let recall = value("recall", "composed") { recalls.append(recall) }
        }
        rows.append([
          Markdown.name(world.name), ChartNumber.text(coupling), "\(k)",
          support > 0 ? Scientific.text(support) : "0", exact,
          value("recall", "exact").map { Markdown.number($0, digits: 3) } ?? "–", test("composed"),
          value("recall", "composed").map { Markdown.number($0, digits: 3) } ?? "–",
        ])
      }
    }
    page.paragraph(
      "Heun's method on the exact probability-flow ODE; each cell of a sample is read as its nearest "
        + "state, and the counts are compared with the enumerated probabilities (exact) or with the "
        + "product that CPC predicts (composed), by χ² with its degrees of freedom. Labels are on the first "
        + "K cells. \(smallest(ps))")
    if let worst = recalls.min() {
      page.paragraph(
        "In \(lacking) rows P(c) is 0: the world never shows these labels, **the exact conditional does "
          + "not exist**, and no sampler can be right or wrong about it. What can be sampled there is the "
          + "composed density: it draws an object at every label, for any K (smallest recall "
          + "\(Markdown.number(worst, digits: 3))).")
    }
    page.table(
      [
        "world", "coupling", "K", "P(c)", "exact: χ² (df), p", "recall", "composed: χ² (df), p",
        "recall",
      ], rows)
    page.query(
      "SELECT s.name, m.name, m.k, m.arm, m.value, m.n FROM stage s JOIN metric m USING (execution_id) "
        + "WHERE s.run_id = \(data.quotedRun) AND s.kind = 'theory' AND m.name IN ('theory.support', "
        + "'theory.chi2', 'theory.freedom', 'theory.p', 'theory.recall')")
  }

  /// Many tests: the smallest p by itself says little.
  private static func smallest(_ ps: [Double]) -> String {
    guard let least = ps.min() else { return "" }
    let adjusted = min(1, least * Double(ps.count))
    return
      "The smallest of \(ps.count) p is \(Markdown.number(least, digits: 4)), "
      + "\(Markdown.number(adjusted, digits: 3)) after Bonferroni's correction: "
      + (adjusted < 0.05
        ? "**samples and probabilities differ somewhere**."
        : "no sign of a difference, which is no proof.")
  }
}

/// Cells as features of mixed pixels, and the test of disentangled concepts.
enum TheoryFeatureSection {
  static func write(_ worlds: [TheoryWorld], _ data: RunData, _ page: inout Page) {
    let mapped = worlds.filter { $0.transform != "none" }
    if !mapped.isEmpty {
      page.heading("Feature space", level: 3)
      page.paragraph(
        "The cells are features z = A x of the pixels x. Largest violation over σ, windows `cells`, with "
          + "its error.")
      page.table(
        ["world", "A", "coupling", "view", "KL", "pixel", "label", "CPC and LCS"],
        mapped.flatMap { world in
          world.couplings.flatMap { coupling in
            world.arms.map { row(world, coupling, $0) }
          }
        })
      page.paragraph(
        "With an orthogonal A noise is the same in either space: scores are local in z, whichever space "
          + "is noised, and not in x. With another invertible A they are local in z when noise is added "
          + "to z. Noise added to the pixels is correlated between features, and then neither holds at "
          + "any σ > 0, though the features themselves are independent: a latent model has to diffuse in "
          + "the space in which it is meant to compose.")
      page.query(
        "SELECT s.name, m.arm, m.name, m.step AS coupling, m.sigma, m.value, m.ci_low, m.ci_high FROM "
          + "stage s JOIN metric m USING (execution_id) WHERE s.run_id = \(data.quotedRun) AND s.kind = "
          + "'theory' AND m.arm LIKE 'windows in %'")
    }
    disentanglement(worlds, data, &page)
  }

  private static func row(_ world: TheoryWorld, _ coupling: Double, _ arm: String?) -> [String] {
    func largest(_ name: String) -> Estimate? {
      world.sigmas.compactMap {
        world.estimate("\(name).cells", coupling, sigma: $0, arm: arm)
      }.max { ($0.high ?? $0.value) < ($1.high ?? $1.value) }
    }
    func text(_ estimate: Estimate?) -> String {
      guard let estimate else { return "–" }
      let high = estimate.high ?? estimate.value
      return high <= TheoremCheck.tolerance ? "≤ \(Scientific.text(high))" : Scientific.text(high)
    }
    let found = [largest("kl"), largest("pixel"), largest("label")]
    func isAbove(_ estimate: Estimate?) -> Bool { (estimate?.low ?? 0) > 0 }
    let composition = world.sigmas.contains {
      isAbove(world.estimate("kl.cells", coupling, sigma: $0, arm: arm))
    }
    let locality = world.sigmas.contains { sigma in
      ["pixel", "label"].contains {
        isAbove(world.estimate("\($0).cells", coupling, sigma: sigma, arm: arm))
      }
    }
    return [
      Markdown.name(world.name), world.transform, ChartNumber.text(coupling), arm ?? "–",
      text(found[0]), text(found[1]), text(found[2]),
      composition == locality
        ? (composition ? "neither holds" : "both hold") : "**they disagree**",
    ]
  }

  private static func disentanglement(
    _ worlds: [TheoryWorld], _ data: RunData, _ page: inout Page
  ) {
    page.heading("The test d_i · d_j", level: 3)
    let rows = worlds.flatMap { world in
      [world.couplings.first, world.couplings.last].compactMap { $0 }.compactMap {
        coupling -> (name: String, coupling: Double, cosine: Double, kl: Double)? in
        let arm = world.transform == "none" ? nil : "windows in features, noise in features"
        guard let cosine = world.estimate("cosine", coupling, arm: arm)?.value,
          let kl = world.enumerated("block", coupling)
        else { return nil }
        return (world.name, coupling, cosine, kl)
      }
    }
    // Cosines of sums of a few terms: far above their rounding, far below any real one.
    let passing = rows.filter { $0.cosine < 1e-9 }
    let composed = rows.filter { $0.kl <= TheoremCheck.enumeratedTolerance }
    let falsePasses = passing.filter { $0.kl > TheoremCheck.enumeratedTolerance }
    page.paragraph(
      "d_j = E[z ∣ c_j] − E[z ∣ ∅]; projective composition needs d_i · d_j = 0. Of \(composed.count) worlds "
        + "below that are CPC, \(composed.filter { $0.cosine < 1e-9 }.count) pass: the test is necessary. "
        + (falsePasses.isEmpty
          ? "That it is not sufficient is **not shown**: no world here passes without being CPC."
          : "It is **not sufficient**: "
            + Set(falsePasses.map { Markdown.name($0.name) }).sorted().joined(separator: ", ")
            + " pass it and are not CPC; the test sees only means under single labels."))
    page.details("Largest |cos(d_i, d_j)| beside the enumerated KL") { page in
      page.table(
        ["world", "coupling", "largest |cos|", "KL without noise, windows `block`"],
        rows.map {
          [
            Markdown.name($0.name), ChartNumber.text($0.coupling), Scientific.text($0.cosine),
            Scientific.text($0.kl),
          ]
        })
    }
    page.query(
      "SELECT s.name, m.step AS coupling, m.arm, m.value FROM stage s JOIN metric m USING (execution_id) "
        + "WHERE s.run_id = \(data.quotedRun) AND s.kind = 'theory' AND m.name = 'theory.cosine'")
  }
}
