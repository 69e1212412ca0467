import Foundation
import Statistics
import Testing

@Suite("Intervals and tests")
struct IntervalTests {
  /// scipy.stats.binomtest(k, n).proportion_ci(method='wilson').
  @Test(
    "Wilson's interval has the published values",
    arguments: [
      (24, 24, 0.862024, 1.0), (0, 10, 0, 0.277533), (8, 10, 0.490162, 0.943318),
      (50, 100, 0.403832, 0.596168),
    ])
  func wilsonValues(successes: Int, trials: Int, low: Double, high: Double) {
    let interval = wilson(successes: successes, trials: trials)
    #expect(abs(interval.low - low) < 1e-5)
    #expect(abs(interval.high - high) < 1e-5)
    #expect(interval.n == trials)
  }

  @Test("Wilson's interval without trials says nothing")
  func wilsonEmpty() {
    let interval = wilson(successes: 0, trials: 0)
    #expect((interval.low, interval.high) == (0, 1))
  }

  /// The mean of 200 values of known spread: the interval is close to ± 1.96 standard errors.
  @Test("the bootstrap interval of a mean is the normal one")
  func bootstrapMean() {
    let values = (0..<200).map { sin(Double($0) * 12.9898) * 3 }
    let mean = values.reduce(0, +) / 200
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 199
    let error = (variance / 200).squareRoot()
    let interval = Bootstrap(seed: 1, resamples: 4000).interval(
      strata: [0..<200], count: 200, n: 200
    ) { weights in zip(weights, values).reduce(0) { $0 + Double($1.0) * $1.1 } / 200 }
    #expect(abs(interval.value - mean) < 1e-12)
    #expect(abs(interval.low - (mean - 1.96 * error)) < 0.15 * error)
    #expect(abs(interval.high - (mean + 1.96 * error)) < 0.15 * error)
    #expect(!interval.isDegenerate)
  }

  @Test("equal layouts give a spread of exactly 0, and it is said")
  func degenerate() {
    let interval = Bootstrap(seed: 1).interval(strata: [0..<5], count: 5, n: 5) { _ in 1 }
    #expect(interval.isDegenerate)
  }

  /// statsmodels.stats.multitest.multipletests(p, method='holm').
  @Test("Holm's adjustment has the published values")
  func holmValues() {
    let adjusted = holm([0.01, 0.04, 0.03, 0.005])
    for (a, b) in zip(adjusted, [0.03, 0.06, 0.06, 0.02]) { #expect(abs(a - b) < 1e-12) }
    #expect(holm([]) == [])
    #expect(holm([0.9, 0.8]) == [1, 1])
  }

  /// numpy.percentile([1, 2, 4, 8], q).
  @Test(
    "percentiles are NumPy's default",
    arguments: [(0, 1.0), (0.025, 1.075), (0.5, 3), (0.75, 5), (0.975, 7.7), (1, 8)])
  func percentiles(fraction: Double, value: Double) {
    #expect(abs(percentile([1, 2, 4, 8], fraction) - value) < 1e-12)
    #expect(percentile([], fraction).isNaN)
  }

  @Test("Student's quantile against published values")
  func student() {
    for (degrees, value) in [
      (1.0, 12.7062), (2, 4.30265), (10, 2.22814), (11, 2.20099), (15, 2.13145), (29, 2.04523),
      (60, 2.00030), (1000, 1.96234),
    ] {
      #expect(abs(studentQuantile(degrees: degrees) - value) < 2e-5, "\(degrees)")
    }
  }

  @Test("Student's p at published quantiles, and of no difference")
  func studentTwoSided() {
    for (t, degrees, p) in [
      (12.7062, 1.0, 0.05), (4.30265, 2, 0.05), (3.18245, 3, 0.05), (2.22814, 10, 0.05),
      (63.6567, 1, 0.01), (5.84091, 3, 0.01), (4.60409, 4, 0.01), (2.75639, 29, 0.01),
    ] {
      #expect(abs(studentP(t: t, degrees: degrees) - p) < 1e-5, "\(t), \(degrees)")
      #expect(studentP(t: -t, degrees: degrees) == studentP(t: t, degrees: degrees))
    }
    #expect(studentP(t: 0, degrees: 4) == 1)
    // Of degrees that are not whole, by SciPy 1's t.sf.
    #expect(abs(studentP(t: 2.5, degrees: 4.6) - 0.05872220367335577) < 1e-9)
    #expect(abs(studentP(t: 6.5, degrees: 17.3) - 4.997239633661219e-06) < 1e-12)
    #expect(studentP(t: 3, degrees: 0) == 1)
  }
}
