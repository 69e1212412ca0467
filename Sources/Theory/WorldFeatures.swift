import Features
import Streams

/// The exact features of a world's noised pictures: what a network would have to learn.
///
/// Cells are words, and z is the posterior mean of the clean picture in the coordinates of a view, E[A x₀ ∣ x, c] =
/// u + σ²Σ ∇log p_σ(u ∣ c) (Tweedie). Under noise that is white in these coordinates its changes are those of the
/// score, times σ². It goes with any map of features as features do: A of the mean is the mean of A.
package struct WorldFeatures: FeatureSource {
  package let noised: NoisedWorld
  /// (N, D), in the view's coordinates.
  private let inputs: [[Double]]

  /// Inputs x ~ p_σ(x ∣ c) for the words given, one for each.
  ///
  /// - Throws: `TheoryError` for words that never occur together.
  package init(_ noised: NoisedWorld, inputs words: [WordSet], seed: UInt64) throws(TheoryError) {
    self.noised = noised
    var inputs: [[Double]] = []
    for (n, set) in words.enumerated() {
      let mixture = noised.mixtures[try Self.index(set, noised)]
      var stream = RandomStream(seed: seed, purpose: .worldInputs, index: UInt64(n))
      var x = [Double](repeating: 0, count: mixture.dimension)
      x.withUnsafeMutableBufferPointer { buffer in
        if let base = buffer.baseAddress { mixture.draw(&stream, into: base) }
      }
      inputs.append(x)
    }
    self.inputs = inputs
  }

  package var words: Int { noised.world.cells }
  package var dimension: Int { noised.world.dimension }
  package var draws: Int { inputs.count }

  package func features(told: [WordSet]) throws -> FeatureRows {
    var point = MixturePoint()
    var rows = FeatureRows(dimension: dimension)
    for (x, set) in zip(inputs, told) {
      noised.mixtures[try Self.index(set, noised)].evaluate(x, into: &point)
      let score = Array(point.score.prefix(dimension))
      let step = noised.view.noise.map { $0 * score } ?? score
      rows.append(
        FeatureRows(
          dimension: dimension,
          values: zip(x, step).map { $0 + noised.sigma * noised.sigma * $1 }))
    }
    return rows
  }

  private static func index(_ words: WordSet, _ noised: NoisedWorld) throws(TheoryError) -> Int {
    guard let index = noised.world.index(of: Labels(words.words)) else {
      throw .missingConditioner(words.words)
    }
    return index
  }
}

extension NoisedWorld {
  /// The subspaces that composition by cells gives: what the features of each cell become in this view.
  package var cellSubspaces: WordSubspaces {
    WordSubspaces(
      dimension: world.dimension,
      spanning: (0..<world.cells).map { cell in
        coordinates(of: [cell]).map { coordinate in
          let unit = (0..<world.dimension).map { $0 == coordinate ? 1.0 : 0 }
          return view.map.map { $0 * unit } ?? unit
        }
      })
  }

  /// The clean pictures of a conditioner in this view, each as often as its probability says, so that plain
  /// means over them are expectations; `nil` where no whole numbers of up to `CellWorld.limit` rows say it.
  package func cleanFeatures(_ words: WordSet) -> FeatureRows? {
    guard let index = world.index(of: Labels(words.words)) else { return nil }
    let mixture = mixtures[index]
    guard let least = mixture.weights.min() else { return nil }
    let counts = mixture.weights.map { $0 / least }
    guard counts.reduce(0, +) <= Double(CellWorld.limit),
      counts.allSatisfy({ abs($0 - $0.rounded()) < 1e-9 })
    else { return nil }
    return FeatureRows(
      zip(mixture.plainMeans, counts).flatMap {
        [[Double]](repeating: $0, count: Int($1.rounded()))
      },
      dimension: world.dimension)
  }
}
