import Statistics
import Streams

/// A subspace of features for every word, each with an orthonormal basis.
package struct WordSubspaces: Sendable, Hashable {
  /// D.
  package let dimension: Int
  /// Of each word, (r, D): unit vectors at right angles. Fewer than were asked for where a word changes no
  /// more than those.
  package let bases: [FeatureRows]

  package init(dimension: Int, bases: [FeatureRows]) {
    self.dimension = dimension
    self.bases = bases
  }

  /// Those that some vectors of each word span.
  package init(dimension: Int, spanning vectors: [[[Double]]]) {
    self.init(
      dimension: dimension,
      bases: vectors.map { FeatureRows(orthonormal($0), dimension: dimension) })
  }

  /// What is left of a direction's squared length is rounding.
  private static let least = 1e-20

  /// The r directions along which a word changes most: eigenvectors of Σ_n v_n v_nᵀ, not about their mean,
  /// which is what a word changes always.
  ///
  /// - Parameter changes: of each word, (N, D): z with it minus z without it, at the same inputs.
  package init(changes: [FeatureRows], rank: Int) throws(FeatureError) {
    guard let dimension = changes.first?.dimension else { throw .words(0) }
    guard (1...dimension).contains(rank) else { throw .rank(found: rank, most: dimension) }
    for rows in changes where rows.count < 1 { throw .draws(found: rows.count, needed: 1) }
    self.dimension = dimension
    bases = changes.map { Self.principal($0, rank) }
  }

  private static func principal(_ rows: FeatureRows, _ rank: Int) -> FeatureRows {
    let (n, d) = (rows.count, rows.dimension)
    // The smaller of VᵀV and VVᵀ: both have the same directions.
    let byRows = n < d
    let size = byRows ? n : d
    var gram = [Double](repeating: 0, count: size * size)
    if byRows {
      for a in 0..<n {
        for b in a..<n { gram[a * n + b] = product(rows[a], rows[b]) }
      }
    } else {
      for row in 0..<n {
        for i in 0..<d {
          let value = rows.values[row * d + i]
          if value == 0 { continue }
          for j in i..<d { gram[i * d + j] += value * rows.values[row * d + j] }
        }
      }
    }
    let eigen = SymmetricEigen(gram, size: size)
    var basis: [[Double]] = []
    for place in 0..<min(rank, size) {
      let value = eigen.values[place]
      if value <= least * max(eigen.values[0], 0) || value <= 0 { break }
      let vector = eigen.vectors[place * size..<(place + 1) * size]
      basis.append(byRows ? Self.combine(rows, Array(vector)) : Array(vector))
    }
    return FeatureRows(orthonormal(basis), dimension: d)
  }

  /// Σ_n a_n v_n.
  private static func combine(_ rows: FeatureRows, _ factors: [Double]) -> [Double] {
    var sum = [Double](repeating: 0, count: rows.dimension)
    for (row, factor) in factors.enumerated() {
      for (i, value) in rows[row].enumerated() { sum[i] += factor * value }
    }
    return sum
  }

  /// Of so many dimensions for each word at random, uniform over all in the whole space, or in the span of
  /// some.
  package static func random(
    like other: WordSubspaces, within span: FeatureRows? = nil, seed: UInt64, index: UInt64
  ) -> WordSubspaces {
    var stream = RandomStream(seed: seed, purpose: .randomSubspaces, index: index)
    let bases = other.bases.map { basis in
      let rows = (0..<basis.count).map { _ -> [Double] in
        guard let span else {
          return (0..<other.dimension).map { _ in Double(stream.gaussian()) }
        }
        return combine(span, (0..<span.count).map { _ in Double(stream.gaussian()) })
      }
      return FeatureRows(orthonormal(rows), dimension: other.dimension)
    }
    return WordSubspaces(dimension: other.dimension, bases: bases)
  }

  /// An orthonormal basis of what all words' subspaces span together.
  package var span: FeatureRows {
    FeatureRows(
      orthonormal(bases.flatMap { basis in (0..<basis.count).map { Array(basis[$0]) } }),
      dimension: dimension)
  }

  /// ‖P_k v‖².
  package func square(_ v: ArraySlice<Double>, word: Int) -> Double {
    let basis = bases[word]
    return (0..<basis.count).reduce(0) { sum, row in
      let part = product(basis[row], v)
      return sum + part * part
    }
  }

  /// P_k v.
  package func projected(_ v: ArraySlice<Double>, word: Int) -> [Double] {
    let basis = bases[word]
    var result = [Double](repeating: 0, count: dimension)
    for row in 0..<basis.count {
      let part = product(basis[row], v)
      for (i, value) in basis[row].enumerated() { result[i] += part * value }
    }
    return result
  }

  /// ‖P_i P_j‖² over the smaller of both dimensions: 1 where one holds the other, 0 at right angles.
  package func overlap(_ word: Int, _ other: WordSubspaces, _ otherWord: Int) -> Double {
    let (a, b) = (bases[word], other.bases[otherWord])
    let smaller = min(a.count, b.count)
    if smaller == 0 { return 0 }
    return (0..<a.count).reduce(0) { $0 + other.square(a[$1], word: otherWord) } / Double(smaller)
  }
}

/// Gram and Schmidt, twice: once leaves what rounding of a nearly dependent row brings in. Dependent rows go.
func orthonormal(_ rows: [[Double]]) -> [[Double]] {
  var result: [[Double]] = []
  for row in rows {
    let length = product(row, row).squareRoot()
    if length == 0 { continue }
    var row = row.map { $0 / length }
    for _ in 0..<2 {
      for other in result {
        let part = product(row, other)
        for i in row.indices { row[i] -= part * other[i] }
      }
    }
    let left = product(row, row).squareRoot()
    if left > 1e-9 { result.append(row.map { $0 / left }) }
  }
  return result
}
