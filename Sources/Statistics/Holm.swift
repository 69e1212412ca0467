/// Holm's step-down adjustment (Holm 1979), in the order given.
package func holm(_ p: [Double]) -> [Double] {
  let order = p.indices.sorted { p[$0] < p[$1] }
  var adjusted = p
  var largest = 0.0
  for (rank, index) in order.enumerated() {
    largest = max(largest, min(1, p[index] * Double(p.count - rank)))
    adjusted[index] = largest
  }
  return adjusted
}
