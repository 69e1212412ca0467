import Foundation
import Statistics
import Streams
import Testing

@testable import Features

/// Features that are given: of each draw a part that nothing tells on, and of each word what it adds.
struct MadeSource: FeatureSource {
  var words: Int
  var dimension: Int
  var draws: Int
  /// What telling a set adds to a draw's features.
  var effect: @Sendable (_ draw: Int, _ told: WordSet) -> [Double]

  func features(told: [WordSet]) throws -> FeatureRows {
    FeatureRows(
      told.enumerated().map { draw, set in
        var stream = RandomStream(seed: 3, purpose: .test, index: UInt64(draw))
        return effect(draw, set).map { $0 + Double(stream.gaussian()) }
      }, dimension: dimension)
  }

  static func unit(_ i: Int, _ d: Int, _ value: Double = 1) -> [Double] {
    (0..<d).map { $0 == i ? value : 0 }
  }

  static func sum(_ rows: [[Double]], _ d: Int) -> [Double] {
    rows.reduce([Double](repeating: 0, count: d)) { zip($0, $1).map { $0 + $1 } }
  }
}

/// Features of another source, turned.
private struct TurnedSource<Base: FeatureSource>: FeatureSource {
  var base: Base
  /// (D, D), orthogonal.
  var rotation: [Double]

  var words: Int { base.words }
  var dimension: Int { base.dimension }
  var draws: Int { base.draws }

  func features(told: [WordSet]) throws -> FeatureRows {
    let rows = try base.features(told: told)
    let d = dimension
    return FeatureRows(
      (0..<rows.count).map { row in
        (0..<d).map { i in
          (0..<d).reduce(0.0) { $0 + rotation[i * d + $1] * rows.values[row * d + $1] }
        }
      }, dimension: d)
  }
}

@Suite("What words change in features")
struct MeasureTests {
  /// Word k moves feature k, more at some draws than at others, and all words feature W by `common`.
  static func source(
    _ words: Int = 4, dimension d: Int = 9, draws: Int = 40, common: Double = 0,
    crowding: Double = 1
  ) -> MadeSource {
    MadeSource(words: words, dimension: d, draws: draws) { draw, told in
      var stream = RandomStream(seed: 4, purpose: .test2, index: UInt64(draw))
      let strengths = (0..<words).map { _ in 1 + 0.2 * Double(stream.gaussian()) }
      let scale = pow(crowding, Double(max(told.count - 1, 0)))
      return MadeSource.sum(
        told.words.flatMap {
          [
            MadeSource.unit($0, d, scale * strengths[$0]),
            MadeSource.unit(words, d, scale * common * strengths[$0]),
          ]
        }, d)
    }
  }

  static func singles(_ words: Int) -> [WordSet] { (0..<words).map { WordSet([$0]) } }

  @Test("words at right angles have cosines of 0, fewer than words that are exchanged")
  func rightAngles() throws {
    let source = Self.source()
    let found = WordCosines(
      try MeanDifferences(intervening: source, on: Self.singles(4)), seed: 1, resamples: 200)
    #expect(found.pairs.count == 6)
    for pair in found.pairs { #expect(abs(pair.cosine.value) < 1e-12) }
    #expect(found.mean.n == 40)
    // Exchanged, every word is the mean word.
    #expect(found.exchanged.value > 0.8)
    #expect(found.p < 0.01)
    for share in found.noise { #expect(share < 0.05) }
  }

  @Test("a direction that words have in common shows as the cosine that it makes")
  func common() throws {
    let found = WordCosines(
      try MeanDifferences(
        intervening: Self.source(common: 1), on: Self.singles(4)), seed: 1, resamples: 200)
    for pair in found.pairs {
      #expect(abs(pair.cosine.value - 0.5) < 0.05)
      #expect(pair.cosine.low <= pair.cosine.value && pair.cosine.value <= pair.cosine.high)
    }
  }

  @Test("of one word alone it is told by how much of the features telling it changes them")
  func toldAlone() throws {
    let source = MadeSource(words: 1, dimension: 4, draws: 200) { draw, told in
      MadeSource.unit(0, 4, told.count == 0 ? 0 : draw % 2 == 0 ? 0.5 : 1.5)
    }
    let found = try source.effect(ofTelling: 0, seed: 1, resamples: 200)
    // √(mean of ¼ and 9/4, over four features of variance 1).
    #expect(abs(found.value - (1.25 / 4).squareRoot()) < 0.05)
    #expect(found.low < found.value && found.value < found.high && found.n == 200)
    let deaf = MadeSource(words: 1, dimension: 4, draws: 9) { _, _ in MadeSource.unit(1, 4) }
    #expect(try deaf.effect(ofTelling: 0, seed: 1, resamples: 20).value == 0)
  }

  @Test("where it does not matter which word is told, exchange says so")
  func exchangeable() throws {
    let source = MadeSource(words: 3, dimension: 5, draws: 30) { draw, told in
      var stream = RandomStream(
        seed: 9, purpose: .test2, index: UInt64(draw) << 8 | UInt64(told.bits))
      return (0..<5).map { _ in told.count == 0 ? 0 : 1 + Double(stream.gaussian()) }
    }
    let found = WordCosines(
      try MeanDifferences(intervening: source, on: Self.singles(3)), seed: 2, resamples: 200)
    #expect(found.p > 0.02)
    #expect(abs(found.mean.value - found.exchanged.value) < 0.1)
  }

  @Test("intervals of cosines cover the true one")
  func coverage() throws {
    // d = (1, 0) and (½, √¾), each with noise: the cosine is ½.
    var covered = 0
    let runs = 100
    for run in 0..<runs {
      func rows(_ mean: [Double], _ part: UInt64) -> FeatureRows {
        FeatureRows(
          (0..<40).map { n in
            var stream = RandomStream(
              seed: UInt64(run), purpose: .test3, index: part << 32 | UInt64(n))
            return mean.map { $0 + 0.5 * Double(stream.gaussian()) }
          }, dimension: 2)
      }
      let found = WordCosines(
        try MeanDifferences(
          conditioning: [
            (WordSet([0]), rows([1, 0], 1)), (WordSet([1]), rows([0.5, 0.75.squareRoot()], 2)),
          ], base: rows([0, 0], 3)), seed: UInt64(run), resamples: 200)
      let interval = found.pairs[0].cosine
      if interval.low <= 0.5, 0.5 <= interval.high { covered += 1 }
    }
    #expect(covered >= 86, "\(covered) of \(runs)")
  }

  @Test("a sum has r² and slope 1; crowding by a half gives the r² that it is worth")
  func additivity() throws {
    let pairs = [WordSet([0, 1]), WordSet([1, 3])]
    func measure(_ crowding: Double) throws -> Additivity? {
      Additivity(
        try MeanDifferences(
          intervening: Self.source(crowding: crowding), on: Self.singles(4) + pairs),
        sets: pairs, seed: 1, resamples: 100)
    }
    let sum = try #require(try measure(1))
    #expect(abs(sum.share.value - 1) < 1e-12 && abs(sum.slope.value - 1) < 1e-12)
    let half = try #require(try measure(0.5))
    // e = ½ s: ‖e − s‖² = ‖e‖².
    #expect(abs(half.share.value) < 1e-12 && abs(half.slope.value - 0.5) < 1e-12)
    #expect(
      Additivity(
        try MeanDifferences(intervening: Self.source(), on: Self.singles(4)), sets: pairs, seed: 1)
        == nil)
  }

  @Test("subspaces are those that words move in, of as many dimensions as they move in")
  func subspaces() throws {
    let source = Self.source(common: 1)
    let changes = try MeanDifferences(intervening: source, on: Self.singles(4)).rows
    let found = try WordSubspaces(changes: changes, rank: 3)
    for word in 0..<4 {
      // The common feature moves as the own one does: one direction.
      #expect(found.bases[word].count == 1)
      let truth = WordSubspaces(
        dimension: 9,
        spanning: [[zip(MadeSource.unit(word, 9), MadeSource.unit(4, 9)).map { $0 + $1 }]])
      #expect(abs(found.overlap(word, truth, 0) - 1) < 1e-9)
      #expect(abs(found.overlap(word, found, (word + 1) % 4) - 0.25) < 1e-9)
    }
    #expect(found.span.count == 4)
    #expect(throws: FeatureError.rank(found: 10, most: 9)) {
      try WordSubspaces(changes: changes, rank: 10)
    }
  }

  @Test("few inputs of many features and many of few give the same subspaces")
  func bothWays() throws {
    let rows = (0..<12).map { n -> [Double] in
      var stream = RandomStream(seed: 5, purpose: .test, index: UInt64(n))
      let (a, b) = (Double(stream.gaussian()), Double(stream.gaussian()))
      return (0..<30).map { a * sin(Double($0)) + b * cos(Double($0)) }
    }
    let wide = try WordSubspaces(changes: [FeatureRows(rows, dimension: 30)], rank: 2)
    let long = try WordSubspaces(
      changes: [FeatureRows((0..<4).flatMap { _ in rows }, dimension: 30)], rank: 2)
    #expect(wide.bases[0].count == 2 && abs(wide.overlap(0, long, 0) - 1) < 1e-9)
  }

  @Test("local features have a diagonal share of 1, random subspaces that of their dimensions")
  func locality() throws {
    let source = Self.source()
    let subspaces = try WordSubspaces(
      changes: try MeanDifferences(intervening: source, on: Self.singles(4)).rows.map {
        $0.rows(0..<20)
      }, rank: 1)
    let sets = (0..<40).map { WordSet([$0 % 4, ($0 + 1) % 4, ($0 + 2) % 4]) }
    let found = try FeatureLocality(
      source, telling: sets, subspaces: subspaces, seed: 1, resamples: 100)
    #expect(found.changes == 120)
    #expect(abs(found.projected.diagonal.value - 1) < 1e-12)
    #expect(abs((found.oblique?.diagonal.value ?? 0) - 1) < 1e-12)
    #expect(found.projected.others < 1e-12)
    for i in 0..<4 {
      for j in 0..<4 {
        #expect(abs(found.projected.matrix[i][j] - (i == j ? 1 : 0)) < 1e-12)
      }
    }
    #expect(abs(found.random.value - 1.0 / 9) < 0.03)
    #expect(abs(found.randomInSpan.value - 1.0 / 4) < 0.05)
    #expect(found.random.high < 0.9 && found.randomInSpan.high < 0.99)
  }

  @Test("a word that moves what another owns is told by how much")
  func leak() throws {
    // Told beside another, word j also moves the next word's feature, half as far: 1 of 5 parts of its square.
    let source = MadeSource(words: 3, dimension: 6, draws: 12) { _, told in
      MadeSource.sum(
        told.words.flatMap { word in
          [MadeSource.unit(word, 6)]
            + (told.count > 1 ? [MadeSource.unit((word + 1) % 3, 6, 0.5)] : [])
        }, 6)
    }
    let own = WordSubspaces(
      dimension: 6, spanning: (0..<3).map { [MadeSource.unit($0, 6)] })
    let all = try FeatureLocality(
      source, telling: [WordSet](repeating: WordSet(0..<3), count: 12), subspaces: own, seed: 1,
      resamples: 50)
    #expect(abs(all.projected.diagonal.value - 0.8) < 1e-12)
    #expect(abs(all.projected.matrix[1][0] - 0.2) < 1e-12)
    #expect(abs(all.projected.matrix[2][0]) < 1e-12)
    #expect(abs(all.projected.others - 0.1) < 1e-12)
    #expect(all.projected.diagonal.isDegenerate)
  }

  @Test("parts in subspaces at odd angles are those that were put together")
  func oblique() throws {
    let subspaces = WordSubspaces(
      dimension: 4, spanning: [[[1, 0, 0, 0]], [[1, 1, 0, 0], [0, 0, 1, 0]]])
    let split = try #require(ObliqueParts(subspaces))
    // 2 (1,0,0,0) + 3 (1,1,0,0) − (0,0,1,0), and 7 beside all.
    let parts = split.squares([5, 3, -1, 7])
    #expect(abs(parts.words[0] - 4) < 1e-12 && abs(parts.words[1] - (18 + 1)) < 1e-12)
    #expect(abs(parts.rest - 49) < 1e-12)
    #expect(
      ObliqueParts(
        WordSubspaces(dimension: 3, spanning: [[[1, 0, 0]], [[1, 0, 0]]])) == nil)
  }

  @Test("whitened features have covariance 1; how far that is from a rotation is told")
  func whitening() throws {
    let rows = FeatureRows(
      (0..<500).map { n in
        var stream = RandomStream(seed: 6, purpose: .test, index: UInt64(n))
        let (a, b) = (Double(stream.gaussian()), Double(stream.gaussian()))
        return [3 * a, a + b]
      }, dimension: 2)
    let whitening = try Whitening(rows)
    let again = try Whitening(whitening.applied(to: rows))
    #expect(again.departure < 1e-9 && abs(again.condition - 1) < 1e-9)
    #expect(whitening.departure > 0.5 && whitening.condition > 3)
    // A multiple of a rotation is none: variances of 4 and 4.
    let turned = Whitening(covariance: [4, 0, 0, 4], dimension: 2)
    #expect(turned.departure == 0 && turned.condition == 1)
    // Variances 1 and 4, A = diag(1, ½): AᵀA = diag(1, ¼), s = ⅝, off by ±⅗.
    let stretched = Whitening(covariance: [1, 0, 0, 4], dimension: 2)
    #expect(abs(stretched.departure - 0.6) < 1e-12 && abs(stretched.condition - 2) < 1e-12)
  }

  @Test("a rotation of whitened features, as ICA ends with, changes no share and no cosine")
  func rotated() throws {
    let source = Self.source(3, dimension: 5, draws: 24, common: 0.5)
    let white = WhitenedSource(
      source, try Whitening(try source.features(telling: .none)))
    // A rotation: the eigenvectors of any symmetric matrix that is no multiple of 1.
    var stream = RandomStream(seed: 8, purpose: .test, index: 0)
    var some = [Double](repeating: 0, count: 25)
    for i in 0..<5 {
      for j in i..<5 {
        some[i * 5 + j] = Double(stream.gaussian())
        some[j * 5 + i] = some[i * 5 + j]
      }
    }
    let turned = TurnedSource(base: white, rotation: SymmetricEigen(some, size: 5).vectors)
    let told = (0..<24).map { WordSet([$0 % 3, ($0 + 1) % 3]) }
    func measure(_ source: some FeatureSource) throws -> [Double] {
      let subspaces = try WordSubspaces(
        source, beside: [[], [], []], rank: 1)
      let found = try FeatureLocality(
        source, telling: told, subspaces: subspaces, seed: 1, resamples: 20, randoms: 5)
      let cosines = WordCosines(
        try MeanDifferences(intervening: source, on: Self.singles(3)), seed: 1, resamples: 20)
      return found.projected.matrix.joined() + [found.projected.diagonal.value]
        + cosines.pairs.map(\.cosine.value)
    }
    let (before, after) = (try measure(white), try measure(turned))
    #expect(before.count == 13)
    for (a, b) in zip(before, after) { #expect(abs(a - b) < 1e-9) }
    // What does not whiten does change them.
    let plain = try measure(source)
    #expect(zip(before, plain).contains { abs($0 - $1) > 0.01 })
  }

  @Test("features that are no numbers, and means of nothing, are refused")
  func refused() throws {
    let broken = MadeSource(words: 2, dimension: 2, draws: 3) { _, _ in [.nan, 0] }
    #expect(throws: FeatureError.notFinite) {
      try MeanDifferences(intervening: broken, on: Self.singles(2))
    }
    #expect(throws: FeatureError.noRows(words: [1])) {
      try MeanDifferences(
        conditioning: [(WordSet([1]), FeatureRows(dimension: 2))],
        base: FeatureRows([[0, 0]], dimension: 2))
    }
  }

  @Test("beside another word a word's own subspace is found where ∅ stands for any picture")
  func beside() throws {
    // ∅ holds half of every word, a word alone only itself: from ∅ on it takes all others away.
    let source = MadeSource(words: 4, dimension: 4, draws: 24) { draw, told in
      (0..<4).map { told == .none ? 0.5 : told.contains($0) ? 1 : 0 }
    }
    let others = (0..<4).map { word in (0..<4).filter { $0 != word } }
    let alone = try WordSubspaces(source, beside: [[], [], [], []], rank: 1)
    let beside = try WordSubspaces(source, beside: others, rank: 1)
    let truth = WordSubspaces(
      dimension: 4, spanning: (0..<4).map { [MadeSource.unit($0, 4)] })
    for word in 0..<4 {
      #expect(abs(beside.overlap(word, truth, word) - 1) < 1e-12)
      // (½, −½, −½, −½) has a quarter of its square in its own direction.
      #expect(abs(alone.overlap(word, truth, word) - 0.25) < 1e-12)
    }
    for (subspaces, own) in [(alone, 0.25), (beside, 1)] {
      let found = try FeatureLocality(
        source, telling: [WordSet](repeating: WordSet([0, 2, 3]), count: 24), subspaces: subspaces,
        seed: 1, resamples: 20, randoms: 20)
      #expect(abs(found.projected.diagonal.value - own) < 1e-12)
    }
    #expect(throws: FeatureError.rows(found: 1, expected: 4)) {
      try WordSubspaces(source, beside: [[1]], rank: 1)
    }
  }
}
