import Statistics

/// How well the sum of what single words change tells what several of them change together.
package struct Additivity: Sendable {
  /// r² = 1 − Σ ‖e_c − Σ_{k∈c} d_k‖² / Σ ‖e_c‖², e_c = E[z ∣ c] − E[z ∣ ∅]: 1 for a sum, below 0 where nothing
  /// would have told more. No slope is fitted: half of the sum has an r² of 0 (e = ½ Σ d).
  package let share: Interval
  /// Σ e_c · s_c / Σ ‖s_c‖², s_c = Σ_{k∈c} d_k: 1 for a sum, below 1 where words saturate or compete.
  package let slope: Interval

  /// - Parameters:
  ///   - differences: of single words, and of the sets.
  ///   - sets: those that are told of, of two or more words that are all among the single ones.
  /// - Returns: `nil` where there is no such set.
  package init?(
    _ differences: MeanDifferences, sets: [WordSet], seed: UInt64, resamples: Int = 1000
  ) {
    var place: [WordSet: Int] = [:]
    for (index, target) in differences.targets.enumerated() { place[target] = index }
    let parts = sets.compactMap { set -> (whole: Int, singles: [Int])? in
      let singles = set.words.compactMap { place[WordSet([$0])] }
      guard let whole = place[set], set.count > 1, singles.count == set.count else { return nil }
      return (whole, singles)
    }
    if parts.isEmpty { return nil }
    func statistics(_ means: FeatureRows) -> [Double] {
      var (left, total, common, square) = (0.0, 0.0, 0.0, 0.0)
      for part in parts {
        let whole = means[part.whole]
        var sum = [Double](repeating: 0, count: means.dimension)
        for single in part.singles {
          for (i, value) in means[single].enumerated() { sum[i] += value }
        }
        for (value, told) in zip(whole, sum) {
          left += (value - told) * (value - told)
          total += value * value
          common += value * told
          square += told * told
        }
      }
      return [total > 0 ? 1 - left / total : 0, square > 0 ? common / square : 0]
    }
    let own = statistics(differences.means())
    let drawn = Bootstrap(seed: seed, resamples: resamples).distributions(
      strata: differences.strata, count: differences.count
    ) { statistics(differences.means($0)) }
    share = Interval(own[0], of: drawn.map { $0[0] }, n: differences.count)
    slope = Interval(own[1], of: drawn.map { $0[1] }, n: differences.count)
  }
}
