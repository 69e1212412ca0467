import Formats
import Foundation

/// CPC against LCS in enumerated worlds.
enum TheorySection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    let worlds = try TheoryWorld.read(data)
    if worlds.isEmpty { return }
    page.heading("The theorem in finite worlds")
    page.paragraph(
      "A world is a few cells, each empty or showing one of a few patterns; its distribution is "
        + "enumerated, so that p_σ(x ∣ c), its score and its Jacobian are exact sums of Gaussians. "
        + "**CPC violation** is KL(p_σ(x ∣ c) ‖ composed), in nats. **LCS violation** is, over pairs of "
        + "cells in different windows, E‖∂score_i/∂x_j‖² (*pixel*) and E‖score_i(x ∣ c) − "
        + "score_i(x ∣ c without label l)‖² (*label*); c is drawn from the world, x from p_σ(x ∣ c). "
        + "Windows `block` are CPC as defined, p(x ∣ c_J) = p(x_{M_Jᶜ} ∣ ∅)·Π p(x_{M_j} ∣ c_j), with all "
        + "unlabelled cells in one window; for them a label changes the score of the unlabelled cells "
        + "when it differs from that of the marginal. Windows `cells` make every cell a window of its "
        + "own. ∅ is the conditioner without a label, as the world has it.")
    theorem(worlds, data, &page)
    scaling(worlds, data, &page)
    TheorySamplingSection.write(worlds, data, &page)
    TheoryFeatureSection.write(worlds, data, &page)
  }

  /// The sentence that stands on top of the report; `nil` without a theory stage.
  static func verdict(_ data: RunData) throws -> String? {
    let worlds = try TheoryWorld.read(data)
    return worlds.isEmpty ? nil : TheoryVerdict(checks: TheoremCheck.all(worlds)).sentence
  }

  private static func theorem(_ worlds: [TheoryWorld], _ data: RunData, _ page: inout Page) {
    let checks = TheoremCheck.all(worlds)
    page.heading("Together or not at all", level: 3)
    page.table(
      [
        "world", "windows", "where CPC holds: largest violation",
        "where it does not: both above error",
        "undecided at σ", "together?",
      ],
      worlds.filter { $0.transform == "none" }.flatMap { world in
        ["block", "cells"].map { form in
          let own = checks.filter { $0.world == world.name && $0.form == form }
          return row(world, form, own)
        }
      })
    page.paragraph(
      "CPC holds where the enumerated KL without noise is at most \(Scientific.text(TheoremCheck.enumeratedTolerance)); "
        + "*largest violation* is the upper end over KL, pixel and label and every σ. Undecided: a world "
        + "that is not CPC, and one violation does not exceed its error (1.96 standard errors, or what "
        + "doubling a quadrature's step changes, and rounding): at low noise scores differ only where a "
        + "point lies between pictures in two cells at once, which sampling does not meet and which falls "
        + "as exp(−distance²/4σ²). Numbers cannot tell so small a violation from 0; a world is *not together* "
        + "when one of the two is within its error at every σ.")
    let controls = worlds.filter { $0.isControl && $0.transform == "none" }
    if !controls.isEmpty {
      page.paragraph(
        "Controls, in which cells look coupled and CPC holds at every coupling: "
          + controls.map { Markdown.name($0.name) }.joined(separator: ", ")
          + ". `covered-background` is one for windows `block` alone: its background is coupled within "
          + "itself, which CPC allows, and cell-sized windows see it.")
    }
    page.query(TheoryWorld.sql(data) + " LIMIT 100")
  }

  private static func row(_ world: TheoryWorld, _ form: String, _ checks: [TheoremCheck])
    -> [String]
  {
    let holding = checks.filter(\.holds)
    let failing = checks.filter { !$0.holds }
    let violated = failing.reduce(0) { $0 + $1.outcomes.values.count { $0 == .bothViolated } }
    let total = failing.reduce(0) { $0 + $1.outcomes.count }
    let undecided = Set(
      checks.flatMap { $0.outcomes.filter { $0.value == .undecided }.map(\.key) }
    ).sorted()
    let isContradicted = checks.contains { $0.outcomes.values.contains(.contradiction) }
    let isDecided = checks.contains { check in
      check.outcomes.values.contains { $0 == .bothVanish || $0 == .bothViolated }
    }
    return [
      Markdown.name(world.name), form,
      holding.isEmpty
        ? "–"
        : "\(Scientific.text(holding.map(\.largest).max() ?? .nan)) (coupling "
          + holding.map { ChartNumber.text($0.coupling) }.joined(separator: ", ") + ")",
      failing.isEmpty ? "–" : "\(violated) of \(total)",
      undecided.isEmpty ? "none" : undecided.map(ChartNumber.text).joined(separator: ", "),
      isContradicted ? "**no**" : isDecided ? "yes" : "not decided",
    ]
  }

  /// ¼σ⁴·pixel + ½σ²·label: KL of two Gaussians to first order in the covariances between windows and
  /// in the shifts of means that a label outside brings, in which p and q differ at high noise.
  static func prediction(_ world: TheoryWorld, _ coupling: Double, _ sigma: Double) -> Double? {
    guard let pixel = world.estimate("pixel.cells", coupling, sigma: sigma)?.value,
      let label = world.estimate("label.cells", coupling, sigma: sigma)?.value
    else { return nil }
    return 0.25 * pow(sigma, 4) * pixel + 0.5 * pow(sigma, 2) * label
  }

  private static func scaling(_ worlds: [TheoryWorld], _ data: RunData, _ page: inout Page) {
    let coupled = worlds.filter { !$0.isControl && $0.transform == "none" }
    if coupled.isEmpty { return }
    page.heading("Approximately the one, approximately the other", level: 3)
    page.paragraph(
      "LCS violation in units of KL: V = ¼σ⁴·pixel + ½σ²·label, windows `cells`: KL itself, to "
        + "leading order at high noise, where there is at most one label and it shifts means. At low noise "
        + "V falls exponentially while KL stays at what the enumerated probabilities say, so that a score that looks local there says nothing of composition. "
        + "\(ratios(coupled))Exactly, KL(σ) = ∫_σ^∞ τ E‖∇log p_τ − ∇log q_τ‖² dτ (de Bruijn): composition is "
        + "decided by locality at *all higher* noise levels.")
    for group in groups(coupled) {
      againstEachOther(group, &page)
      againstNoise(group, &page)
    }
    exponents(coupled, &page)
    page.query(
      "SELECT s.name, m.name, m.coupling, m.sigma, m.value, m.ci_low, m.ci_high FROM stage s "
        + "JOIN metric m USING (execution_id) WHERE s.run_id = \(data.quotedRun) AND s.kind = 'theory' "
        + "AND m.name IN ('theory.kl.cells', 'theory.pixel.cells', 'theory.label.cells') "
        + "AND m.k IS NULL AND m.sigma > 0")
    pairs(coupled, &page)
  }

  /// KL/V at the ends of the noise levels, over worlds and couplings in which both are decided.
  private static func ratios(_ worlds: [TheoryWorld]) -> String {
    func range(_ sigma: (TheoryWorld) -> Double?) -> (sigma: Double, low: Double, high: Double)? {
      var found: [Double] = []
      var last = 0.0
      for world in worlds {
        guard let sigma = sigma(world) else { continue }
        last = sigma
        found += world.couplings.compactMap { ratio(world, $0, sigma) }
      }
      guard let low = found.min(), let high = found.max() else { return nil }
      return (last, low, high)
    }
    guard let high = range({ $0.sigmas.last }),
      let low = range({ world in world.sigmas.first { world.isQuadrature || $0 >= 0.2 } })
    else { return "" }
    func text(_ found: (sigma: Double, low: Double, high: Double)) -> String {
      "\(Scientific.text(found.low)) to \(Scientific.text(found.high))"
    }
    return
      "Here KL/V is \(text(high)) at the highest noise, and \(text(low)) at the lowest that is "
      + "decided. "
  }

  /// KL/V where all three exceed their error.
  private static func ratio(_ world: TheoryWorld, _ coupling: Double, _ sigma: Double) -> Double? {
    guard let kl = world.estimate("kl.cells", coupling, sigma: sigma),
      let pixel = world.estimate("pixel.cells", coupling, sigma: sigma),
      let label = world.estimate("label.cells", coupling, sigma: sigma),
      (kl.low ?? 0) > 0, (pixel.low ?? 0) > 0, (label.low ?? 0) > 0,
      let v = prediction(world, coupling, sigma), v > 0
    else { return nil }
    return kl.value / v
  }

  static func groups(_ worlds: [TheoryWorld]) -> [[TheoryWorld]] {
    var names: [String] = []
    for world in worlds where !names.contains(world.group) { names.append(world.group) }
    return names.map { name in worlds.filter { $0.group == name } }
  }

  /// σ = 1, or the nearest to it.
  private static func middle(_ world: TheoryWorld) -> Double {
    world.sigmas.min { abs(log($0)) < abs(log($1)) } ?? 1
  }

  /// The largest coupling below 1, where nothing is excluded outright.
  private static func moderate(_ world: TheoryWorld) -> Double {
    world.couplings.last { $0 < 1 && $0 > 0 } ?? world.couplings.last ?? 0
  }

  private static func againstEachOther(_ group: [TheoryWorld], _ page: inout Page) {
    guard let first = group.first else { return }
    let sigma = middle(first)
    let chart = LineChart(
      title: "CPC against LCS, \(first.group), σ = \(ChartNumber.text(sigma))",
      xLabel: "LCS violation V", yLabel: "CPC violation, nats",
      series: group.map { world in
        LineChart.Series(
          name: world.family,
          points: world.couplings.compactMap { coupling in
            guard let kl = world.estimate("kl.cells", coupling, sigma: sigma),
              let x = prediction(world, coupling, sigma), x > 1e-14
            else { return nil }
            return LineChart.Point(x: x, y: kl.value, low: kl.low, high: kl.high)
          })
      }, xScale: .logarithmic, yScale: .logarithmic)
    page.picture(
      "theory-together-\(first.group).svg", Data(chart.svg().utf8),
      alternative: "KL to the composed density against the violation of locality, by coupling")
  }

  private static func againstNoise(_ group: [TheoryWorld], _ page: inout Page) {
    guard let first = group.first else { return }
    let coupling = moderate(first)
    let chart = LineChart(
      title:
        "CPC violation per LCS violation, \(first.group), coupling \(ChartNumber.text(coupling))",
      xLabel: "σ", yLabel: "KL / V",
      series: group.map { world in
        LineChart.Series(
          name: world.family,
          points: world.sigmas.compactMap { sigma in
            ratio(world, coupling, sigma).map { LineChart.Point(x: sigma, y: $0) }
          })
      }, xScale: .logarithmic, yScale: .logarithmic)
    page.picture(
      "theory-noise-\(first.group).svg", Data(chart.svg().utf8),
      alternative: "KL over the violation of locality against the noise level")
  }

  private static func exponents(_ worlds: [TheoryWorld], _ page: inout Page) {
    page.paragraph(
      "Exponents, windows `cells`: in the coupling between its two smallest values at the middle σ, of KL "
        + "in V there, and in σ between the two highest at the largest coupling below 1. At high noise, "
        + "covariances C between cells give pixel ~ C²/σ⁸ and KL ~ C²/σ⁴, shifts of means m give label ~ "
        + "m²/σ⁴ and KL ~ m²/σ².")
    page.table(
      [
        "world", "KL in coupling", "pixel", "label", "KL in V", "KL in σ", "pixel", "label",
      ],
      worlds.map { world in
        let sigma = middle(world)
        let couplings = world.couplings.filter { $0 > 0 }.prefix(2)
        let highest = world.sigmas.suffix(2)
        func slope(_ a: (Double, Double?), _ b: (Double, Double?)) -> String {
          guard let low = a.1, let high = b.1, low > 0, high > 0, a.0 > 0, b.0 != a.0 else {
            return "–"
          }
          return Markdown.number(log(high / low) / log(b.0 / a.0), digits: 2)
        }
        func inCoupling(_ name: String) -> String {
          guard let a = couplings.first, let b = couplings.last else { return "–" }
          return slope(
            (a, world.estimate(name, a, sigma: sigma)?.value),
            (b, world.estimate(name, b, sigma: sigma)?.value))
        }
        func inSigma(_ name: String) -> String {
          guard let a = highest.first, let b = highest.last else { return "–" }
          let coupling = moderate(world)
          return slope(
            (a, world.estimate(name, coupling, sigma: a)?.value),
            (b, world.estimate(name, coupling, sigma: b)?.value))
        }
        var together = "–"
        if let a = couplings.first, let b = couplings.last {
          together = slope(
            (prediction(world, a, sigma) ?? 0, world.estimate("kl.cells", a, sigma: sigma)?.value),
            (prediction(world, b, sigma) ?? 0, world.estimate("kl.cells", b, sigma: sigma)?.value))
        }
        return [
          Markdown.name(world.name), inCoupling("kl.cells"), inCoupling("pixel.cells"),
          inCoupling("label.cells"), together, inSigma("kl.cells"), inSigma("pixel.cells"),
          inSigma("label.cells"),
        ]
      })
  }

  private static func pairs(_ worlds: [TheoryWorld], _ page: inout Page) {
    let wide = worlds.filter { world in
      Set(world.values.keys.filter { $0.name == "theory.pair.pixel" }.map(\.arm)).count > 1
    }
    if wide.isEmpty { return }
    page.details("Pair by pair: which cell and which label reach which cell") { page in
      for world in wide {
        let sigma = world.sigmas.last { $0 <= 0.5 } ?? middle(world)
        let coupling = moderate(world)
        func cells(_ name: String) -> [String] {
          let keys = world.values.keys.filter {
            $0.name == "theory.pair.\(name)" && $0.sigma == sigma && $0.coupling == coupling
          }
          return keys.compactMap(\.arm).sorted().map { arm in
            let found = world.estimate("pair.\(name)", coupling, sigma: sigma, arm: arm)
            let isShown = (found?.low ?? 0) > 0
            return "\(arm): \(isShown ? Scientific.text(found?.value ?? .nan) : "within error")"
              .replacingOccurrences(of: "|", with: "←")
          }
        }
        page.paragraph(
          "\(Markdown.name(world.name)), σ = \(ChartNumber.text(sigma)), coupling "
            + "\(ChartNumber.text(coupling)). Pixels: \(cells("pixel").joined(separator: "; ")). Labels "
            + "(cell ← label): \(cells("label").joined(separator: "; ")).")
      }
    }
  }
}
