import Lineage

private let features = ["features"]

/// What words change inside a network, at a level of it.
extension Measure {
  /// How E[z ∣ words] is understood.
  package enum FeatureMeans: String, Sendable, CaseIterable {
    /// do(c): the same inputs, a word told or not.
    case intervened = "do"
    /// Over pictures that have exactly these words, told nothing.
    case conditioned = "given"

    fileprivate var words: String {
      self == .intervened ? "the same inputs, told or not" : "pictures that have exactly the words"
    }
  }

  package static func featureCosine(_ means: FeatureMeans) -> Measure {
    Measure(
      "feature.\(means.rawValue).cosine", by: [.sigma, .pair], interval: .pictures, in: features,
      "Cosine of what two words change in the mean of a level's features, over \(means.words).",
      source: .composition)
  }

  package static func featureMeanCosine(_ means: FeatureMeans) -> Measure {
    Measure(
      "feature.\(means.rawValue).mean_cosine", by: [.sigma], interval: .pictures, in: features,
      "The mean of these cosines over all pairs of words.", source: .composition)
  }

  package static func featureExchangedCosine(_ means: FeatureMeans) -> Measure {
    Measure(
      "feature.\(means.rawValue).exchanged_cosine", by: [.sigma], interval: .exchanges,
      in: features,
      "The same were words exchanged at random: when it does not matter which word it is.")
  }

  package static func featureCosineP(_ means: FeatureMeans) -> Measure {
    Measure(
      "feature.\(means.rawValue).cosine_p", by: [.sigma], in: features,
      "p of a mean cosine as small as it is, were words exchangeable; one-sided.")
  }

  package static func featureNoise(_ means: FeatureMeans) -> Measure {
    Measure(
      "feature.\(means.rawValue).noise", by: [.sigma, .attribute], in: features,
      "Share of the squared length of a word's mean change that chance may account for.")
  }

  package static func featureAdditivity(_ means: FeatureMeans) -> Measure {
    Measure(
      "feature.\(means.rawValue).additivity", by: [.sigma, .attribute], interval: .pictures,
      in: features,
      "r² of the sum of two words' mean changes for that of both, of pairs seen in training or held out."
    )
  }

  package static func featureSlope(_ means: FeatureMeans) -> Measure {
    Measure(
      "feature.\(means.rawValue).slope", by: [.sigma, .attribute], interval: .pictures,
      in: features,
      "By what the sum of two words' mean changes has to be multiplied to tell that of both best.")
  }

  package static let featureShare = Measure(
    "feature.share", by: [.sigma, .k, .inputs, .pair], in: features,
    "Share of what the second word of a pair changes, told no longer among K, in the subspace of the first.",
    source: .localScores)
  package static let featureDiagonal = Measure(
    "feature.diagonal", by: [.sigma, .k, .inputs], interval: .pictures, in: features,
    "Share of what words change, told no longer among K, in their own subspaces.",
    source: .localScores)
  package static let featureOblique = Measure(
    "feature.oblique", by: [.sigma, .k, .inputs], interval: .pictures, in: features,
    "The same of the parts that add up to the change, each in the subspace of a word, at any angle.",
    source: .localScores)
  package static let featureOthers = Measure(
    "feature.others", by: [.sigma, .k, .inputs], in: features,
    "The mean share of another word's subspace.", source: .localScores)
  package static let featureRandom = Measure(
    "feature.random", by: [.sigma, .k, .inputs], interval: .randomSubspaces, in: features,
    "The diagonal share of random subspaces of the same dimensions.")
  package static let featureRandomInSpan = Measure(
    "feature.random_in_span", by: [.sigma, .k, .inputs], interval: .randomSubspaces, in: features,
    "The same of random subspaces of what the words' subspaces span.")
  package static let featureBeside = Measure(
    "feature.beside", by: [.sigma, .attribute], in: features,
    "Share of the directions in which a word changes features from ∅ on that it has beside another word, too."
  )
  package static let featureDeparture = Measure(
    "feature.departure", by: [.sigma], in: features,
    "How far the map that whitens a level's mean features is from a multiple of an orthogonal one.")
  package static let featureCondition = Measure(
    "feature.condition", by: [.sigma], in: features,
    "The largest over the smallest singular value of that map.")

  static let featureSpace: [Measure] =
    FeatureMeans.allCases.flatMap { means -> [Measure] in
      [
        featureCosine(means), featureMeanCosine(means), featureExchangedCosine(means),
        featureCosineP(means), featureNoise(means), featureAdditivity(means), featureSlope(means),
      ]
    } + [
      featureShare, featureDiagonal, featureOblique, featureOthers, featureRandom,
      featureRandomInSpan, featureBeside, featureDeparture, featureCondition,
    ]
}
