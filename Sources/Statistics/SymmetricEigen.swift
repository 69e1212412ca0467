/// The eigenvalues and vectors of a small symmetric matrix, by Jacobi's rotations: every pair of rows in
/// turn until nothing is left beside the diagonal (Golub & Van Loan 2013, §8.5). O(n³) a sweep, some six
/// sweeps.
package struct SymmetricEigen: Sendable {
  /// The largest first.
  package let values: [Double]
  /// (n, n): row i is the unit vector that belongs to `values[i]`.
  package let vectors: [Double]

  private static let sweeps = 60

  /// - Parameter matrix: (n, n), of which the upper triangle is read.
  package init(_ matrix: [Double], size n: Int) {
    var a = matrix
    var v = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      v[i * n + i] = 1
      for j in 0..<i { a[i * n + j] = a[j * n + i] }
    }
    let scale = a.reduce(0) { $0 + $1 * $1 }
    for _ in 0..<Self.sweeps {
      var beside = 0.0
      for i in 0..<n { for j in i + 1..<max(n, i + 1) { beside += a[i * n + j] * a[i * n + j] } }
      if beside <= scale * 1e-30 { break }
      for p in 0..<n {
        for q in p + 1..<max(n, p + 1) { Self.rotate(p, q, &a, &v, n) }
      }
    }
    let order = (0..<n).sorted { a[$0 * n + $0] > a[$1 * n + $1] }
    values = order.map { a[$0 * n + $0] }
    vectors = order.flatMap { v[$0 * n..<($0 + 1) * n] }
  }

  /// Makes a[p, q] 0 by the smaller of the two angles that do.
  private static func rotate(_ p: Int, _ q: Int, _ a: inout [Double], _ v: inout [Double], _ n: Int)
  {
    let off = a[p * n + q]
    if off == 0 { return }
    let ratio = (a[q * n + q] - a[p * n + p]) / (2 * off)
    let tangent = (ratio < 0 ? -1 : 1) / (abs(ratio) + (ratio * ratio + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    for k in 0..<n {
      let (x, y) = (a[k * n + p], a[k * n + q])
      a[k * n + p] = cosine * x - sine * y
      a[k * n + q] = sine * x + cosine * y
    }
    for k in 0..<n {
      let (x, y) = (a[p * n + k], a[q * n + k])
      a[p * n + k] = cosine * x - sine * y
      a[q * n + k] = sine * x + cosine * y
      let (own, other) = (v[p * n + k], v[q * n + k])
      v[p * n + k] = cosine * own - sine * other
      v[q * n + k] = sine * own + cosine * other
    }
  }

  /// Of each value what `change` makes of it, back in the matrix's own axes: (n, n).
  package func matrix(_ change: (Double) -> Double) -> [Double] {
    let n = values.count
    var result = [Double](repeating: 0, count: n * n)
    for (index, value) in values.enumerated() {
      let scaled = change(value)
      for i in 0..<n {
        for j in 0..<n {
          result[i * n + j] += scaled * vectors[index * n + i] * vectors[index * n + j]
        }
      }
    }
    return result
  }
}
