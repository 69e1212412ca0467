import Foundation

/// The 0.975 quantile of Student's t, by which a mean ± t · s / √n is a 95 % interval.
///
/// Exact to five digits: from the table up to 10 degrees of freedom, beyond by Fisher's expansion about
/// the normal quantile (Abramowitz & Stegun 26.7.5).
package func studentQuantile(degrees: Int) -> Double {
  let table = [
    12.70620, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.30600, 2.26216, 2.22814,
  ]
  if degrees < 1 { return .infinity }
  if degrees <= table.count { return table[degrees - 1] }
  let z = normalPoint
  let z2 = z * z
  let inverse = 1 / Double(degrees)
  let g1 = z * (z2 + 1) / 4
  let g2 = z * ((5 * z2 + 16) * z2 + 3) / 96
  let g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384
  let g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160
  return z + inverse * (g1 + inverse * (g2 + inverse * (g3 + inverse * g4)))
}

/// The two-sided p of Student's t (Abramowitz & Stegun 26.7.3 and 26.7.4): finite sums, exact.
package func studentP(t: Double, degrees: Int) -> Double {
  if degrees < 1 || t.isNaN { return 1 }
  let angle = atan2(t.magnitude, Double(degrees).squareRoot())
  let (sine, cosine) = (sin(angle), cos(angle))
  var term = degrees % 2 == 0 ? 1 : cosine
  var sum = degrees == 1 ? 0 : term
  var k = degrees % 2 == 0 ? 2 : 3
  while k < degrees {
    term *= Double(k - 1) / Double(k) * cosine * cosine
    sum += term
    k += 2
  }
  let inside = degrees % 2 == 0 ? sine * sum : 2 / Double.pi * (angle + sine * sum)
  return max(0, 1 - inside)
}
