import Formats
import Foundation
import Measures

/// How the two violations go with each other, with the coupling and with the noise.
struct TheoryScaling {
  let run: String
  let worlds: [TheoryWorld]

  /// ¼σ⁴·pixel + ½σ²·label: KL of two Gaussians to first order in the covariances between windows and
  /// in the shifts of means that a label outside brings, in which p and q differ at high noise.
  private func prediction(_ world: TheoryWorld, _ coupling: Double, _ sigma: Double) -> Double? {
    guard let pixel = world.estimate(.theoryPixel(.cells), coupling, sigma: sigma)?.value,
      let label = world.estimate(.theoryLabel(.cells), coupling, sigma: sigma)?.value
    else { return nil }
    return 0.25 * pow(sigma, 4) * pixel + 0.5 * pow(sigma, 2) * label
  }

  var blocks: [Block] {
    let coupled = worlds.filter { !$0.isControl && $0.transform == "none" }
    if coupled.isEmpty { return [] }
    var blocks: [Block] = [
      .heading("Approximately the one, approximately the other", level: 3),
      .paragraph(
        "LCS violation in units of KL: V = ¼σ⁴·pixel + ½σ²·label, windows `cells`: KL itself, to "
          + "leading order at high noise, where there is at most one label and it shifts means. At low noise "
          + "V falls exponentially while KL stays at what the enumerated probabilities say, so that a score that looks "
          + "local there says nothing of composition. "
          + "\(ratios(coupled))Exactly, KL(σ) = ∫_σ^∞ τ E‖∇log p_τ − ∇log q_τ‖² dτ (de Bruijn): composition is "
          + "decided by locality at *all higher* noise levels."),
    ]
    for group in groups(coupled) { blocks += againstEachOther(group) + againstNoise(group) }
    return blocks + exponents(coupled) + pairs(coupled)
  }

  /// KL/V at the ends of the noise levels, over worlds and couplings in which both are decided.
  private func ratios(_ worlds: [TheoryWorld]) -> String {
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
  private func ratio(_ world: TheoryWorld, _ coupling: Double, _ sigma: Double) -> Double? {
    guard let kl = world.estimate(.theoryKL(.cells), coupling, sigma: sigma),
      let pixel = world.estimate(.theoryPixel(.cells), coupling, sigma: sigma),
      let label = world.estimate(.theoryLabel(.cells), coupling, sigma: sigma),
      (kl.low ?? 0) > 0, (pixel.low ?? 0) > 0, (label.low ?? 0) > 0,
      let v = prediction(world, coupling, sigma), v > 0
    else { return nil }
    return kl.value / v
  }

  private func groups(_ worlds: [TheoryWorld]) -> [[TheoryWorld]] {
    var names: [String] = []
    for world in worlds where !names.contains(world.group) { names.append(world.group) }
    return names.map { name in worlds.filter { $0.group == name } }
  }

  /// σ = 1, or the nearest to it.
  private func middle(_ world: TheoryWorld) -> Double {
    world.sigmas.min { abs(log($0)) < abs(log($1)) } ?? 1
  }

  /// The largest coupling below 1, where nothing is excluded outright.
  private func moderate(_ world: TheoryWorld) -> Double {
    world.couplings.last { $0 < 1 && $0 > 0 } ?? world.couplings.last ?? 0
  }

  private func againstEachOther(_ group: [TheoryWorld]) -> [Block] {
    guard let first = group.first else { return [] }
    let sigma = middle(first)
    let chart = LineChart(
      title: "CPC against LCS, \(first.group), σ = \(ChartNumber.text(sigma))",
      xLabel: "LCS violation V", yLabel: "CPC violation, nats",
      series: group.map { world in
        LineChart.Series(
          name: world.family,
          points: world.couplings.compactMap { coupling in
            guard let kl = world.estimate(.theoryKL(.cells), coupling, sigma: sigma),
              let x = prediction(world, coupling, sigma), x > 1e-14
            else { return nil }
            return LineChart.Point(x: x, y: kl.value, low: kl.low, high: kl.high)
          })
      }, xScale: .logarithmic, yScale: .logarithmic)
    return [
      .chart(
        name: "theory-together-\(first.group).svg", .lines(chart),
        alternative: "KL to the composed density against the violation of locality, by coupling")
    ]
  }

  private func againstNoise(_ group: [TheoryWorld]) -> [Block] {
    guard let first = group.first else { return [] }
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
    return [
      .chart(
        name: "theory-noise-\(first.group).svg", .lines(chart),
        alternative: "KL over the violation of locality against the noise level")
    ]
  }

  private func exponents(_ worlds: [TheoryWorld]) -> [Block] {
    let explanation = Block.paragraph(
      "Exponents, windows `cells`: in the coupling between its two smallest values at the middle σ, of KL "
        + "in V there, and in σ between the two highest at the largest coupling below 1. At high noise, "
        + "covariances C between cells give pixel ~ C²/σ⁸ and KL ~ C²/σ⁴, shifts of means m give label ~ "
        + "m²/σ⁴ and KL ~ m²/σ².")
    let table = Block.table(
      columns: [
        "world", "KL in coupling", "pixel", "label", "KL in V", "KL in σ", "pixel", "label",
      ],
      rows: worlds.map { world in
        let sigma = middle(world)
        let couplings = world.couplings.filter { $0 > 0 }.prefix(2)
        let highest = world.sigmas.suffix(2)
        func slope(_ a: (Double, Double?), _ b: (Double, Double?)) -> String {
          guard let low = a.1, let high = b.1, low > 0, high > 0, a.0 > 0, b.0 != a.0 else {
            return "–"
          }
          return Markdown.number(log(high / low) / log(b.0 / a.0), digits: 2)
        }
        func inCoupling(_ measure: Measure) -> String {
          guard let a = couplings.first, let b = couplings.last else { return "–" }
          return slope(
            (a, world.estimate(measure, a, sigma: sigma)?.value),
            (b, world.estimate(measure, b, sigma: sigma)?.value))
        }
        func inSigma(_ measure: Measure) -> String {
          guard let a = highest.first, let b = highest.last else { return "–" }
          let coupling = moderate(world)
          return slope(
            (a, world.estimate(measure, coupling, sigma: a)?.value),
            (b, world.estimate(measure, coupling, sigma: b)?.value))
        }
        var together = "–"
        if let a = couplings.first, let b = couplings.last {
          together = slope(
            (
              prediction(world, a, sigma) ?? 0,
              world.estimate(.theoryKL(.cells), a, sigma: sigma)?.value
            ),
            (
              prediction(world, b, sigma) ?? 0,
              world.estimate(.theoryKL(.cells), b, sigma: sigma)?.value
            ))
        }
        return [
          Markdown.name(world.name), inCoupling(.theoryKL(.cells)),
          inCoupling(.theoryPixel(.cells)),
          inCoupling(.theoryLabel(.cells)), together, inSigma(.theoryKL(.cells)),
          inSigma(.theoryPixel(.cells)),
          inSigma(.theoryLabel(.cells)),
        ]
      })
    return [explanation, table]
  }

  private func pairs(_ worlds: [TheoryWorld]) -> [Block] {
    let wide = worlds.filter { world in
      Set(world.values.keys.filter { $0.measure == .theoryPairPixel }.map(\.pair)).count > 1
    }
    if wide.isEmpty { return [] }
    return [
      .details(
        "Pair by pair: which cell and which label reach which cell", wide.map(pairwise))
    ]
  }

  private func pairwise(_ world: TheoryWorld) -> Block {
    let sigma = world.sigmas.last { $0 <= 0.5 } ?? middle(world)
    let coupling = moderate(world)
    func cells(_ measure: Measure) -> String {
      let keys = world.values.keys.filter {
        $0.measure == measure && $0.sigma == sigma && $0.coupling == coupling
      }
      return keys.compactMap(\.pair).sorted().map { pair in
        let found = world.estimate(measure, coupling, sigma: sigma, pair: pair)
        let isShown = (found?.low ?? 0) > 0
        // Two cells with a bar between them.
        let cells = pair.split(separator: "|").map { Markdown.escape(String($0)) }
        return cells.joined(separator: "←")
          + ": \(isShown ? Scientific.text(found?.value ?? .nan) : "within error")"
      }.joined(separator: "; ")
    }
    return .paragraph(
      "\(Markdown.name(world.name)), σ = \(ChartNumber.text(sigma)), coupling "
        + "\(ChartNumber.text(coupling)). Pixels: \(cells(.theoryPairPixel)). Labels (cell ← label): "
        + "\(cells(.theoryPairLabel)).")
  }
}
