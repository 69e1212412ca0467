import Foundation

/// The 0.975 quantile of Student's t, by which a mean ± t · s / √n is a 95 % interval.
///
/// - Parameter degrees: need not be whole (Satterthwaite's are not); below 1 the quantile is infinite.
package func studentQuantile(degrees: Double) -> Double {
  if !(degrees >= 1) { return .infinity }
  var (low, high) = (normalPoint, 13.0)
  for _ in 0..<60 {
    let middle = (low + high) / 2
    if studentP(t: middle, degrees: degrees) > 0.05 { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

/// The two-sided p of Student's t: I_x(ν/2, 1/2) at x = ν / (ν + t²) (Abramowitz & Stegun 26.7.1).
///
/// - Parameter degrees: ν, which need not be whole; below 1 p is 1.
package func studentP(t: Double, degrees: Double) -> Double {
  if !(degrees >= 1) || t.isNaN { return 1 }
  let x = degrees / (degrees + t * t)
  return min(1, incompleteBeta(x, degrees / 2, 0.5))
}

/// The regularised incomplete beta function I_x(a, b), by the continued fraction of Abramowitz & Stegun 26.5.8,
/// on that side of (a + 1) / (a + b + 2) where it converges fast.
private func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  if x <= 0 { return 0 }
  if x >= 1 { return 1 }
  if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
  let scale = lgamma(a + b) - lgamma(a) - lgamma(b)
  let front = exp(scale + a * log(x) + b * log(1 - x))
  // Lentz's method (Thompson & Barnett 1986).
  let tiny = 1e-300
  func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
  var c = 1.0
  var d = 1 / away(1 - (a + b) * x / (a + 1))
  var fraction = d
  for step in 1...500 {
    let m = Double(step)
    let end = a + 2 * m
    let even = m * (b - m) * x / ((end - 1) * end)
    let odd = -(a + m) * (a + b + m) * x / (end * (end + 1))
    for term in [even, odd] {
      d = 1 / away(1 + term * d)
      c = away(1 + term / c)
      fraction *= c * d
    }
    if abs(c * d - 1) < 1e-15 { break }
  }
  return front * fraction / a
}
