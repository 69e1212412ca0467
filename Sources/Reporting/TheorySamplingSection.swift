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
          + "composed density, for any K up to the number of cells: the smallest share of labels at which "
          + "it draws an object is \(Markdown.number(worst, digits: 3)).")
    }
    page.table(
      [
        "world", "coupling", "K", "P(c)", "exact: χ² (df), p", "recall", "composed: χ² (df), p",
        "recall",
      ], rows)
    page.query(
      "SELECT s.name, m.name, m.k, m.score, m.value, m.n FROM stage s JOIN metric m USING (execution_id) "
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
      page.paragraph(views(mapped))
      page.query(
        "SELECT s.name, m.view, m.name, m.coupling, m.sigma, m.value, m.ci_low, m.ci_high FROM "
          + "stage s JOIN metric m USING (execution_id) WHERE s.run_id = \(data.quotedRun) AND s.kind = "
          + "'theory' AND m.view IS NOT NULL")
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
    let (composition, locality) = violated(world, coupling, arm)
    return [
      Markdown.name(world.name), world.transform, ChartNumber.text(coupling), arm ?? "–",
      text(found[0]), text(found[1]), text(found[2]),
      composition == locality
        ? (composition ? "neither holds" : "both hold") : "**they disagree**",
    ]
  }

  /// Where the features are CPC: under which views both hold, and under which neither does.
  private static func views(_ worlds: [TheoryWorld]) -> String {
    var sentences: [String] = []
    for transform in ["orthogonal", "general"] {
      let own = worlds.filter { $0.transform == transform }
      let arms = Set(own.flatMap(\.arms).compactMap { $0 }).sorted()
      var holding: [String] = []
      var failing: [String] = []
      for arm in arms {
        let outcomes = own.flatMap { world in
          world.couplings.filter { isComposed(world, $0) }.map {
            violated(world, $0, arm).composition
          }
        }
        if outcomes.isEmpty { continue }
        if outcomes.allSatisfy({ !$0 }) { holding.append(arm) }
        if outcomes.allSatisfy({ $0 }) { failing.append(arm) }
      }
      func list(_ names: [String]) -> String {
        names.isEmpty ? "no view" : names.map { "*\($0)*" }.joined(separator: "; ")
      }
      if !holding.isEmpty || !failing.isEmpty {
        sentences.append(
          "With the \(transform == "general" ? "invertible, not orthogonal" : "orthogonal") A, features "
            + "that are CPC are so under \(list(holding)); not under \(list(failing)).")
      }
    }
    return sentences.joined(separator: " ")
      + " Why: white noise stays white under an orthogonal A alone. Under another A noise that is white "
      + "in the pixels is correlated between features, so that the noised features depend on each "
      + "other at every σ > 0 though the features themselves do not: a latent model has to diffuse in "
      + "the space in which it is meant to compose."
  }

  private static func isComposed(_ world: TheoryWorld, _ coupling: Double) -> Bool {
    (world.enumerated("cells", coupling)?.magnitude ?? .infinity)
      <= TheoremCheck.enumeratedTolerance
  }

  /// Whether KL, and whether a violation of locality, exceeds its error at some σ; windows `cells`.
  private static func violated(
    _ world: TheoryWorld, _ coupling: Double, _ arm: String?
  ) -> (composition: Bool, locality: Bool) {
    func isAbove(_ name: String) -> Bool {
      world.sigmas.contains {
        (world.estimate("\(name).cells", coupling, sigma: $0, arm: arm)?.low ?? 0) > 0
      }
    }
    return (isAbove("kl"), isAbove("pixel") || isAbove("label"))
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
            + " pass it and are not CPC; the test sees only means under single labels.")
        + mixed(worlds))
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
      "SELECT s.name, m.coupling, m.view, m.value FROM stage s JOIN metric m USING (execution_id) "
        + "WHERE s.run_id = \(data.quotedRun) AND s.kind = 'theory' AND m.name = 'theory.cosine'")
  }

  /// The test in pixels, where the features are CPC and A is not orthogonal.
  private static func mixed(_ worlds: [TheoryWorld]) -> String {
    let cosines = worlds.filter { $0.transform == "general" }.flatMap { world in
      world.couplings.filter { isComposed(world, $0) }.compactMap {
        world.estimate("cosine", $0, arm: "windows in pixels, noise in pixels")?.value
      }
    }
    guard let largest = cosines.max() else { return "" }
    return
      " It has to be made in z: in the pixels of an A that is not orthogonal, features that are "
      + "CPC have a |cos| of up to \(Scientific.text(largest))."
  }
}
