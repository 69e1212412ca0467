import Measures

/// Cells as features of mixed pixels, and the test of disentangled concepts.
struct TheoryFeatures {
  let run: String
  let worlds: [TheoryWorld]

  var blocks: [Block] { featureSpace + disentanglement }

  private var featureSpace: [Block] {
    let mapped = worlds.filter { $0.transform != "none" }
    if mapped.isEmpty { return [] }
    return [
      .heading("Feature space", level: 3),
      .paragraph(
        "The cells are features z = A x of the pixels x. Largest violation over σ, windows `cells`, with "
          + "its error."),
      .table(
        columns: ["world", "A", "coupling", "view", "KL", "pixel", "label", "CPC and LCS"],
        rows: mapped.flatMap { world in
          world.couplings.flatMap { coupling in
            world.views.map { row(world, coupling, $0) }
          }
        }), .paragraph(views(mapped)),
    ]
  }

  private func row(_ world: TheoryWorld, _ coupling: Double, _ view: String?) -> [String] {
    func largest(_ violation: Violation) -> Estimate? {
      world.sigmas.compactMap {
        world.estimate(violation.measure(.cells), coupling, sigma: $0, view: view)
      }.max { ($0.high ?? $0.value) < ($1.high ?? $1.value) }
    }
    func text(_ estimate: Estimate?) -> String {
      guard let estimate else { return "–" }
      let high = estimate.high ?? estimate.value
      return high <= TheoremCheck.tolerance ? "≤ \(Scientific.text(high))" : Scientific.text(high)
    }
    let found = Violation.allCases.map(largest)
    let (composition, locality) = violated(world, coupling, view)
    return [
      Markdown.name(world.name), world.transform, ChartNumber.text(coupling), view ?? "–",
      text(found[0]), text(found[1]), text(found[2]),
      composition == locality
        ? (composition ? "neither holds" : "both hold") : "**they disagree**",
    ]
  }

  /// Where the features are CPC: under which views both hold, and under which neither does.
  private func views(_ worlds: [TheoryWorld]) -> String {
    var sentences: [String] = []
    for transform in ["orthogonal", "general"] {
      let own = worlds.filter { $0.transform == transform }
      let views = Set(own.flatMap(\.views).compactMap { $0 }).sorted()
      var holding: [String] = []
      var failing: [String] = []
      for view in views {
        let outcomes = own.flatMap { world in
          world.couplings.filter { isComposed(world, $0) }.map {
            violated(world, $0, view).composition
          }
        }
        if outcomes.isEmpty { continue }
        if outcomes.allSatisfy({ !$0 }) { holding.append(view) }
        if outcomes.allSatisfy({ $0 }) { failing.append(view) }
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

  private func isComposed(_ world: TheoryWorld, _ coupling: Double) -> Bool {
    (world.enumerated(.cells, coupling)?.magnitude ?? .infinity)
      <= TheoremCheck.enumeratedTolerance
  }

  /// Whether KL, and whether a violation of locality, exceeds its error at some σ; windows `cells`.
  private func violated(
    _ world: TheoryWorld, _ coupling: Double, _ view: String?
  ) -> (composition: Bool, locality: Bool) {
    func isAbove(_ violation: Violation) -> Bool {
      world.sigmas.contains {
        (world.estimate(violation.measure(.cells), coupling, sigma: $0, view: view)?.low ?? 0) > 0
      }
    }
    return (isAbove(.kl), isAbove(.pixel) || isAbove(.label))
  }

  private var disentanglement: [Block] {
    let rows = worlds.flatMap { world in
      [world.couplings.first, world.couplings.last].compactMap { $0 }.compactMap {
        coupling -> (name: String, coupling: Double, cosine: Double, kl: Double)? in
        let view = world.transform == "none" ? nil : "windows in features, noise in features"
        guard let cosine = world.estimate(.theoryCosine, coupling, view: view)?.value,
          let kl = world.enumerated(.block, coupling)
        else { return nil }
        return (world.name, coupling, cosine, kl)
      }
    }
    // Cosines of sums of a few terms: far above their rounding, far below any real one.
    let passing = rows.filter { $0.cosine < 1e-9 }
    let composed = rows.filter { $0.kl <= TheoremCheck.enumeratedTolerance }
    let falsePasses = passing.filter { $0.kl > TheoremCheck.enumeratedTolerance }
    return [
      .heading("The test d_i · d_j", level: 3),
      .paragraph(
        "d_j = E[z ∣ c_j] − E[z ∣ ∅]; projective composition needs d_i · d_j = 0. Of \(composed.count) worlds "
          + "below that are CPC, \(composed.filter { $0.cosine < 1e-9 }.count) pass: the test is necessary. "
          + (falsePasses.isEmpty
            ? "That it is not sufficient is **not shown**: no world here passes without being CPC."
            : "It is **not sufficient**: "
              + Set(falsePasses.map { Markdown.name($0.name) }).sorted().joined(separator: ", ")
              + " pass it and are not CPC; the test sees only means under single labels.")
          + mixed),
      .details(
        "Largest |cos(d_i, d_j)| beside the enumerated KL",
        [
          .table(
            columns: [
              "world", "coupling", "largest absolute cosine", "KL without noise, windows `block`",
            ],
            rows: rows.map {
              [
                Markdown.name($0.name), ChartNumber.text($0.coupling), Scientific.text($0.cosine),
                Scientific.text($0.kl),
              ]
            })
        ]),
    ]
  }

  /// The test in pixels, where the features are CPC and A is not orthogonal.
  private var mixed: String {
    let cosines = worlds.filter { $0.transform == "general" }.flatMap { world in
      world.couplings.filter { isComposed(world, $0) }.compactMap {
        world.estimate(.theoryCosine, $0, view: "windows in pixels, noise in pixels")?.value
      }
    }
    guard let largest = cosines.max() else { return "" }
    return
      " It has to be made in z: in the pixels of an A that is not orthogonal, features that are "
      + "CPC have a |cos| of up to \(Scientific.text(largest))."
  }
}
