import Measures

/// What CPC and LCS say of one world, coupling and form of windows, at every σ.
struct TheoremCheck: Hashable {
  enum Outcome: Hashable {
    /// Both at most `tolerance`.
    case bothVanish
    /// Both above their error.
    case bothViolated
    /// One is above its error, the other is not told from 0.
    case undecided
    /// They disagree beyond their errors.
    case contradiction
  }
  /// What "vanish" means, for KL in nats and for squared changes of scores.
  static let tolerance = 1e-10
  /// Enumerated probabilities leave this much to rounding.
  static let enumeratedTolerance = 1e-12

  var world: String
  var windows: Measure.Windows
  var coupling: Double
  /// By σ.
  var outcomes: [Double: Outcome]
  /// Whether CPC holds, by enumeration.
  var holds: Bool
  /// The largest upper end over both violations and every σ.
  var largest: Double

  init?(_ world: TheoryWorld, windows: Measure.Windows, coupling: Double) {
    guard let enumerated = world.enumerated(windows, coupling) else { return nil }
    self.world = world.name
    self.windows = windows
    self.coupling = coupling
    let holds = enumerated.magnitude <= Self.enumeratedTolerance
    self.holds = holds
    var outcomes: [Double: Outcome] = [:]
    var largest = 0.0
    var isLocalEverywhere = true
    var isComposedEverywhere = true
    for sigma in world.sigmas {
      let found = Violation.allCases.compactMap {
        world.estimate($0.measure(windows), coupling, sigma: sigma)
      }
      guard found.count == 3 else { continue }
      let isAbove = found.map { ($0.low ?? $0.value) > 0 }
      let composition = isAbove[0]
      let locality = isAbove[1] || isAbove[2]
      let highest = found.map { $0.high ?? $0.value }.max() ?? .nan
      largest = max(largest, highest)
      isComposedEverywhere = isComposedEverywhere && !composition
      isLocalEverywhere = isLocalEverywhere && !locality
      if holds {
        outcomes[sigma] =
          composition || locality
          ? .contradiction : highest <= Self.tolerance ? .bothVanish : .undecided
      } else {
        outcomes[sigma] = composition && locality ? .bothViolated : .undecided
      }
    }
    // One σ may hide a violation under its error; all of them together may not.
    if !holds, isLocalEverywhere || isComposedEverywhere {
      for sigma in outcomes.keys { outcomes[sigma] = .contradiction }
    }
    self.outcomes = outcomes
    self.largest = largest
  }

  static func all(_ worlds: [TheoryWorld]) -> [TheoremCheck] {
    worlds.filter { $0.transform == "none" }.flatMap { world in
      Measure.Windows.allCases.flatMap { windows in
        world.couplings.compactMap { TheoremCheck(world, windows: windows, coupling: $0) }
      }
    }
  }
}

/// The answer in words, from the checks alone.
struct TheoryVerdict {
  var checks: [TheoremCheck]

  private func count(_ outcome: TheoremCheck.Outcome) -> Int {
    checks.reduce(0) { $0 + $1.outcomes.values.count { $0 == outcome } }
  }

  var sentence: String {
    let vanish = count(.bothVanish)
    let violated = count(.bothViolated)
    let undecided = count(.undecided)
    let contradictions = checks.filter { $0.outcomes.values.contains(.contradiction) }
    if let first = contradictions.first {
      return
        "**Contradicted:** in \(contradictions.count) of \(checks.count) worlds and couplings CPC "
        + "and LCS do not go together, first in \(Markdown.name(first.world)) at coupling "
        + "\(ChartNumber.text(first.coupling)), windows `\(first.windows.rawValue)`."
    }
    if vanish == 0 || violated == 0 {
      return "**Not shown:** "
        + (vanish == 0
          ? "no world in which CPC holds was decided."
          : "no world in which CPC fails was decided.")
    }
    let largest = checks.filter(\.holds).map(\.largest).max() ?? .nan
    return "**Shown:** CPC and LCS vanish together or neither does, in all "
      + "\(vanish + violated) decided cases (a world, its coupling, a form of windows, a noise level). In "
      + "\(vanish) CPC holds by enumeration, and no violation of either exceeds "
      + "\(Scientific.text(largest)) with its error; in \(violated) it does not, and both exceed their "
      + "error. "
      + (undecided == 0
        ? "None is undecided."
        : "\(undecided) are undecided: one is above its error, the other not told from 0 (σ in the "
          + "table).")
  }
}
