import Statistics

/// Mean and covariance of points.
package struct PointMoments: Sendable {
  package let mean: [Double]
  /// (d, d), by the number of points less one.
  package let covariance: [Double]

  /// - Parameters:
  ///   - mean: (d).
  ///   - covariance: (d, d), symmetric.
  package init(mean: [Double], covariance: [Double]) {
    self.mean = mean
    self.covariance = covariance
  }

  /// Of those points of (N, d) that are named, as often as they are.
  package init(_ points: [Double], dimensions d: Int, of chosen: [Int]) {
    var mean = [Double](repeating: 0, count: d)
    for point in chosen { for i in 0..<d { mean[i] += points[point * d + i] } }
    for i in 0..<d { mean[i] /= Double(max(chosen.count, 1)) }
    var sums = [Double](repeating: 0, count: d * d)
    for point in chosen {
      for i in 0..<d {
        let own = points[point * d + i] - mean[i]
        for j in i..<d { sums[i * d + j] += own * (points[point * d + j] - mean[j]) }
      }
    }
    for i in 0..<d {
      for j in i..<d {
        sums[i * d + j] /= Double(max(chosen.count - 1, 1))
        sums[j * d + i] = sums[i * d + j]
      }
    }
    self.init(mean: mean, covariance: sums)
  }
}

/// ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½): the squared distance of two normal laws (Dowson & Landau 1982;
/// of pictures' features: Heusel et al. 2017, eq. 6).
///
/// (Σ₁ Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric.
package func frechetDistance(_ a: PointMoments, _ b: PointMoments) -> Double {
  let d = a.mean.count
  let root = SymmetricEigen(a.covariance, size: d).matrix { max($0, 0).squareRoot() }
  let middle = product(root, product(b.covariance, root, d), d)
  let common = SymmetricEigen(middle, size: d).values.reduce(0) { $0 + max($1, 0).squareRoot() }
  var result = -2 * common
  for i in 0..<d {
    let apart = a.mean[i] - b.mean[i]
    result += apart * apart + a.covariance[i * d + i] + b.covariance[i * d + i]
  }
  return result
}

/// Of two (n, n).
private func product(_ a: [Double], _ b: [Double], _ n: Int) -> [Double] {
  var result = [Double](repeating: 0, count: n * n)
  for i in 0..<n {
    for k in 0..<n {
      let own = a[i * n + k]
      for j in 0..<n { result[i * n + j] += own * b[k * n + j] }
    }
  }
  return result
}
