/// What is told beside a word when it is looked at what the word changes.
///
/// Under label dropout ∅ stands for any picture, and a word told alone for one that has nothing else: from ∅ on a
/// word takes all others away, too. Beside another word it adds itself alone.
package enum Beside: String, Sendable, Codable, CaseIterable {
  /// z(x, {k}) − z(x, ∅).
  case nothing
  /// z(x, {k, j}) − z(x, {j}).
  case word
}

extension WordSubspaces {
  /// The r directions along which words change the features of a source most.
  ///
  /// - Parameter others: of each word those of which one is told beside it, in turn from input to input; of none
  ///   of them ∅ is.
  package init(_ source: some FeatureSource, beside others: [[Int]], rank: Int) throws {
    if others.count != source.words {
      throw FeatureError.rows(found: others.count, expected: source.words)
    }
    var none: FeatureRows?
    func features(_ told: [WordSet]) throws -> FeatureRows {
      if told.contains(where: { $0 != .none }) { return try source.checkedFeatures(told: told) }
      let made = try none ?? source.checkedFeatures(told: told)
      none = made
      return made
    }
    try self.init(
      changes: try others.enumerated().map { word, others in
        let bases = (0..<source.draws).map {
          others.isEmpty ? WordSet.none : WordSet([others[$0 % others.count]])
        }
        return try source.checkedFeatures(told: bases.map { $0.with(word) }) - features(bases)
      }, rank: rank)
  }
}
