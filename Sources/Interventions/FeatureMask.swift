import Diffusion
import Features

/// What a mask of features puts in the place of a level's features.
package struct FeatureMask: Sendable, Hashable, Codable {
  /// What a word's change of the features goes through before it is added.
  package enum Projection: String, Sendable, Codable, CaseIterable {
    /// The word's own subspace: z(∅) + Σ_j P_j (z({j}) − z(∅)), projective composition by construction.
    case own
    /// Nothing: z(∅) + Σ_j (z({j}) − z(∅)), linear composition.
    case sum
    /// Control: another word's subspace, always the same one.
    case permuted
    /// Control: a random one of the same dimensions.
    case random
    /// Control: no words apart, but z(c) as it is: the machinery alone.
    case whole
  }
  /// What the rest of the network is told, which hears of conditioners beside its features.
  package enum Rest: String, Sendable, Codable, CaseIterable {
    /// All words: with one word, `sum` is the network itself.
    case all
    /// ∅: words come in by the level's features alone.
    case nothing
  }

  package var level: NetworkLevel
  package var projection: Projection
  package var rest: Rest
  /// Beside what a word is told whose change goes through the projection. Beside each of the other words that
  /// are asked for it is the mean over a of z({a}) + Σ_{j≠a} P_j (z({a, j}) − z({a})): with one word the network
  /// itself.
  package var beside: Beside

  package init(
    level: NetworkLevel = .encoder2, projection: Projection = .own, rest: Rest = .all,
    beside: Beside = .nothing
  ) {
    self.beside = beside
    self.level = level
    self.projection = projection
    self.rest = rest
  }

  /// Whether it changes nothing by construction.
  var isIdentity: Bool { projection == .whole && rest == .all }
  /// Whether it is there to object to a word's own subspace.
  var movesSubspaces: Bool { projection == .permuted || projection == .random }
  package var needsSubspaces: Bool { projection == .own || movesSubspaces }
}
