/// Features of N inputs, (N, D): a row an input.
package struct FeatureRows: Sendable, Hashable {
  /// D.
  package let dimension: Int
  /// (N, D).
  package private(set) var values: [Double]

  package init(dimension: Int, values: [Double] = []) {
    precondition(dimension > 0 && values.count % dimension == 0)
    self.dimension = dimension
    self.values = values
  }

  package init(_ rows: [[Double]], dimension: Int) {
    self.init(dimension: dimension, values: rows.flatMap { $0 })
  }

  package var count: Int { values.count / dimension }

  package subscript(row: Int) -> ArraySlice<Double> {
    values[row * dimension..<(row + 1) * dimension]
  }

  /// Some of the rows, as they stand.
  package func rows(_ range: Range<Int>) -> FeatureRows {
    FeatureRows(
      dimension: dimension,
      values: Array(values[range.lowerBound * dimension..<range.upperBound * dimension]))
  }

  package mutating func append(_ other: FeatureRows) { values += other.values }

  /// The means of so many rows after one another.
  package func averaged(over group: Int) -> FeatureRows {
    if group == 1 { return self }
    return FeatureRows(
      (0..<count / group).map { rows($0 * group..<($0 + 1) * group).mean() }, dimension: dimension)
  }

  /// Row by row.
  package static func - (a: FeatureRows, b: FeatureRows) -> FeatureRows {
    precondition(a.dimension == b.dimension && a.values.count == b.values.count)
    return FeatureRows(dimension: a.dimension, values: zip(a.values, b.values).map { $0 - $1 })
  }

  /// The mean of the rows, each as often as `weights` says; zeros without any.
  package func mean(_ weights: ArraySlice<Int>? = nil) -> [Double] {
    var sum = [Double](repeating: 0, count: dimension)
    var total = 0
    for row in 0..<count {
      let weight = weights.map { $0[$0.startIndex + row] } ?? 1
      if weight == 0 { continue }
      total += weight
      let (first, factor) = (row * dimension, Double(weight))
      for i in 0..<dimension { sum[i] += factor * values[first + i] }
    }
    if total > 0 { for i in 0..<dimension { sum[i] /= Double(total) } }
    return sum
  }

  /// The variance of the mean, summed over features: what chance adds to its squared length.
  package var meanVariance: Double {
    if count < 2 { return 0 }
    let mean = mean()
    var sum = 0.0
    for row in 0..<count {
      for i in 0..<dimension {
        let distance = values[row * dimension + i] - mean[i]
        sum += distance * distance
      }
    }
    return sum / Double(count * (count - 1))
  }
}

func product(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      var sum = 0.0
      for i in 0..<min(a.count, b.count) { sum += a[i] * b[i] }
      return sum
    }
  }
}

func product(_ a: [Double], _ b: [Double]) -> Double { product(a[...], b[...]) }
