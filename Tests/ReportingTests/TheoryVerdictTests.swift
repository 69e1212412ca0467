import Measures
import Testing

@testable import Reporting

@Suite("The verdict on the theorem follows from the rows")
struct TheoryVerdictTests {
  /// A world with one coupling that is CPC, and one that is not, at two noise levels.
  static func world(
    _ change: (inout [TheoryWorld.Key: Estimate]) -> Void = { _ in }
  ) -> TheoryWorld {
    var values: [TheoryWorld.Key: Estimate] = [:]
    for windows in Measure.Windows.allCases {
      for coupling in [0.0, 1] {
        values[key(.theoryKL(windows), coupling, 0)] = Estimate(value: coupling * 0.3)
        for sigma in [0.1, 1] {
          for violation in Violation.allCases {
            values[key(violation.measure(windows), coupling, sigma)] =
              coupling == 0
              ? Estimate(value: 1e-30, low: -1e-14, high: 1e-14)
              : Estimate(value: 0.2, low: 0.1, high: 0.3)
          }
        }
      }
    }
    change(&values)
    return TheoryWorld(
      name: "line[family=exclusion]", family: "exclusion", transform: "none", isControl: false,
      values: values)
  }

  static func key(_ measure: Measure, _ coupling: Double, _ sigma: Double) -> TheoryWorld.Key {
    TheoryWorld.Key(measure: measure, coupling: coupling, sigma: sigma)
  }

  static func sentence(_ world: TheoryWorld) -> String {
    TheoryVerdict(checks: TheoremCheck.all([world])).sentence
  }

  static let withinError = Estimate(value: 1e-20, low: -1e-14, high: 1e-14)

  @Test("violations that vanish together and exceed their errors together are shown")
  func shown() {
    #expect(Self.sentence(Self.world()).hasPrefix("**Shown:**"))
    #expect(Self.sentence(Self.world()).contains("None is undecided"))
  }

  @Test("a theorem that fails is reported: CPC holds and a score is not local")
  func notLocal() {
    let world = Self.world {
      $0[Self.key(.theoryPixel(.cells), 0, 1)] = Estimate(value: 1e-3, low: 5e-4, high: 2e-3)
    }
    #expect(Self.sentence(world).hasPrefix("**Contradicted:**"))
  }

  @Test("a theorem that fails is reported: the composed density is off where scores are local")
  func notComposed() {
    let world = Self.world {
      $0[Self.key(.theoryKL(.block), 0, 1)] = Estimate(value: 1e-6, low: 5e-7, high: 2e-6)
    }
    #expect(Self.sentence(world).hasPrefix("**Contradicted:**"))
  }

  @Test("a theorem that fails is reported: CPC fails and scores are local at every noise level")
  func localEverywhere() {
    let world = Self.world { values in
      for sigma in [0.1, 1] {
        for violation in [Violation.pixel, .label] {
          values[Self.key(violation.measure(.block), 1, sigma)] = Self.withinError
        }
      }
    }
    #expect(Self.sentence(world).hasPrefix("**Contradicted:**"))
  }

  @Test("within its error at one noise level is undecided, and violations in labels alone count")
  func undecided() {
    let world = Self.world { values in
      for violation in [Violation.pixel, .label] {
        values[Self.key(violation.measure(.block), 1, 0.1)] = Self.withinError
      }
      values[Self.key(.theoryPixel(.block), 1, 1)] = Self.withinError
    }
    let text = Self.sentence(world)
    #expect(text.hasPrefix("**Shown:**") && text.contains("1 are undecided"))
  }

  @Test("errors too wide for any decision show nothing")
  func notShown() {
    let world = Self.world { values in
      for key in values.keys where key.sigma != 0 {
        values[key] = Estimate(value: 0.1, low: -1, high: 1)
      }
    }
    #expect(!Self.sentence(world).hasPrefix("**Shown:**"))
    #expect(TheoryVerdict(checks: []).sentence.hasPrefix("**Not shown:**"))
  }
}
