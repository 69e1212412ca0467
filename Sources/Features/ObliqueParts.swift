/// Splits features into parts in the subspaces of words, which need not stand at right angles: v = Σ_i u_i + rest,
/// u_i in subspace i, the rest at right angles to all of them (least squares).
///
/// An invertible map of features that is not orthogonal turns subspaces at right angles into others. What fell
/// into one of them alone still does, and its parts in all others are 0; the projections are not.
struct ObliqueParts: Sendable {
  private let subspaces: WordSubspaces
  /// All bases one after the other, (R, D).
  private let rows: FeatureRows
  /// (R, R): the inverse of the bases' products.
  private let inverse: [Double]

  /// Of a sum of subspaces in which one is almost held by the others.
  private static let least = 1e-9

  /// - Returns: `nil` where the subspaces are not independent: then there are many such parts.
  init?(_ subspaces: WordSubspaces) {
    var rows = FeatureRows(dimension: subspaces.dimension)
    for basis in subspaces.bases { rows.append(basis) }
    if rows.count == 0 || rows.count > subspaces.dimension { return nil }
    let size = rows.count
    var lower = [Double](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in 0...i {
        var sum = product(rows[i], rows[j])
        for k in 0..<j { sum -= lower[i * size + k] * lower[j * size + k] }
        if i == j {
          if sum < Self.least { return nil }
          lower[i * size + i] = sum.squareRoot()
        } else {
          lower[i * size + j] = sum / lower[j * size + j]
        }
      }
    }
    self.subspaces = subspaces
    self.rows = rows
    inverse = Self.inverse(lower, size)
  }

  /// (LLᵀ)⁻¹, column by column.
  private static func inverse(_ lower: [Double], _ size: Int) -> [Double] {
    var result = [Double](repeating: 0, count: size * size)
    for column in 0..<size {
      var x = [Double](repeating: 0, count: size)
      for i in 0..<size {
        let sum = (0..<i).reduce(i == column ? 1.0 : 0) { $0 - lower[i * size + $1] * x[$1] }
        x[i] = sum / lower[i * size + i]
      }
      for i in (0..<size).reversed() {
        let sum = (i + 1..<max(size, i + 1)).reduce(x[i]) { $0 - lower[$1 * size + i] * x[$1] }
        x[i] = sum / lower[i * size + i]
      }
      for i in 0..<size { result[i * size + column] = x[i] }
    }
    return result
  }

  /// ‖u_i‖² of each word's part, and ‖rest‖².
  func squares(_ v: ArraySlice<Double>) -> (words: [Double], rest: Double) {
    let size = rows.count
    let products = (0..<size).map { product(rows[$0], v) }
    let factors = (0..<size).map { i in
      (0..<size).reduce(0) { $0 + inverse[i * size + $1] * products[$1] }
    }
    var first = 0
    var squares: [Double] = []
    for basis in subspaces.bases {
      // The rows of a basis are unit vectors at right angles.
      squares.append(factors[first..<first + basis.count].reduce(0) { $0 + $1 * $1 })
      first += basis.count
    }
    let inside = zip(factors, products).reduce(0) { $0 + $1.0 * $1.1 }
    return (squares, max(0, product(v, v) - inside))
  }
}
