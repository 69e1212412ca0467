import Foundation
import Statistics
import Streams
import Testing

@Suite("Equivalence")
struct EquivalenceTests {
  @Test("is that the 90 % interval lies within the bounds", arguments: [-0.04, 0.0, 0.02, 0.049])
  func interval(mean: Double) {
    // The error at which the nearer end of the 90 % interval meets the bound.
    let error = (0.05 - abs(mean)) / 1.644854
    let p = equivalenceP(mean: mean, error: error, degrees: nil, bound: 0.05)
    #expect(abs(p - 0.05) < 1e-5)
    // Student's 0.95 quantile of 4 degrees of freedom.
    let wider = equivalenceP(
      mean: mean, error: (0.05 - abs(mean)) / 2.131847, degrees: 4, bound: 0.05)
    #expect(abs(wider - 0.05) < 1e-5)
  }

  @Test("a mean beyond the bound is not equivalent, however sure")
  func beyond() {
    #expect(equivalenceP(mean: 0.06, error: 0.001, degrees: nil, bound: 0.05) > 0.999)
    #expect(equivalenceP(mean: 0.06, error: 0, degrees: nil, bound: 0.05) == 1)
    #expect(equivalenceP(mean: 0, error: 0, degrees: nil, bound: 0.05) == 0)
  }

  @Test("of a true difference at the bound at most 1 in 20 is taken for equivalent")
  func size() {
    var stream = RandomStream(seed: 2, purpose: .test, index: 0)
    let trials = 2000
    var taken = 0
    for _ in 0..<trials {
      let values = (0..<5).map { _ in 0.05 + 0.02 * Double(stream.gaussian()) }
      let mean = values.reduce(0, +) / 5
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4
      if equivalenceP(
        mean: mean, error: (variance / 5).squareRoot(), degrees: 4, bound: 0.05) < 0.05
      {
        taken += 1
      }
    }
    #expect(taken <= trials * 6 / 100, "\(taken) of \(trials)")
    #expect(taken >= trials * 3 / 100, "\(taken) of \(trials)")
  }
}
