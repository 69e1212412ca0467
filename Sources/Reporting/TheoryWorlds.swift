import Foundation
import Lineage

/// The `theory` stages of a run, from their metric rows.
struct TheoryWorld {
  struct Key: Hashable {
    var name: String
    var coupling: Double?
    var sigma: Double?
    var k: Int?
    var arm: String?
  }
  /// The instance, for example `line[family=exclusion]`.
  var name: String
  var family: String
  /// `none`, `orthogonal` or `general`.
  var transform: String
  var isControl: Bool
  var values: [Key: Estimate]

  /// The name without its matrix.
  var group: String { String(name.prefix { $0 != "[" }) }
  var couplings: [Double] { Set(values.keys.compactMap(\.coupling)).sorted() }
  /// Noise levels above 0.
  var sigmas: [Double] { Set(values.keys.compactMap(\.sigma)).filter { $0 > 0 }.sorted() }
  var arms: [String?] {
    Set(values.keys.filter { $0.name == "theory.kl.block" && $0.sigma != 0 }.map(\.arm))
      .sorted { ($0 ?? "") < ($1 ?? "") }
  }
  /// Whether it was integrated rather than sampled.
  var isQuadrature: Bool {
    values.contains { $0.key.name == "theory.gap" && $0.value.n == nil }
  }

  func estimate(
    _ name: String, _ coupling: Double, sigma: Double? = nil, k: Int? = nil, arm: String? = nil
  ) -> Estimate? {
    values[Key(name: "theory." + name, coupling: coupling, sigma: sigma, k: k, arm: arm)]
  }

  /// KL of what is composed, nats, without noise: enumerated, so that it decides whether CPC holds.
  func enumerated(_ form: String, _ coupling: Double) -> Double? {
    estimate("kl.\(form)", coupling, sigma: 0)?.value
  }

  static func sql(_ data: RunData) -> String {
    "SELECT s.name, json_extract(e.params, '$.family'), json_extract(e.params, '$.transform'), "
      + "m.name, m.coupling, m.sigma, m.k, coalesce(m.view, m.score, m.pair) AS arm, m.value, m.ci_low, m.ci_high, m.n FROM stage s "
      + "JOIN execution e ON e.id = s.execution_id JOIN metric m ON m.execution_id = e.id "
      + "WHERE s.run_id = \(data.quotedRun) AND s.kind = 'theory' ORDER BY s.id"
  }

  /// In the order of the pipeline.
  static func read(_ data: RunData) throws -> [TheoryWorld] {
    var worlds: [TheoryWorld] = []
    for row in try data.store.query(sql(data)).rows {
      guard let name = row[0].text, let metric = row[3].text, let value = row[8].number else {
        continue
      }
      if worlds.last?.name != name {
        worlds.append(
          TheoryWorld(
            name: name, family: row[1].text ?? "?", transform: row[2].text ?? "none",
            isControl: false, values: [:]))
      }
      let last = worlds.count - 1
      if metric == "theory.control" {
        worlds[last].isControl = value == 1
      } else {
        let key = Key(
          name: metric, coupling: row[4].number, sigma: row[5].number,
          k: row[6].integer, arm: row[7].text)
        worlds[last].values[key] = Estimate(
          value: value, low: row[9].number, high: row[10].number,
          n: row[11].integer)
      }
    }
    return worlds
  }
}

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
  var form: String
  var coupling: Double
  /// By σ.
  var outcomes: [Double: Outcome]
  /// Whether CPC holds, by enumeration.
  var holds: Bool
  /// The largest upper end over both violations and every σ.
  var largest: Double

  init?(_ world: TheoryWorld, form: String, coupling: Double) {
    guard let enumerated = world.enumerated(form, coupling) else { return nil }
    self.world = world.name
    self.form = form
    self.coupling = coupling
    let holds = enumerated.magnitude <= Self.enumeratedTolerance
    self.holds = holds
    var outcomes: [Double: Outcome] = [:]
    var largest = 0.0
    var isLocalEverywhere = true
    var isComposedEverywhere = true
    for sigma in world.sigmas {
      let found = ["kl", "pixel", "label"].compactMap {
        world.estimate("\($0).\(form)", coupling, sigma: sigma)
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
      ["block", "cells"].flatMap { form in
        world.couplings.compactMap { TheoremCheck(world, form: form, coupling: $0) }
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
        + "\(ChartNumber.text(first.coupling)), windows `\(first.form)`."
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

enum Scientific {
  /// `1.2e-5`; plain within three decades of 1.
  static func text(_ value: Double) -> String {
    if value == 0 { return "0" }
    if !value.isFinite { return value > 0 ? "∞" : "–" }
    let magnitude = abs(value)
    if magnitude >= 1e-3, magnitude < 1e3 {
      return Markdown.number(value, digits: magnitude < 0.1 ? 4 : magnitude < 10 ? 3 : 1)
    }
    return String(format: "%.1e", value)
  }
}
