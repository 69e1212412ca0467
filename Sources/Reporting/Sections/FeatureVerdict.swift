import Formats

/// Whether there is a feature space in which a model's scores are local by words, at the noise levels that were looked at.
struct FeatureVerdict {
  let stage: String
  /// Each word has channels of its own there and tells by nothing else, whatever training made of them.
  let isByConstruction: Bool
  private let k: Int
  private let levels: [(own: Estimate, others: Double, random: Estimate, sigma: Double)]

  /// Local scores have a share of 1 in the own subspace, and 0 in others'. Where all words have nearly the same
  /// subspace both are near 1.
  private static let local = 0.9
  private static let shared = 0.1

  /// - Parameters:
  ///   - own: shares of words' own subspaces, a row a noise level.
  ///   - others: the mean shares of another word's subspace.
  ///   - random: those of random subspaces of what all words' subspaces span.
  /// - Returns: `nil` where nothing was measured at this K.
  init?(
    _ stage: String, k: Int, own: [FeatureRow], others: [FeatureRow], random: [FeatureRow],
    isByConstruction: Bool = false
  ) {
    self.stage = stage
    self.isByConstruction = isByConstruction
    self.k = k
    levels = own.compactMap { row in
      guard let other = others.first(where: { $0.sigma == row.sigma }),
        let random = random.first(where: { $0.sigma == row.sigma })
      else { return nil }
      return (row.estimate, other.estimate.value, random.estimate, row.sigma)
    }
    if levels.isEmpty { return nil }
  }

  private func low(_ estimate: Estimate) -> Double { estimate.low ?? estimate.value }
  private func high(_ estimate: Estimate) -> Double { estimate.high ?? estimate.value }

  enum Outcome: Hashable { case shown, inPart, notShown }

  var outcome: Outcome {
    if levels.allSatisfy({ low($0.own) >= Self.local && $0.others <= Self.shared }) {
      return .shown
    }
    return levels.allSatisfy({ low($0.own) > max($0.others, high($0.random)) })
      ? .inPart : .notShown
  }

  var text: String {
    found
      + (isByConstruction
        ? " By construction each word has channels of its own at the lowest level, and tells by nothing else: what is "
          + "found there is what was built." : "")
  }

  private var found: String {
    guard
      let least = levels.min(by: { low($0.own) - $0.others < low($1.own) - $1.others })
    else { return "" }
    let name = Markdown.name(stage)
    let numbers =
      "own share \(Markdown.interval(least.own)), another's \(Markdown.number(least.others)), random in span "
      + "\(Markdown.interval(least.random)) at K = \(k) and σ = \(Markdown.number(least.sigma)), where own and "
      + "another's differ least of \(levels.count) noise levels, uncorrected; "
      + "N = \(Markdown.count(least.own.n)) pictures"
    if outcome == .shown {
      return "**Shown:** \(name) is local by words: \(numbers)."
    }
    if outcome == .inPart {
      let isOpen = levels.allSatisfy { high($0.own) >= Self.local && $0.others <= Self.shared }
      return
        "**Shown in part:** in \(name) words change more of their own subspaces than of others' or of random ones at "
        + "every noise level, "
        + (isOpen ? "and whether it is local by words is open" : "and it is not local by words")
        + ": \(numbers)."
    }
    return
      "**Not shown** that \(name) is local by words, or that words have subspaces of their own: \(numbers)."
  }
}
