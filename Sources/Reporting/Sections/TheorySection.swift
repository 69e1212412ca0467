import Measures

/// CPC against LCS in enumerated worlds.
struct TheorySection: Section {
  private let run: String
  private let worlds: [TheoryWorld]

  init(_ data: RunData) throws {
    run = data.run.id
    worlds = try TheoryWorld.all(data)
  }

  var blocks: [Block] {
    if worlds.isEmpty { return [] }
    return [
      .heading("The theorem in finite worlds"),
      .paragraph(
        "A world is a few cells, each empty or showing one of a few patterns; its distribution is "
          + "enumerated, so that p_σ(x ∣ c), its score and its Jacobian are exact sums of Gaussians. "
          + "**CPC violation** is KL(p_σ(x ∣ c) ‖ composed), in nats. **LCS violation** is, over pairs of "
          + "cells in different windows, E‖∂score_i/∂x_j‖² (*pixel*) and E‖score_i(x ∣ c) − "
          + "score_i(x ∣ c without label l)‖² (*label*); c is drawn from the world, x from p_σ(x ∣ c). "
          + "Windows `block` are CPC as defined, p(x ∣ c_J) = p(x_{M_Jᶜ} ∣ ∅)·Π p(x_{M_j} ∣ c_j), with all "
          + "unlabelled cells in one window; for them a label changes the score of the unlabelled cells "
          + "when it differs from that of the marginal. Windows `cells` make every cell a window of its "
          + "own. ∅ is the conditioner without a label, as the world has it."),
    ] + theorem + TheoryScaling(run: run, worlds: worlds).blocks
      + TheorySampling(run: run, worlds: worlds).blocks
      + TheoryFeatures(run: run, worlds: worlds).blocks
  }

  /// The sentence that stands on top of the report; `nil` without a theory stage.
  static func verdict(_ data: RunData) throws -> String? {
    let worlds = try TheoryWorld.all(data)
    return worlds.isEmpty ? nil : TheoryVerdict(checks: TheoremCheck.all(worlds)).sentence
  }

  private var theorem: [Block] {
    let checks = TheoremCheck.all(worlds)
    var blocks: [Block] = [.heading("Together or not at all", level: 3)]
    let table = Block.table(
      columns: [
        "world", "windows", "where CPC holds: largest violation",
        "where it does not: both above error",
        "undecided at σ", "together?",
      ],
      rows: worlds.filter { $0.transform == "none" }.flatMap { world in
        Measure.Windows.allCases.map { windows in
          let own = checks.filter { $0.world == world.name && $0.windows == windows }
          return row(world, windows, own)
        }
      })
    let explanation = Block.paragraph(
      "CPC holds where the enumerated KL without noise is at most \(Scientific.text(TheoremCheck.enumeratedTolerance)); "
        + "*largest violation* is the upper end over KL, pixel and label and every σ. Undecided: a world "
        + "that is not CPC, and one violation does not exceed its error (1.96 standard errors, or what "
        + "doubling a quadrature's step changes, and rounding): at low noise scores differ only where a "
        + "point lies between pictures in two cells at once, which sampling does not meet and which falls "
        + "as exp(−distance²/4σ²). Numbers cannot tell so small a violation from 0; a world is *not together* "
        + "when one of the two is within its error at every σ.")
    blocks += [table, explanation]
    let controls = worlds.filter { $0.isControl && $0.transform == "none" }
    if !controls.isEmpty {
      blocks.append(
        .paragraph(
          "Controls, in which cells look coupled and CPC holds at every coupling: "
            + controls.map { Markdown.name($0.name) }.joined(separator: ", ")
            + ". `covered-background` is one for windows `block` alone: its background is coupled within "
            + "itself, which CPC allows, and cell-sized windows see it."))
    }
    return blocks + [TheoryWorld.question(run).block]
  }

  private func row(_ world: TheoryWorld, _ windows: Measure.Windows, _ checks: [TheoremCheck])
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
      Markdown.name(world.name), windows.rawValue,
      holding.isEmpty
        ? "–"
        : "\(Scientific.text(holding.map(\.largest).max() ?? .nan)) (coupling "
          + holding.map { ChartNumber.text($0.coupling) }.joined(separator: ", ") + ")",
      failing.isEmpty ? "–" : "\(violated) of \(total)",
      undecided.isEmpty ? "none" : undecided.map(ChartNumber.text).joined(separator: ", "),
      isContradicted ? "**no**" : isDecided ? "yes" : "not decided",
    ]
  }
}
