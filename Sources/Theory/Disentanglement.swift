/// The test of disentangled concepts: with d_j = E[z ∣ c_j] − E[z ∣ ∅], projective composition makes
/// d_i · d_j = 0 for i ≠ j, because d_j is zero outside M_j (Bradley et al. 2025, arXiv 2502.04549).
/// It is necessary, not sufficient: it only looks at means of single labels.
package struct Disentanglement: Sendable, Hashable {
  /// The largest |cos(d_i, d_j)| over i ≠ j; 0 with fewer than two labels.
  package let largestCosine: Double
  /// The largest share of ‖d_j‖² that lies outside the cell of label j.
  package let shareOutside: Double

  package init(_ noised: NoisedWorld) throws(TheoryError) {
    let world = noised.world
    guard let none = world.index(of: .none) else { throw .missingConditioner([]) }
    let reference = noised.mean(none)
    var directions: [[Double]] = []
    var outside = 0.0
    for cell in 0..<world.cells {
      guard let index = world.index(of: Labels([cell])) else { throw .missingConditioner([cell]) }
      let direction = zip(noised.mean(index), reference).map { $0 - $1 }
      let own = noised.coordinates(of: [cell]).reduce(0) { $0 + direction[$1] * direction[$1] }
      let all = Self.product(direction, direction)
      if all > 0 { outside = max(outside, max(0, 1 - own / all)) }
      directions.append(direction)
    }
    var largest = 0.0
    for i in directions.indices {
      for j in 0..<i {
        let norms =
          Self.product(directions[i], directions[i]) * Self.product(directions[j], directions[j])
        if norms > 0 {
          largest = max(
            largest, abs(Self.product(directions[i], directions[j])) / norms.squareRoot())
        }
      }
    }
    largestCosine = largest
    shareOutside = outside
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
