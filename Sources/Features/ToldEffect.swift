import Statistics

extension FeatureSource {
  /// How much telling a word changes features: √(Σ ‖z(x, {k}) − z(x, ∅)‖² / Σ ‖z(x, ∅)‖²) over inputs, which are
  /// drawn again for the interval; 0 where features are 0.
  package func effect(ofTelling word: Int, seed: UInt64, resamples: Int) throws -> Interval {
    let none = try checkedFeatures(telling: .none)
    let change = try checkedFeatures(telling: WordSet([word])) - none
    func squares(_ rows: FeatureRows) -> [Double] {
      (0..<draws).map { draw in
        let own = rows.rows(draw * places..<(draw + 1) * places).values
        return product(own, own)
      }
    }
    let (above, below) = (squares(change), squares(none))
    return Bootstrap(seed: seed, resamples: resamples).interval(
      strata: [0..<draws], count: draws, n: draws
    ) { weights in
      func sum(_ squares: [Double]) -> Double {
        zip(squares, weights).reduce(0) { $0 + $1.0 * Double($1.1) }
      }
      let whole = sum(below)
      return whole > 0 ? (sum(above) / whole).squareRoot() : 0
    }
  }
}
