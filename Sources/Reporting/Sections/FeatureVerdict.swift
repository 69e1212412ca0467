import Formats

/// Whether there is a feature space in which a model's scores are local by words, at the noise levels that were looked at.
struct FeatureVerdict {
  private let stage: String
  private let k: Int
  private let levels: [(own: Estimate, random: Estimate, sigma: Double)]

  /// A share of 1 is what local scores have.
  private static let local = 0.9

  /// - Parameters:
  ///   - own: shares of words' own subspaces, a row a noise level.
  ///   - random: those of random subspaces of what all words' subspaces span.
  /// - Returns: `nil` where nothing was measured at this K.
  init?(_ stage: String, k: Int, own: [FeatureRow], random: [FeatureRow]) {
    self.stage = stage
    self.k = k
    levels = own.compactMap { row in
      random.first { $0.sigma == row.sigma }.map { (row.estimate, $0.estimate, row.sigma) }
    }
    if levels.isEmpty { return nil }
  }

  private func low(_ estimate: Estimate) -> Double { estimate.low ?? estimate.value }
  private func high(_ estimate: Estimate) -> Double { estimate.high ?? estimate.value }

  var block: Block {
    guard let least = levels.min(by: { low($0.own) < low($1.own) }) else { return .paragraph("") }
    let name = Markdown.name(stage)
    let numbers =
      "own share \(Markdown.interval(least.own)), random in span \(Markdown.interval(least.random)) at K = \(k) and "
      + "σ = \(Markdown.number(least.sigma)), the lowest of \(levels.count) noise levels, uncorrected; "
      + "N = \(Markdown.count(least.own.n)) pictures"
    if levels.allSatisfy({ low($0.own) >= Self.local }) {
      return .paragraph("**Shown:** \(name) is local by words: \(numbers).")
    }
    if levels.allSatisfy({ low($0.own) > high($0.random) }) {
      let isOpen = levels.allSatisfy { high($0.own) >= Self.local }
      return .paragraph(
        "**Shown in part:** in \(name) words change more of their own subspaces than chance gives at every noise level, "
          + (isOpen ? "and whether it is local by words is open" : "and it is not local by words")
          + ": \(numbers).")
    }
    return .paragraph(
      "**Not shown** that \(name) is local by words, or more so than random subspaces: \(numbers).")
  }
}
