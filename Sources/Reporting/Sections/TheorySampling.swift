import Measures

/// Samples drawn with exact and with composed scores.
struct TheorySampling {
  let run: String
  let worlds: [TheoryWorld]

  var blocks: [Block] {
    let sampled = worlds.filter { world in
      world.values.keys.contains { $0.measure == .theorySupport }
    }
    if sampled.isEmpty { return [] }
    var ps: [Double] = []
    var lacking = 0
    var recalls: [Double] = []
    var rows: [[String]] = []
    for world in sampled {
      guard let coupling = world.couplings.last else { continue }
      let counts = Set(
        world.values.keys.filter { $0.measure == .theorySupport }.compactMap(\.k)
      ).sorted()
      for k in counts {
        func value(_ measure: Measure, _ score: SampledScore?) -> Double? {
          world.estimate(measure, coupling, k: k, score: score)?.value
        }
        func test(_ score: SampledScore) -> String {
          guard let chi2 = value(.theoryChi2, score), let freedom = value(.theoryFreedom, score),
            let p = value(.theoryP, score)
          else { return "–" }
          if freedom > 0 { ps.append(p) }
          return freedom == 0
            ? (chi2 == 0 ? "one picture, always drawn" : "**wrong picture drawn**")
            : "\(Markdown.number(chi2, digits: 1)) (\(Int(freedom))), p = \(Markdown.number(p, digits: 3))"
        }
        guard let support = value(.theorySupport, nil) else { continue }
        let exact = support > 0 ? test(.exact) : "does not exist"
        if support == 0 {
          lacking += 1
          if let recall = value(.theoryRecall, .composed) { recalls.append(recall) }
        }
        rows.append([
          Markdown.name(world.name), ChartNumber.text(coupling), "\(k)",
          support > 0 ? Scientific.text(support) : "0", exact,
          value(.theoryRecall, .exact).map { Markdown.number($0, digits: 3) } ?? "–",
          test(.composed),
          value(.theoryRecall, .composed).map { Markdown.number($0, digits: 3) } ?? "–",
        ])
      }
    }
    var blocks: [Block] = [
      .heading("Sampling with exact and with composed scores", level: 3),
      .paragraph(
        "Heun's method on the exact probability-flow ODE; each cell of a sample is read as its nearest "
          + "state, and the counts are compared with the enumerated probabilities (exact) or with the "
          + "product that CPC predicts (composed), by χ² with its degrees of freedom. Labels are on the first "
          + "K cells. \(smallest(ps))"),
    ]
    if let worst = recalls.min() {
      blocks.append(
        .paragraph(
          "In \(lacking) rows P(c) is 0: the world never shows these labels, **the exact conditional does "
            + "not exist**, and no sampler can be right or wrong about it. What can be sampled there is the "
            + "composed density, for any K up to the number of cells: the smallest share of labels at which "
            + "it draws an object is \(Markdown.number(worst, digits: 3))."))
    }
    return blocks + [
      .table(
        columns: [
          "world", "coupling", "K", "P(c)", "exact: χ² (df), p", "recall", "composed: χ² (df), p",
          "recall",
        ], rows: rows), TheoryWorld.question(run).block,
    ]
  }

  /// Many tests: the smallest p by itself says little.
  private func smallest(_ ps: [Double]) -> String {
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
