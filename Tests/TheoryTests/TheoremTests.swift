import Foundation
import Testing

@testable import Theory

@Suite("CPC and LCS vanish together or neither does")
struct TheoremTests {
  static let line = WorldSettings(rows: 1, columns: 3, patterns: [[1, -0.5], [-0.4, 0.9]])
  static let pair = WorldSettings(rows: 1, columns: 2, patterns: [[1], [-1]], bound: 1)

  static func measure(
    _ world: CellWorld, sigma: Double, view: View = .plain, samples: Int = 400, threads: Int = 2
  ) throws -> Violations {
    try measureViolations(
      try NoisedWorld(world, view: view, sigma: sigma), samples: samples, seed: 1, threads: threads)
  }

  @Test(
    "where CPC holds both are at most 1e-10 at every noise level",
    arguments: WorldFamily.allCases)
  func vanish(family: WorldFamily) throws {
    for coupling in family.isControl ? [0, 0.5, 1] : [0] {
      for settings in [Self.line, Self.pair] {
        let world = try CellWorld(family, settings, coupling: coupling)
        for sigma in [0.2, 1, 20] {
          let found = try Self.measure(world, sigma: sigma, samples: 40)
          // A background that is coupled within itself is no product over cells.
          let forms: [WindowForm] =
            family == .coveredBackground && coupling > 0 ? [.block] : [.block, .cells]
          for form in forms {
            #expect(abs(try world.enumeratedDivergence(form)) < 1e-12)
            for estimate in [found.divergence[form], found.pixel[form], found.label[form]] {
              let one = estimate
              #expect(one.high <= 1e-10, "\(form) \(coupling) \(sigma)")
              #expect(one.value <= one.rounding, "\(form) \(coupling) \(sigma)")
            }
          }
        }
      }
    }
  }

  @Test(
    "where it does not, both exceed their error",
    arguments: WorldFamily.allCases.filter { !$0.isControl })
  func exceed(family: WorldFamily) throws {
    for coupling in [0.1, 1] {
      for settings in [Self.line, Self.pair] {
        let world = try CellWorld(family, settings, coupling: coupling)
        for sigma in [0.5, 20] {
          let found = try Self.measure(world, sigma: sigma, samples: 200)
          for form in WindowForm.allCases {
            #expect(try world.enumeratedDivergence(form) > 1e-6)
            #expect(found.divergence[form].low > 0)
            let isLocal = [found.pixel[form], found.label[form]].allSatisfy { $0.low <= 0 }
            #expect(!isLocal, "\(form) \(coupling) \(sigma)")
          }
        }
      }
    }
  }

  @Test("a background coupled within itself is no violation of CPC, but one of cell-sized windows")
  func coveredBackground() throws {
    let world = try CellWorld(.coveredBackground, Self.line, coupling: 0.8)
    let found = try Self.measure(world, sigma: 0.6)
    #expect(found.divergence[.block].high <= 1e-10)
    #expect(found.divergence[.cells].low > 1e-4)
    #expect(found.pixel[.cells].low > 1e-4)
    #expect(found.label[.block].high <= 1e-10)
  }

  @Test("a false theorem is noticed: a composed density off by one part in a thousand is reported")
  func perturbed() throws {
    for settings in [Self.line, Self.pair] {
      let world = try CellWorld(.boundedCount, settings, coupling: 0)
      let noised = try NoisedWorld(world, sigma: 0.7)
      let clean = try measureViolations(noised, samples: 200, seed: 1)
      let perturbed = try measureViolations(
        noised, samples: 200, seed: 1,
        perturb: { composition, _ in
          var factors = composition.factors
          let mixture = factors[factors.count - 1].mixture
          if mixture.weights.count < 2 { return composition }
          var weights = mixture.weights
          weights[0] += 1e-3
          weights[1] -= 1e-3
          guard
            let other = try? GaussianMixture(
              means: mixture.plainMeans, weights: weights, sigma: mixture.sigma)
          else { return composition }
          factors[factors.count - 1].mixture = other
          return Composition(factors: factors)
        })
      for form in WindowForm.allCases {
        #expect(clean.divergence[form].high <= 1e-10)
        #expect(perturbed.divergence[form].low > 1e-8)
      }
      // LCS does not depend on what is composed: the theorem would now be contradicted.
      #expect(perturbed.pixel == clean.pixel && perturbed.label == clean.label)
    }
  }

  @Test("a quadrature and Monte Carlo agree on the same world")
  func quadrature() throws {
    let world = try CellWorld(.exclusion, Self.pair, coupling: 0.7)
    let noised = try NoisedWorld(world, sigma: 0.5)
    let measures = try world.conditioners.indices.map {
      try PointMeasure(noised, conditioner: $0) { composition, _ in composition }
    }
    let exact = integrate(measures, noised, threads: 2)
    let drawn = drawMoments(measures, samples: 20000, seed: 3, draw: 0, threads: 2)
    for (a, b) in zip(exact, drawn) {
      for i in a.values.indices {
        #expect(a.errors[i] <= 1e-6 * a.values[i] + 1e-14)
        #expect(abs(a.values[i] - b.values[i]) <= 4.5 * b.errors[i] + 1e-14)
      }
      for form in WindowForm.allCases {
        let (one, other) = (a.divergence[form], b.divergence[form])
        #expect(abs(one.value - other.value) <= 4.5 * other.error + 1e-14)
      }
    }
  }

  @Test("the violation of two cells agrees with an integral worked out by hand")
  func byHand() throws {
    // Exactly one object in two cells, no label: ∂score₁/∂x₂ = −w(1 − w)/σ⁴ and w depends on
    // t = x₁ − x₂ alone, which is N(±1, 2σ²).
    let world = try CellWorld(
      .fixedCount, WorldSettings(rows: 1, columns: 2, patterns: [[1]], bound: 1), coupling: 1)
    for sigma in [0.2, 0.7, 3] {
      let found = try Self.measure(world, sigma: sigma)
      let v = sigma * sigma
      var sum = 0.0
      let step = min(0.02 * sigma, 0.1 * v)
      for k in Int(-(1 + 14 * sigma) / step)...Int((1 + 14 * sigma) / step) {
        let t = Double(k) * step
        let w = 1 / (1 + exp(-t / v))
        let density =
          0.5 * (exp(-(t - 1) * (t - 1) / (4 * v)) + exp(-(t + 1) * (t + 1) / (4 * v)))
          / (4 * .pi * v).squareRoot()
        sum += density * pow(w * (1 - w), 2) / pow(v, 4) * step
      }
      // Only ∅, a third of the conditioners here, leaves the place open; two ordered pairs.
      let none = world.conditionerProbabilities[0]
      let estimate = found.pixel[.cells]
      #expect(abs(estimate.value - 2 * none * sum) <= estimate.error + 1e-9 * estimate.value)
      #expect(estimate.error <= 0.05 * estimate.value)
    }
  }

  @Test("the divergence is the integral of the score gap over noise: de Bruijn's identity")
  func deBruijn() throws {
    for family in [WorldFamily.fixedCount, .copiedColor] {
      let world = try CellWorld(family, Self.pair, coupling: 0.8)
      func at(_ sigma: Double) throws -> Violations { try Self.measure(world, sigma: sigma) }
      let (low, high, steps) = (0.5, 2.0, 32)
      // Simpson in log σ: d KL/d log σ = −σ² E‖gap‖².
      let width = log(high / low) / Double(steps)
      var sum = 0.0
      for k in 0...steps {
        let sigma = low * exp(Double(k) * width)
        let weight = k == 0 || k == steps ? 1.0 : k % 2 == 1 ? 4 : 2
        sum += weight * sigma * sigma * (try at(sigma).scoreGap.value) * width / 3
      }
      let drop =
        try at(low).divergence[.cells].value - at(high).divergence[.cells].value
      #expect(abs(sum - drop) < 1e-5 * drop)
    }
  }

  @Test("at high noise KL is ¼σ⁴·(pixel violation) + ½σ²·(label violation)")
  func highNoise() throws {
    // With patterns of one mean: ±1 would leave nothing in the means for a label to change.
    let world = try CellWorld(
      .fixedCount, WorldSettings(rows: 1, columns: 2, patterns: [[1], [0.5]], bound: 1),
      coupling: 0.5)
    let found = try Self.measure(world, sigma: 60)
    let pixel = found.pixel[.cells].value
    let label = found.label[.cells].value
    let predicted = 0.25 * pow(60, 4) * pixel + 0.5 * pow(60, 2) * label
    let divergence = found.divergence[.cells].value
    #expect(abs(divergence / predicted - 1) < 0.01)
  }

  @Test(
    "cells that are features of mixed pixels: local in z, not in x, under noise that is white in z")
  func features() throws {
    let settings = WorldSettings(rows: 1, columns: 3, patterns: [[1], [-0.6]])
    let world = try CellWorld(.noisyLabels, settings, coupling: 0.5)
    for (map, isOrthogonal) in [
      (Matrix.orthogonal(3, seed: 9), true), (Matrix.general(3, seed: 9), false),
    ] {
      for looking in View.Space.allCases {
        for noised in View.Space.allCases {
          let found = try Self.measure(
            world, sigma: 0.6, view: try View(features: map, looking: looking, noised: noised))
          let holds = looking == .features && (noised == .features || isOrthogonal)
          let (kl, pixel) = (found.divergence[.cells], found.pixel[.cells])
          if holds {
            #expect(kl.high <= 1e-10 && pixel.high <= 1e-10 && found.label[.cells].high <= 1e-10)
          } else {
            #expect(kl.low > 1e-3 && pixel.low > 1e-3)
          }
        }
      }
    }
  }

  @Test("the number of threads changes nothing")
  func threads() throws {
    for settings in [Self.line, Self.pair] {
      let world = try CellWorld(.exclusion, settings, coupling: 0.4)
      let one = try Self.measure(world, sigma: 0.6, samples: 600, threads: 1)
      let two = try Self.measure(world, sigma: 0.6, samples: 600, threads: 3)
      #expect(one.divergence == two.divergence && one.pixel == two.pixel && one.label == two.label)
    }
  }
}

@Suite("Symmetries of cell worlds")
struct SymmetryTests {
  /// A world with its cells, states or both renamed.
  static func renamed(_ world: CellWorld, cells: [Int], states: [Int]) throws -> CellWorld {
    var joint: [[Int]: [Labels: Double]] = [:]
    for (c, labels) in world.conditioners.enumerated() {
      let moved = Labels(labels.cells(of: world.cells).map { cells[$0] })
      for picture in world.pictures[c] {
        var place = picture.states
        for (cell, state) in picture.states.enumerated() { place[cells[cell]] = states[state] }
        joint[place, default: [:]][moved] =
          world.conditionerProbabilities[c] * picture.probability
      }
    }
    var renamed = world.states
    for (old, new) in states.enumerated() { renamed[new] = world.states[old] }
    return try CellWorld(cells: world.cells, states: renamed) { joint[$0]?[$1] ?? 0 }
  }

  /// An exact rule, so that only rounding may differ: two dimensions are integrated.
  static func expectEqual(_ a: Violations, _ b: Violations, tolerance: Double) {
    for form in WindowForm.allCases {
      for (one, other) in [
        (a.divergence[form], b.divergence[form]), (a.pixel[form], b.pixel[form]),
        (a.label[form], b.label[form]),
      ] {
        #expect(abs(one.value - other.value) <= tolerance * max(abs(one.value), 1e-12))
      }
    }
  }

  @Test("permuting cells leaves violations unchanged", arguments: WorldFamily.allCases)
  func permuted(family: WorldFamily) throws {
    let world = try CellWorld(family, TheoremTests.pair, coupling: 0.6)
    let swapped = try Self.renamed(world, cells: [1, 0], states: Array(world.states.indices))
    Self.expectEqual(
      try TheoremTests.measure(world, sigma: 0.5), try TheoremTests.measure(swapped, sigma: 0.5),
      tolerance: 1e-9)
  }

  @Test("relabelling patterns leaves violations unchanged", arguments: WorldFamily.allCases)
  func relabelled(family: WorldFamily) throws {
    let world = try CellWorld(family, TheoremTests.pair, coupling: 0.6)
    let reversed = try Self.renamed(
      world, cells: [0, 1], states: Array(world.states.indices.reversed()))
    Self.expectEqual(
      try TheoremTests.measure(world, sigma: 0.5), try TheoremTests.measure(reversed, sigma: 0.5),
      tolerance: 1e-9)
  }

  @Test("a longer line, its cells permuted: the exact values at a point move with the cells")
  func permutedLine() throws {
    let world = try CellWorld(.copiedColor, TheoremTests.line, coupling: 0.6)
    let order = [2, 0, 1]
    let moved = try Self.renamed(world, cells: order, states: [1, 2, 0])
    let x = MixtureTests.points(1, dimension: 6, spread: 1)[0]
    var y = x
    for cell in 0..<3 {
      for k in 0..<2 { y[order[cell] * 2 + k] = x[cell * 2 + k] }
    }
    let a = try NoisedWorld(world, sigma: 0.8)
    let b = try NoisedWorld(moved, sigma: 0.8)
    for (c, labels) in world.conditioners.enumerated() {
      let other = try #require(moved.index(of: Labels(labels.cells(of: 3).map { order[$0] })))
      let index = QuantityIndex(cells: 3)
      var first = [Double](repeating: 0, count: index.count)
      var second = first
      var workspace = MeasureWorkspace()
      let r = try PointMeasure(a, conditioner: c) { q, _ in q }.measure(x, into: &first, &workspace)
      let s = try PointMeasure(b, conditioner: other) { q, _ in q }
        .measure(y, into: &second, &workspace)
      #expect(abs(r.block - s.block) < 1e-12 && abs(r.cells - s.cells) < 1e-12)
      for i in 0..<3 {
        for j in 0..<3 where j != i {
          let pairs = [
            (index.pixel(i, j), index.pixel(order[i], order[j])),
            (index.label(i, j), index.label(order[i], order[j])),
          ]
          for (one, another) in pairs { #expect(abs(first[one] - second[another]) < 1e-12) }
        }
      }
    }
  }

  @Test("an orthogonal map of the pixels leaves everything in feature space unchanged")
  func orthogonal() throws {
    let world = try CellWorld(.exclusion, TheoremTests.pair, coupling: 0.6)
    let a = Matrix.orthogonal(2, seed: 4)
    Self.expectEqual(
      try TheoremTests.measure(world, sigma: 0.5),
      try TheoremTests.measure(
        world, sigma: 0.5, view: try View(features: a, looking: .features, noised: .pixels)),
      tolerance: 1e-8)
  }
}
