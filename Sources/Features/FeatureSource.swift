import Formats

/// Where features come from: a trained network, or a finite world whose answer is known.
///
/// Nothing that measures knows which: what an instrument says of a network was tried where it can be wrong.
package protocol FeatureSource {
  /// How many words there are, W: at most `WordSet.mostWords`.
  var words: Int { get }
  /// D.
  var dimension: Int { get }
  /// How many inputs x, each with its own noise: N.
  var draws: Int { get }
  /// Rows of one input, P: the places of a picture that are looked at one by one, or 1.
  var places: Int { get }
  /// z, (N · P, D), of every input, told what stands for it in `told`: the same x, whatever is told.
  func features(told: [WordSet]) throws -> FeatureRows
}

extension FeatureSource {
  package var places: Int { 1 }

  /// z of every input, all told the same.
  package func features(telling words: WordSet) throws -> FeatureRows {
    try features(told: [WordSet](repeating: words, count: draws))
  }
}

/// Features from which nothing can be measured.
package enum FeatureError: CategorizedError, Hashable, CustomStringConvertible {
  case words(Int)
  case draws(found: Int, needed: Int)
  case rows(found: Int, expected: Int)
  /// A mean of nothing.
  case noRows(words: [Int])
  case rank(found: Int, most: Int)
  case notFinite

  package var category: ErrorCategory {
    switch self {
    case .words, .draws, .noRows, .rank, .notFinite: .data
    case .rows: .bug
    }
  }

  package var description: String {
    switch self {
    case .words(let count):
      "\(count) words, of which features are told apart; accepted: 2 to \(WordSet.mostWords)"
    case .draws(let found, let needed): "\(found) inputs; at least \(needed) are needed: take more"
    case .rows(let found, let expected):
      "a source gave \(found) rows of features, expected \(expected)"
    case .noRows(let words):
      "no picture has exactly the words \(words): means over such pictures do not exist; take others"
    case .rank(let found, let most):
      "subspaces of \(found) dimensions, accepted: 1 to \(most), the features' own"
    case .notFinite: "features hold values that are no finite numbers"
    }
  }
}
