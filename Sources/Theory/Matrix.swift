import Foundation
import Streams

/// A small square matrix, rows first.
package struct Matrix: Sendable, Hashable {
  package let size: Int
  package var values: [Double]

  package init(size: Int, values: [Double]) {
    precondition(values.count == size * size)
    self.size = size
    self.values = values
  }

  package static func identity(_ size: Int) -> Matrix {
    var result = Matrix(size: size, values: [Double](repeating: 0, count: size * size))
    for i in 0..<size { result[i, i] = 1 }
    return result
  }

  package subscript(row: Int, column: Int) -> Double {
    get { values[row * size + column] }
    set { values[row * size + column] = newValue }
  }

  package static func * (a: Matrix, b: Matrix) -> Matrix {
    let n = a.size
    var result = Matrix(size: n, values: [Double](repeating: 0, count: n * n))
    for i in 0..<n {
      for j in 0..<n { result[i, j] = (0..<n).reduce(0) { $0 + a[i, $1] * b[$1, j] } }
    }
    return result
  }

  package static func * (a: Matrix, x: [Double]) -> [Double] {
    (0..<a.size).map { i in (0..<a.size).reduce(0) { $0 + a[i, $1] * x[$1] } }
  }

  package var transposed: Matrix {
    var result = self
    for i in 0..<size { for j in 0..<size { result[i, j] = self[j, i] } }
    return result
  }

  /// The rows and columns named.
  func block(_ kept: [Int]) -> Matrix {
    Matrix(size: kept.count, values: kept.flatMap { i in kept.map { self[i, $0] } })
  }

  /// The lower triangular L with L Lᵀ = this, which must be symmetric and positive definite.
  func cholesky() throws(TheoryError) -> Matrix {
    var lower = Matrix(size: size, values: [Double](repeating: 0, count: size * size))
    for i in 0..<size {
      for j in 0...i {
        let sum = (0..<j).reduce(self[i, j]) { $0 - lower[i, $1] * lower[j, $1] }
        if i == j {
          guard sum > 0 else { throw .notInvertible }
          lower[i, i] = sum.squareRoot()
        } else {
          lower[i, j] = sum / lower[j, j]
        }
      }
    }
    return lower
  }

  /// Gauss–Jordan elimination with the largest pivot of each column.
  package func inverse() throws(TheoryError) -> Matrix {
    var a = self
    var result = Matrix.identity(size)
    for column in 0..<size {
      var pivot = column
      for row in column..<size where abs(a[row, column]) > abs(a[pivot, column]) { pivot = row }
      guard abs(a[pivot, column]) > 1e-12 else { throw .notInvertible }
      for j in 0..<size {
        (a[column, j], a[pivot, j]) = (a[pivot, j], a[column, j])
        (result[column, j], result[pivot, j]) = (result[pivot, j], result[column, j])
      }
      let scale = 1 / a[column, column]
      for j in 0..<size {
        a[column, j] *= scale
        result[column, j] *= scale
      }
      for row in 0..<size where row != column {
        let factor = a[row, column]
        if factor == 0 { continue }
        for j in 0..<size {
          a[row, j] -= factor * a[column, j]
          result[row, j] -= factor * result[column, j]
        }
      }
    }
    return result
  }

  /// A random rotation or reflection: Gram and Schmidt on normal columns, which is uniform over
  /// the orthogonal matrices.
  package static func orthogonal(_ size: Int, seed: UInt64, index: UInt64 = 0) -> Matrix {
    var stream = RandomStream(seed: seed, purpose: .featureMap, index: index)
    var rows: [[Double]] = []
    while rows.count < size {
      var row = (0..<size).map { _ in Double(stream.gaussian()) }
      // Twice: once leaves what rounding of a nearly dependent row brings in.
      for _ in 0..<2 {
        for other in rows {
          let product = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
          for i in row.indices { row[i] -= product * other[i] }
        }
      }
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 1e-3 { rows.append(row.map { $0 / norm }) }
    }
    return Matrix(size: size, values: rows.flatMap { $0 })
  }

  /// An invertible matrix that is not orthogonal: two random rotations about a stretching whose
  /// factors run geometrically from 1/2 to 2.
  package static func general(_ size: Int, seed: UInt64) -> Matrix {
    var stretch = identity(size)
    for i in 0..<size {
      stretch[i, i] = exp2(2 * Double(i) / Double(max(size - 1, 1)) - 1)
    }
    return orthogonal(size, seed: seed, index: 1) * stretch * orthogonal(size, seed: seed, index: 2)
  }
}
