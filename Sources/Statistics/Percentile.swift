/// Linear between order statistics, as NumPy's default: the one rule by which percentiles are read.
///
/// - Parameters:
///   - sorted: in rising order.
///   - fraction: 0 … 1.
/// - Returns: NaN for no values.
package func percentile(_ sorted: [Double], _ fraction: Double) -> Double {
  guard let last = sorted.indices.last else { return .nan }
  let place = fraction * Double(last)
  let below = Int(place)
  let above = min(below + 1, last)
  return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
}
