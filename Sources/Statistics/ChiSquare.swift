import Foundation

/// Pearson's test of counts against probabilities.
package struct ChiSquareTest: Sendable, Hashable {
  package let statistic: Double
  package let degreesOfFreedom: Int
  /// The probability of a statistic at least as large, were the probabilities right; 1 when there is
  /// only one class.
  package let p: Double

  /// - Parameters:
  ///   - counts: observations of each class.
  ///   - probabilities: of each class, summing to 1. Classes that expect fewer than 5 observations
  ///     are taken together; an observation where nothing is expected makes p = 0.
  package init(counts: [Int], probabilities: [Double]) {
    let total = Double(counts.reduce(0, +))
    var classes: [(observed: Double, expected: Double)] = []
    var rest = (observed: 0.0, expected: 0.0)
    for (count, probability) in zip(counts, probabilities) {
      let expected = total * probability
      if expected >= 5 {
        classes.append((Double(count), expected))
      } else {
        rest.observed += Double(count)
        rest.expected += expected
      }
    }
    if rest.expected > 0 || rest.observed > 0 { classes.append(rest) }
    statistic = classes.reduce(0) { sum, one in
      let difference = one.observed - one.expected
      return difference == 0 ? sum : sum + difference * difference / one.expected
    }
    degreesOfFreedom = max(0, classes.count - 1)
    if degreesOfFreedom == 0 {
      p = statistic > 0 ? 0 : 1
    } else {
      p = upperGamma(Double(degreesOfFreedom) / 2, statistic / 2)
    }
  }
}

/// The regularised upper incomplete gamma function Q(a, x): the series of P below a + 1, Lentz's
/// continued fraction above (Abramowitz and Stegun 6.5.29 and 6.5.31).
package func upperGamma(_ a: Double, _ x: Double) -> Double {
  if x <= 0 { return 1 }
  if !x.isFinite { return 0 }
  let front = exp(-x + a * log(x) - logGamma(a))
  if x < a + 1 {
    var term = 1 / a
    var sum = term
    var n = a
    while abs(term) > abs(sum) * 1e-16 {
      n += 1
      term *= x / n
      sum += term
    }
    return 1 - sum * front
  }
  var b = x + 1 - a
  var c = 1e300
  var d = 1 / b
  var h = d
  for i in 1...10_000 {
    let an = -Double(i) * (Double(i) - a)
    b += 2
    d = 1 / nonzero(an * d + b)
    c = nonzero(b + an / c)
    let change = d * c
    h *= change
    if abs(change - 1) < 1e-15 { break }
  }
  return front * h
}

private func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }

/// `Foundation.lgamma` gives the sign beside the value on Linux alone.
private func logGamma(_ a: Double) -> Double {
  // Stirling's series from 10 up, by recurrence below (Abramowitz and Stegun 6.1.41).
  var shift = 0.0
  var z = a
  while z < 10 {
    shift += log(z)
    z += 1
  }
  let inverse = 1 / z
  let square = inverse * inverse
  let series =
    inverse * (1 / 12.0 - square * (1 / 360.0 - square * (1 / 1260.0 - square / 1680)))
  return (z - 0.5) * log(z) - z + 0.5 * log(2 * Double.pi) + series - shift
}
