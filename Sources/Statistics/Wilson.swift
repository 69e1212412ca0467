/// The two-sided 97.5 % point of the normal distribution.
let normalPoint = 1.959963984540054

/// Wilson's score interval (Wilson 1927) for a share of independent trials; [0, 1] without any.
package func wilson(successes: Int, trials: Int) -> Interval {
  if trials == 0 { return Interval(value: 0, low: 0, high: 1, n: 0) }
  let n = Double(trials)
  let p = Double(successes) / n
  let z2 = normalPoint * normalPoint
  let middle = (p + z2 / (2 * n)) / (1 + z2 / n)
  let half = normalPoint / (1 + z2 / n) * (p * (1 - p) / n + z2 / (4 * n * n)).squareRoot()
  return Interval(value: p, low: max(0, middle - half), high: min(1, middle + half), n: trials)
}
