import Statistics
import Streams

/// The cosines between what words change in the mean: projective composition needs d_i · d_j = 0 for i ≠ j,
/// since d_j is zero outside M_j (Bradley et al. 2025, arXiv 2502.04549). Necessary, not sufficient: it looks
/// at means of single words alone.
package struct WordCosines: Sendable {
  package struct Pair: Sendable, Hashable {
    package var first: Int
    package var second: Int
    /// Over inputs that are drawn again.
    package var cosine: Interval
  }
  /// i < j.
  package let pairs: [Pair]
  /// Over all pairs.
  package let mean: Interval
  /// The share of ‖d_k‖² that chance may account for: near 1 a direction is that of noise, whose cosines
  /// tend to 0, or with a common base to ½.
  package let noise: [Double]
  /// The mean cosine were the words exchanged, input by input: what there is when it does not matter which
  /// word is told.
  package let exchanged: Interval
  /// Of a mean cosine as small as the observed one, were they exchangeable; one-sided.
  package let p: Double

  /// - Parameters:
  ///   - differences: of which the targets are single words.
  ///   - seed: of the draws behind intervals and exchanges, `resamples` each.
  package init(_ differences: MeanDifferences, seed: UInt64, resamples: Int = 1000) {
    let words = differences.targets.count
    let places = (0..<words).flatMap { i in (i + 1..<max(words, i + 1)).map { (i, $0) } }
    func cosines(_ means: FeatureRows) -> [Double] {
      let lengths = (0..<words).map { product(means[$0], means[$0]).squareRoot() }
      return places.map { i, j in
        let scale = lengths[i] * lengths[j]
        return scale > 0 ? product(means[i], means[j]) / scale : 0
      }
    }
    func average(_ values: [Double]) -> Double {
      values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
    let means = differences.means()
    let own = cosines(means)
    let count = differences.count
    let drawn = Bootstrap(seed: seed, resamples: resamples).distributions(
      strata: differences.strata, count: count
    ) { cosines(differences.means($0)) }
    pairs = places.enumerated().map { place, pair in
      Pair(
        first: pair.0, second: pair.1,
        cosine: Interval(own[place], of: drawn.map { $0[place] }, n: count))
    }
    mean = Interval(average(own), of: drawn.map(average), n: count)
    noise = (0..<words).map { word in
      let square = product(means[word], means[word])
      return square > 0 ? min(1, differences.noise(word) / square) : 1
    }
    let mixed = (0..<resamples).map { draw -> Double in
      var stream = RandomStream(seed: seed, purpose: .wordExchange, index: UInt64(draw))
      return average(cosines(differences.exchanged(&stream).means()))
    }
    exchanged = Interval(average(mixed), of: mixed, n: resamples)
    // The observed order is one of them: p is never 0.
    let observed = mean.value
    p = Double(1 + mixed.count { $0 <= observed }) / Double(1 + mixed.count)
  }
}

extension Interval {
  /// The percentiles of what resampling gave.
  init(_ value: Double, of drawn: [Double], n: Int) {
    let sorted = drawn.sorted()
    self.init(
      value: value, low: sorted.isEmpty ? value : percentile(sorted, 0.025),
      high: sorted.isEmpty ? value : percentile(sorted, 0.975), n: n,
      isDegenerate: sorted.first == sorted.last)
  }
}

extension MeanDifferences {
  /// The same inputs with their words exchanged at random.
  func exchanged(_ stream: inout RandomStream) -> MeanDifferences {
    var mixed = rows.map { FeatureRows(dimension: $0.dimension) }
    if isPaired {
      // An input's changes trade words among themselves, as they would be told by another name.
      for n in 0..<count {
        var order = Array(rows.indices)
        stream.shuffle(&order)
        for (target, source) in order.enumerated() {
          mixed[target].append(rows[source].rows(n..<n + 1))
        }
      }
    } else {
      var all = rows.enumerated().flatMap { group, rows in (0..<rows.count).map { (group, $0) } }
      stream.shuffle(&all)
      var next = 0
      for target in rows.indices {
        for _ in 0..<rows[target].count {
          mixed[target].append(rows[all[next].0].rows(all[next].1..<all[next].1 + 1))
          next += 1
        }
      }
    }
    return MeanDifferences(targets: targets, dimension: dimension, rows: mixed, base: base)
  }

  private init(targets: [WordSet], dimension: Int, rows: [FeatureRows], base: FeatureRows?) {
    self.targets = targets
    self.dimension = dimension
    self.rows = rows
    self.base = base
  }
}
