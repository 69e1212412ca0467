import Foundation
import Statistics
import Testing

@testable import Theory

@Suite("Sampling with exact scores")
struct SamplingTests {
  @Test("χ² and its p agree with tables")
  func chiSquare() {
    // Abramowitz and Stegun, table 26.8: the 95 % and 99.9 % points.
    for (degrees, statistic, p) in [
      (1.0, 3.84146, 0.05), (10, 18.3070, 0.05), (30, 59.7031, 0.001), (100, 124.342, 0.05),
    ] {
      #expect(abs(upperGamma(degrees / 2, statistic / 2) - p) < 2e-6)
    }
    #expect(abs(upperGamma(1, 3) - exp(-3)) < 1e-12)
    let test = ChiSquareTest(counts: [30, 70, 0], probabilities: [0.5, 0.5, 0])
    #expect(abs(test.statistic - 16) < 1e-12 && test.degreesOfFreedom == 1)
    #expect(ChiSquareTest(counts: [50, 49, 1], probabilities: [0.5, 0.5, 0]).p == 0)
    #expect(ChiSquareTest(counts: [100], probabilities: [1]).p == 1)
  }

  @Test("samples drawn with the exact score have the enumerated probabilities")
  func exact() throws {
    let world = try CellWorld(.fixedCount, TheoremTests.line, coupling: 0.9)
    for (c, labels) in world.conditioners.enumerated() {
      func sample(threads: Int) throws -> SampledPictures {
        try samplePictures(
          world, labels: labels, count: 1500, steps: 48, seed: 2, draw: UInt64(c),
          threads: threads
        ) { Composition(exactly: try NoisedWorld(world, sigma: $0), conditioner: c) }
      }
      let drawn = try sample(threads: 2)
      #expect(drawn.test(against: world.pictures[c]).p > 1e-3)
      if c == 0 { #expect(try sample(threads: 1).counts == drawn.counts) }
      // The same samples refute the probabilities of another coupling.
      let other = try CellWorld(.fixedCount, TheoremTests.line, coupling: 0)
      #expect(drawn.test(against: other.pictures[c]).p < 1e-3)
    }
  }

  @Test("the composed score draws as many objects as labels, where p(x | c) does not exist")
  func composed() throws {
    let world = try CellWorld(.boundedCount, TheoremTests.line, coupling: 1)
    let labels = Labels([0, 1, 2])
    #expect(world.index(of: labels) == nil)
    let drawn = try samplePictures(
      world, labels: labels, count: 600, steps: 32, seed: 2, draw: 0, threads: 2
    ) {
      try Composition(try NoisedWorld(world, sigma: $0), labels: labels, form: .block)
    }
    #expect(drawn.recall == 1)
    #expect(drawn.test(against: try world.composedPictures(labels, form: .block)).p > 1e-3)
  }

  @Test("composed probabilities sum to 1 and equal the conditional's where CPC holds")
  func composedPictures() throws {
    let world = try CellWorld(.exclusionAllLabels, TheoremTests.line, coupling: 1)
    for (c, labels) in world.conditioners.enumerated() {
      for form in WindowForm.allCases {
        let pictures = try world.composedPictures(labels, form: form)
        #expect(abs(pictures.reduce(0) { $0 + $1.probability } - 1) < 1e-12)
        let expected = Dictionary(
          uniqueKeysWithValues: world.pictures[c].map { ($0.states, $0.probability) })
        for picture in pictures where picture.probability > 0 {
          #expect(abs((expected[picture.states] ?? 0) - picture.probability) < 1e-12)
        }
      }
    }
  }

  @Test("d_i · d_j = 0 is necessary, not sufficient")
  func disentanglement() throws {
    func test(_ family: WorldFamily, _ coupling: Double) throws -> (Disentanglement, Double) {
      let world = try CellWorld(family, TheoremTests.line, coupling: coupling)
      return (
        try Disentanglement(try NoisedWorld(world, sigma: 1)),
        try world.enumeratedDivergence(.block)
      )
    }
    for family in WorldFamily.allCases {
      #expect(try test(family, 0).0.largestCosine < 1e-12)
      #expect(try test(family, 0).0.shareOutside < 1e-12)
    }
    let count = try test(.fixedCount, 1)
    #expect(count.0.largestCosine > 0.01 && count.1 > 0.01)
    // Copied colours change no mean of a single label: the test passes, CPC fails.
    let color = try test(.copiedColor, 1)
    #expect(color.0.largestCosine < 1e-12 && color.1 > 0.1)
  }
}

@Suite("Cell worlds")
struct WorldTests {
  @Test("joint distributions are enumerated: bounded counts, neighbours apart, copied colours")
  func families() throws {
    let settings = TheoremTests.line
    let bounded = try CellWorld(.boundedCount, settings, coupling: 1)
    #expect(bounded.pictures.allSatisfy { $0.allSatisfy { $0.states.count { $0 > 0 } <= 2 } })
    #expect(bounded.conditioners.count == 4)
    let apart = try CellWorld(.exclusion, settings, coupling: 1)
    #expect(apart.index(of: Labels([0, 1])) == nil && apart.index(of: Labels([0, 2])) != nil)
    let copied = try CellWorld(.copiedColor, settings, coupling: 1)
    let all = try #require(copied.index(of: Labels([0, 1, 2])))
    #expect(copied.pictures[all].map(\.states) == [[1, 1, 1], [2, 2, 2]])
    for family in WorldFamily.allCases {
      let world = try CellWorld(family, settings, coupling: 0.3)
      #expect(abs(world.conditionerProbabilities.reduce(0, +) - 1) < 1e-12)
      for pictures in world.pictures {
        #expect(abs(pictures.reduce(0) { $0 + $1.probability } - 1) < 1e-12)
      }
    }
  }

  @Test("a world that makes no sense is refused")
  func refused() {
    #expect(throws: TheoryError.tooManyPictures(cells: 20, states: 3)) {
      try CellWorld(
        .exclusion, WorldSettings(rows: 4, columns: 5, patterns: [[1], [2]]), coupling: 0)
    }
    #expect(throws: TheoryError.unequalPatches) {
      try CellWorld(
        .exclusion, WorldSettings(rows: 1, columns: 2, patterns: [[1], [2, 3]]), coupling: 0)
    }
    // No picture is without a label, so ∅ never occurs.
    let states = [
      CellState(patch: [0], isOccupied: false), CellState(patch: [1], isOccupied: true),
    ]
    #expect(throws: TheoryError.missingConditioner([])) {
      try CellWorld(cells: 2, states: states) { _, labels in labels.count == 1 ? 1 : 0 }
    }
    #expect(throws: TheoryError.notInvertible) {
      try Matrix(size: 2, values: [1, 2, 2, 4]).inverse()
    }
  }

  @Test("maps between pixels and features are orthogonal, or invertible and not orthogonal")
  func maps() throws {
    let q = Matrix.orthogonal(5, seed: 3)
    let a = Matrix.general(5, seed: 3)
    func distance(_ m: Matrix) -> Double {
      zip(m.values, Matrix.identity(5).values).map { abs($0 - $1) }.max() ?? 0
    }
    #expect(distance(q * q.transposed) < 1e-14)
    #expect(distance(a * a.transposed) > 0.5)
    #expect(distance(a * (try a.inverse())) < 1e-13)
  }
}
