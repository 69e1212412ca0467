import Foundation
import Streams
import Testing

@testable import Theory

@Suite("Exact densities, scores and Jacobians")
struct MixtureTests {
  static func settings(
    _ cells: Int, _ patterns: [[Double]] = [[1, -0.5], [-0.4, 0.9]], bound: Int = 2
  ) -> WorldSettings {
    WorldSettings(rows: 1, columns: cells, patterns: patterns, bound: bound)
  }

  static func points(_ count: Int, dimension: Int, spread: Double) -> [[Double]] {
    (0..<count).map { n in
      var stream = RandomStream(seed: 7, purpose: .test, index: UInt64(n))
      return (0..<dimension).map { _ in spread * Double(stream.gaussian()) }
    }
  }

  @Test("two cells with exactly one object agree with the closed forms, worked out by hand")
  func twoCells() throws {
    // Exactly one object: x₀ is (1, 0) or (0, 1), each with ½. By hand, with
    // w = 1/(1 + exp((x₂ − x₁)/σ²)): density ½N(x; (1,0)) + ½N(x; (0,1)),
    // score ((w − x₁)/σ², (1 − w − x₂)/σ²), ∂score₁/∂x₂ = −w(1 − w)/σ⁴, ∂score₁/∂x₁ = w(1 − w)/σ⁴ − 1/σ².
    let world = try CellWorld(.fixedCount, Self.settings(2, [[1]], bound: 1), coupling: 1)
    let empty = try #require(world.index(of: .none))
    #expect(world.pictures[empty].map(\.probability) == [0.5, 0.5])
    for sigma in [0.3, 1, 4] {
      let mixture = try NoisedWorld(world, sigma: sigma).mixtures[empty]
      var point = MixturePoint()
      for x in [[0.2, 0.7], [-1, 0.4], [3, -2]] {
        mixture.evaluate(x, jacobian: true, into: &point)
        let v = sigma * sigma
        func normal(_ a: Double, _ b: Double) -> Double {
          exp(-((x[0] - a) * (x[0] - a) + (x[1] - b) * (x[1] - b)) / (2 * v)) / (2 * .pi * v)
        }
        let w = 1 / (1 + exp((x[1] - x[0]) / v))
        let slope = w * (1 - w) / (v * v)
        #expect(abs(point.logDensity - log(0.5 * normal(1, 0) + 0.5 * normal(0, 1))) < 1e-12)
        #expect(abs(point.score[0] - (w - x[0]) / v) < 1e-11)
        #expect(abs(point.score[1] - (1 - w - x[1]) / v) < 1e-11)
        for (value, expected) in zip(
          point.jacobian, [slope - 1 / v, -slope, -slope, slope - 1 / v])
        {
          #expect(abs(value - expected) < 1e-10)
        }
      }
    }
  }

  @Test("a label leaves one object in its cell: the score under it by hand")
  func labelled() throws {
    // Independent cells: given a label at cell 1, x₁ ~ N(1, σ²) and x₂ is the mixture .6/.4.
    let world = try CellWorld(.boundedCount, Self.settings(2, [[1]]), coupling: 0)
    let first = try #require(world.index(of: Labels([0])))
    let mixture = try NoisedWorld(world, sigma: 0.8).mixtures[first]
    var point = MixturePoint()
    mixture.evaluate([0.1, 0.6], jacobian: true, into: &point)
    let v = 0.64
    let w = 0.4 * exp(-0.16 / (2 * v)) / (0.4 * exp(-0.16 / (2 * v)) + 0.6 * exp(-0.36 / (2 * v)))
    #expect(abs(point.score[0] - (1 - 0.1) / v) < 1e-12)
    #expect(abs(point.score[1] - (w - 0.6) / v) < 1e-12)
    #expect(abs(point.jacobian[1]) < 1e-14)
  }

  @Test(
    "scores and Jacobians agree with finite differences to 1e-6", arguments: WorldFamily.allCases)
  func finiteDifferences(family: WorldFamily) throws {
    let world = try CellWorld(family, Self.settings(3), coupling: 0.6)
    let a = Matrix.general(world.dimension, seed: 3)
    let views = try [
      View.plain, View(features: a, looking: .features, noised: .pixels),
      View(features: a, looking: .pixels, noised: .features),
      View(features: a, looking: .pixels, noised: .pixels),
    ]
    for view in views {
      let noised = try NoisedWorld(world, view: view, sigma: 0.7)
      for mixture in noised.mixtures + [try noised.marginal(0, cells: [0, 2])] {
        for x in Self.points(2, dimension: mixture.dimension, spread: 1) {
          Self.compare(mixture, x)
        }
      }
    }
  }

  static func compare(_ mixture: GaussianMixture, _ x: [Double]) {
    let h = 1e-4
    var point = MixturePoint()
    var forward = MixturePoint()
    var backward = MixturePoint()
    mixture.evaluate(x, jacobian: true, into: &point)
    for j in x.indices {
      /// At x + shift·e_j.
      func at(_ shift: Double, _ result: inout MixturePoint) {
        var moved = x
        moved[j] += shift
        mixture.evaluate(moved, into: &result)
      }
      // Richardson: the error of central differences is O(h²), of this O(h⁴).
      var near: [Double] = []
      var far: [Double] = []
      for (step, keep) in [(h, 0), (2 * h, 1)] {
        at(step, &forward)
        at(-step, &backward)
        let slopes =
          [(forward.logDensity - backward.logDensity) / (2 * step)]
          + zip(forward.score, backward.score).map { ($0 - $1) / (2 * step) }
        if keep == 0 { near = slopes } else { far = slopes }
      }
      let slopes = zip(near, far).map { (4 * $0 - $1) / 3 }
      #expect(abs(slopes[0] - point.score[j]) <= 1e-6 * max(1, abs(point.score[j])))
      for i in x.indices {
        let exact = point.jacobian[i * x.count + j]
        #expect(abs(slopes[1 + i] - exact) <= 1e-6 * max(1, abs(exact)))
      }
    }
  }

  @Test("a marginal is the density with the other cells integrated out")
  func marginal() throws {
    let world = try CellWorld(.exclusion, Self.settings(2, [[1]]), coupling: 0.9)
    let a = Matrix.general(2, seed: 5)
    for view in [View.plain, try View(features: a, looking: .features, noised: .pixels)] {
      let noised = try NoisedWorld(world, view: view, sigma: 0.5)
      let marginal = try noised.marginal(0, cells: [1])
      var point = MixturePoint()
      var sum = 0.0
      let step = 0.02
      for k in -1000...1000 {
        noised.mixtures[0].evaluate([Double(k) * step, 0.3], into: &point)
        sum += exp(point.logDensity) * step
      }
      marginal.evaluate([0.3], into: &point)
      #expect(abs(sum - exp(point.logDensity)) < 1e-12)
    }
  }

  @Test("densities far from every picture neither overflow nor vanish")
  func logSumExp() throws {
    let world = try CellWorld(.fixedCount, Self.settings(3), coupling: 1)
    let noised = try NoisedWorld(world, sigma: 0.01)
    var point = MixturePoint()
    noised.mixtures[0].evaluate([Double](repeating: 40, count: 6), jacobian: true, into: &point)
    #expect(point.logDensity.isFinite && point.logDensity < -1e7)
    #expect(point.score.allSatisfy(\.isFinite) && point.jacobian.allSatisfy(\.isFinite))
  }
}
