import Statistics

/// An invertible linear map A of features, by which their covariance becomes the identity: A = Σ^(−½).
///
/// Any other whitening is a rotation of this one, which changes no share and no cosine. Words that are independent
/// in some invertible linear map of the features stand at right angles after it.
package struct Whitening: Sendable {
  /// D.
  package let dimension: Int
  /// (D, D), symmetric.
  package let matrix: [Double]
  /// ‖AᵀA / s − 1‖ / √D in Frobenius' norm, s the mean of AᵀA's diagonal: 0 where A is a multiple of an
  /// orthogonal map, so that right angles before and after it are the same.
  package let departure: Double
  /// The largest over the smallest of A's singular values.
  package let condition: Double

  /// Variances below this share of the largest are taken to be this share: A stays invertible.
  package static let least = 1e-6

  /// - Parameter rows: two at least.
  package init(_ rows: FeatureRows) throws(FeatureError) {
    let (n, d) = (rows.count, rows.dimension)
    if n < 2 { throw .draws(found: n, needed: 2) }
    let mean = rows.mean()
    var covariance = [Double](repeating: 0, count: d * d)
    var centered = [Double](repeating: 0, count: d)
    for row in 0..<n {
      for i in 0..<d { centered[i] = rows.values[row * d + i] - mean[i] }
      for i in 0..<d {
        for j in i..<d { covariance[i * d + j] += centered[i] * centered[j] / Double(n) }
      }
    }
    self.init(covariance: covariance, dimension: d)
  }

  /// - Parameter covariance: (D, D), of which the upper triangle is read.
  package init(covariance: [Double], dimension d: Int) {
    dimension = d
    let eigen = SymmetricEigen(covariance, size: d)
    let largest = max(eigen.values.first ?? 1, .leastNormalMagnitude)
    let variances = eigen.values.map { max($0, Self.least * largest) }
    matrix = eigen.matrix { 1 / max($0, Self.least * largest).squareRoot() }
    condition = (largest / (variances.last ?? largest)).squareRoot()
    let scale = variances.reduce(0) { $0 + 1 / $1 } / Double(max(d, 1))
    let squares = variances.reduce(0) { sum, variance in
      let off = 1 / (variance * scale) - 1
      return sum + off * off
    }
    departure = (squares / Double(max(d, 1))).squareRoot()
  }

  package func applied(to rows: FeatureRows) -> FeatureRows {
    let d = dimension
    var values = [Double](repeating: 0, count: rows.values.count)
    for row in 0..<rows.count {
      for i in 0..<d {
        values[row * d + i] = product(matrix[i * d..<(i + 1) * d], rows[row])
      }
    }
    return FeatureRows(dimension: d, values: values)
  }
}

/// Features of a source, whitened.
package struct WhitenedSource<Base: FeatureSource>: FeatureSource {
  package let base: Base
  package let whitening: Whitening

  package init(_ base: Base, _ whitening: Whitening) {
    self.base = base
    self.whitening = whitening
  }

  package var words: Int { base.words }
  package var dimension: Int { base.dimension }
  package var draws: Int { base.draws }
  package var places: Int { base.places }

  package func features(told: [WordSet]) throws -> FeatureRows {
    whitening.applied(to: try base.features(told: told))
  }
}
