import Features
import Testing

@testable import Theory

/// The instrument that looks for composition in a network's features, on worlds whose answer is known: cells are
/// words, pixels x = A⁻¹ z are mixtures of all cells' features, and A is known.
@Suite("Features of exact worlds")
struct FeatureInstrumentTests {
  static let words = 4
  static let singles = (0..<words).map { WordSet([$0]) }
  static let pairs = (0..<words).flatMap { i in (i + 1..<words).map { WordSet([i, $0]) } }

  static func settings(
    _ patterns: [[Double]] = [[1, -0.5], [-0.4, 0.9]], occupancy: Double = 0.8
  )
    -> WorldSettings
  {
    WorldSettings(rows: 1, columns: words, patterns: patterns, occupancy: occupancy)
  }

  /// Sets of K words in turn.
  static func sets(_ k: Int, _ count: Int) -> [WordSet] {
    let all = (0..<UInt64(1) << UInt64(words)).map(WordSet.init(bits:)).filter { $0.count == k }
    return (0..<count).map { all[$0 % all.count] }
  }

  /// Inputs of all kinds: how words are told at what was never drawn under them.
  static func source(_ noised: NoisedWorld, _ count: Int = 64) throws -> WorldFeatures {
    try WorldFeatures(
      noised, inputs: (0..<count).map { WordSet(bits: UInt64($0 % 16)) }, seed: 5)
  }

  struct Reading {
    var subspaces: WordSubspaces
    var cosines: WordCosines
    var additivity: Additivity
    /// By K.
    var locality: [FeatureLocality]
    /// Of each word, of its recovered subspace with that of A.
    var overlaps: [Double]
  }

  /// As of a network: subspaces from half of the inputs, shares from others.
  static func read(_ source: some FeatureSource, truth: WordSubspaces?) throws -> Reading {
    let differences = try MeanDifferences(intervening: source, on: singles + pairs)
    let cosines = WordCosines(
      try MeanDifferences(intervening: source, on: singles), seed: 1, resamples: 100)
    let none = try source.features(telling: .none)
    let half = source.draws / 2
    let subspaces = try WordSubspaces(
      changes: try singles.map { (try source.features(telling: $0) - none).rows(0..<half) },
      rank: 2)
    let locality = try (1...words).map { k in
      try FeatureLocality(
        SecondHalf(base: source), telling: sets(k, source.draws - half), subspaces: subspaces,
        seed: 1, resamples: 50, randoms: 50)
    }
    let additivity = try #require(
      Additivity(differences, sets: pairs, seed: 1, resamples: 50))
    return Reading(
      subspaces: subspaces, cosines: cosines, additivity: additivity, locality: locality,
      overlaps: truth.map { truth in (0..<words).map { subspaces.overlap($0, truth, $0) } } ?? [])
  }

  /// The inputs of which no subspace was made.
  struct SecondHalf<Base: FeatureSource>: FeatureSource {
    let base: Base
    var words: Int { base.words }
    var dimension: Int { base.dimension }
    var draws: Int { base.draws - base.draws / 2 }
    func features(told: [WordSet]) throws -> FeatureRows {
      let first = base.draws / 2
      return try base.features(
        told: [WordSet](repeating: .none, count: first) + told
      ).rows(first..<base.draws)
    }
  }

  static func composed(_ family: WorldFamily) throws -> CellWorld {
    try CellWorld(family, settings(), coupling: 0)
  }

  @Test(
    "where features compose, subspaces, cosines, sums and shares are exactly those of composition",
    arguments: [WorldFamily.exclusion, .blankedLabels], [0.3, 1, 4])
  func composes(family: WorldFamily, sigma: Double) throws {
    let noised = try NoisedWorld(try Self.composed(family), sigma: sigma)
    let found = try Self.read(try Self.source(noised), truth: noised.cellSubspaces)
    for overlap in found.overlaps { #expect(abs(overlap - 1) < 1e-6) }
    for pair in found.cosines.pairs { #expect(abs(pair.cosine.value) < 1e-6) }
    #expect(abs(found.additivity.share.value - 1) < 1e-6)
    #expect(abs(found.additivity.slope.value - 1) < 1e-6)
    for locality in found.locality {
      #expect(abs(locality.projected.diagonal.value - 1) < 1e-6)
      #expect(abs((locality.oblique?.diagonal.value ?? 0) - 1) < 1e-6)
      #expect(locality.projected.others < 1e-6)
      // Two of eight dimensions.
      #expect(abs(locality.random.value - 0.25) < 0.05 && locality.random.high < 0.6)
    }
  }

  @Test(
    "an orthogonal A is recovered from pixels that are all mixtures of all words",
    arguments: [UInt64(1), 2, 3])
  func orthogonal(seed: UInt64) throws {
    let map = Matrix.orthogonal(8, seed: seed)
    for noise in View.Space.allCases {
      let noised = try NoisedWorld(
        try Self.composed(.exclusion),
        view: try View(features: map, looking: .pixels, noised: noise), sigma: 0.7)
      let found = try Self.read(try Self.source(noised), truth: noised.cellSubspaces)
      for overlap in found.overlaps { #expect(abs(overlap - 1) < 1e-6) }
      for pair in found.cosines.pairs { #expect(abs(pair.cosine.value) < 1e-6) }
      for locality in found.locality {
        #expect(abs(locality.projected.diagonal.value - 1) < 1e-6)
        #expect(locality.projected.others < 1e-6)
      }
      // No pixel is a word's own: the pixels of a cell hold no more of a word than of another.
      let pixels = WordSubspaces(
        dimension: 8,
        spanning: (0..<4).map { word in
          [2 * word, 2 * word + 1].map { axis in
            (0..<8).map { $0 == axis ? 1 : 0 }
          }
        })
      let own = (0..<4).map { found.subspaces.overlap($0, pixels, $0) }
      #expect(own.allSatisfy { $0 < 0.9 })
    }
  }

  @Test("another A is recovered at the angles that it has; whitening makes them right")
  func general() throws {
    let map = Matrix.general(8, seed: 4)
    let noised = try NoisedWorld(
      try Self.composed(.exclusion),
      view: try View(features: map, looking: .pixels, noised: .features), sigma: 0.7)
    let source = try Self.source(noised)
    let found = try Self.read(source, truth: noised.cellSubspaces)
    for overlap in found.overlaps { #expect(abs(overlap - 1) < 1e-6) }
    // Cosines and projections are those of pixels, whose angles are wrong …
    #expect(found.cosines.pairs.contains { abs($0.cosine.value) > 0.1 })
    for locality in found.locality {
      #expect(abs(locality.projected.diagonal.value - 1) < 1e-6)
      #expect(locality.projected.others > 0.05)
      // … oblique parts are not.
      let oblique = try #require(locality.oblique)
      #expect(abs(oblique.diagonal.value - 1) < 1e-6 && oblique.others < 1e-6)
    }
    // Words are independent in z: their covariance has a block a word, and whitened pixels are z whitened
    // block by block, turned.
    let whitening = try Whitening(try #require(noised.cleanFeatures(.none)))
    #expect(whitening.departure > 0.3)
    let white = try Self.read(WhitenedSource(source, whitening), truth: nil)
    for pair in white.cosines.pairs { #expect(abs(pair.cosine.value) < 1e-6) }
    for locality in white.locality {
      #expect(abs(locality.projected.diagonal.value - 1) < 1e-6)
      #expect(locality.projected.others < 1e-6)
    }
  }

  @Test(
    "where words are coupled, shares are not those of composition, in any of the views",
    arguments: [WorldFamily.exclusion, .blankedLabels])
  func coupled(family: WorldFamily) throws {
    let world = try CellWorld(family, Self.settings(), coupling: 0.9)
    let map = Matrix.orthogonal(8, seed: 2)
    for view in [View.plain, try View(features: map, looking: .pixels, noised: .pixels)] {
      let noised = try NoisedWorld(world, view: view, sigma: 0.7)
      let found = try Self.read(try Self.source(noised), truth: noised.cellSubspaces)
      #expect(found.overlaps.contains { $0 < 0.99 })
      #expect(found.locality.contains { $0.projected.diagonal.high < 0.95 })
      #expect(found.locality.contains { $0.projected.others > 0.02 })
    }
  }

  @Test("noise that is white in pixels hides an A that is not orthogonal, as the theorem says")
  func wrongNoise() throws {
    let map = Matrix.general(8, seed: 4)
    for looking in View.Space.allCases {
      let noised = try NoisedWorld(
        try Self.composed(.exclusion),
        view: try View(features: map, looking: looking, noised: .pixels), sigma: 0.7)
      let found = try Self.read(try Self.source(noised), truth: noised.cellSubspaces)
      #expect(found.locality.contains { ($0.oblique?.diagonal.high ?? 0) < 0.99 })
      #expect(found.overlaps.contains { $0 < 0.99 })
    }
  }

  @Test("means by conditioning agree with fractions worked out by hand")
  func byHand() throws {
    // Three words, one pattern 1, each there with ½. Half of the conditioners are blank: told ∅, a picture is
    // empty twice as likely as any other, so P(word ∣ ∅) = 4/9, and d_k = (5, −4, −4)/9 in its own order.
    let world = try CellWorld(
      .blankedLabels,
      WorldSettings(rows: 1, columns: 3, patterns: [[1]], occupancy: 0.5), coupling: 1)
    let noised = try NoisedWorld(world, sigma: 1)
    let singles = (0..<3).map { WordSet([$0]) }
    let pairs = [WordSet([0, 1]), WordSet([0, 2]), WordSet([1, 2])]
    let base = try #require(noised.cleanFeatures(.none))
    #expect(base.count == 9)
    let groups = try (singles + pairs).map {
      (words: $0, rows: try #require(noised.cleanFeatures($0)))
    }
    let cosines = WordCosines(
      try MeanDifferences(conditioning: Array(groups.prefix(3)), base: base), seed: 1,
      resamples: 20)
    for pair in cosines.pairs { #expect(abs(pair.cosine.value + 24.0 / 57) < 1e-12) }
    #expect(
      abs(try Disentanglement(noised).largestCosine - 24.0 / 57) < 1e-12)
    let additivity = try #require(
      Additivity(
        try MeanDifferences(conditioning: groups, base: base), sets: pairs, seed: 1, resamples: 20))
    // e = (5, 5, −4)/9 and d_i + d_j = (1, 1, −8)/9 in each pair's order.
    #expect(abs(additivity.share.value - (1 - 48.0 / 66)) < 1e-12)
    #expect(abs(additivity.slope.value - 42.0 / 66) < 1e-12)
  }

  @Test("cosines and sums of means do not see words that copy each other's patterns; shares do")
  func notSufficient() throws {
    let world = try CellWorld(.copiedColor, Self.settings(), coupling: 1)
    let noised = try NoisedWorld(world, sigma: 0.7)
    let groups = try (Self.singles + Self.pairs).map {
      (words: $0, rows: try #require(noised.cleanFeatures($0)))
    }
    let base = try #require(noised.cleanFeatures(.none))
    let means = try MeanDifferences(conditioning: groups, base: base)
    let additivity = try #require(
      Additivity(means, sets: Self.pairs, seed: 1, resamples: 20))
    #expect(abs(additivity.share.value - 1) < 1e-9)
    #expect(abs(try Disentanglement(noised).largestCosine) < 1e-9)
    let found = try Self.read(try Self.source(noised), truth: noised.cellSubspaces)
    #expect(found.locality[1].projected.diagonal.high < 0.99)
  }

  @Test("where conditioners are blanked, words are found beside each other, and not from ∅ on")
  func blanked() throws {
    // A word alone says that nothing else is there, ∅ says nothing: d_k = (5, −4, −4)/9 in the mean of all
    // pictures, beside another word (1, 0, 0).
    let world = try CellWorld(
      .blankedLabels,
      WorldSettings(rows: 1, columns: 3, patterns: [[1]], occupancy: 0.5), coupling: 1)
    let others = [[1, 2], [0, 2], [0, 1]]
    for map in [nil, Matrix.orthogonal(3, seed: 6)] {
      let noised = try NoisedWorld(
        world,
        view: try map.map { try View(features: $0, looking: .pixels, noised: .pixels) } ?? .plain,
        sigma: 30)
      let source = try WorldFeatures(
        noised, inputs: (0..<16).map { WordSet(bits: UInt64($0 % 8)) }, seed: 5)
      let truth = noised.cellSubspaces
      let alone = try WordSubspaces(source, beside: [[], [], []], rank: 1)
      let beside = try WordSubspaces(source, beside: others, rank: 1)
      let sets = [WordSet](repeating: WordSet([0, 1, 2]), count: 16)
      for word in 0..<3 {
        #expect(abs(beside.overlap(word, truth, word) - 1) < 1e-9)
        // At so much noise the posterior of ∅ is the prior: 25/57.
        #expect(abs(alone.overlap(word, truth, word) - 25.0 / 57) < 0.05)
      }
      let own = try [alone, beside].map {
        try FeatureLocality(
          source, telling: sets, subspaces: $0, seed: 1, resamples: 20, randoms: 20
        ).projected.diagonal.value
      }
      #expect(abs(own[0] - 25.0 / 57) < 0.05 && abs(own[1] - 1) < 1e-9)
    }
  }
}
