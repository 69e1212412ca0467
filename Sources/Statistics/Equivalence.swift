import Foundation

/// p of the two one-sided tests (Schuirmann 1987) that a mean lies within ± `bound`: the larger of both.
///
/// - Parameters:
///   - error: the mean's standard error; 0 of what does not vary.
///   - degrees: of Student's t; `nil` for the normal distribution.
package func equivalenceP(mean: Double, error: Double, degrees: Double?, bound: Double) -> Double {
  if error <= 0 { return abs(mean) < bound ? 0 : 1 }
  func tail(_ t: Double) -> Double {
    guard let degrees else { return erfc(t / 2.0.squareRoot()) / 2 }
    let half = studentP(t: t, degrees: degrees) / 2
    return t > 0 ? half : 1 - half
  }
  return max(tail((bound + mean) / error), tail((bound - mean) / error))
}
