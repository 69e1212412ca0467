import Foundation
import Statistics
import Streams
import Testing

@testable import Evaluation

@Suite("Fréchet distance")
struct FrechetTests {
  /// Columns of a matrix times each of its vectors, beside its value times the vector.
  @Test("eigenvalues and vectors are those of known matrices")
  func eigen() {
    // 2 and 4 of [[3, 1], [1, 3]].
    let small = SymmetricEigen([3, 1, 1, 3], size: 2)
    #expect(zip(small.values, [4, 2]).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(abs(abs(small.vectors[0]) - 0.5.squareRoot()) < 1e-14)
    // 2 − 2 cos(π i / (n + 1)) of the second difference.
    let n = 12
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      matrix[i * n + i] = 2
      if i + 1 < n { (matrix[i * n + i + 1], matrix[(i + 1) * n + i]) = (-1, -1) }
    }
    let eigen = SymmetricEigen(matrix, size: n)
    let known = (1...n).map { 2 - 2 * cos(Double.pi * Double($0) / Double(n + 1)) }.sorted(by: >)
    for (found, known) in zip(eigen.values, known) { #expect(abs(found - known) < 1e-12) }
    for row in 0..<n {
      for column in 0..<n {
        let product = (0..<n).reduce(0) {
          $0 + eigen.vectors[row * n + $1] * eigen.vectors[column * n + $1]
        }
        #expect(abs(product - (row == column ? 1 : 0)) < 1e-12)
      }
    }
    for (again, value) in zip(eigen.matrix { $0 }, matrix) { #expect(abs(again - value) < 1e-12) }
    // Nothing beside the diagonal, equal values, one row, none.
    #expect(SymmetricEigen([1, 0, 0, 1], size: 2).values == [1, 1])
    #expect(SymmetricEigen([0, 0, 0, 0], size: 2).values == [0, 0])
    #expect(SymmetricEigen([7], size: 1).values == [7])
    #expect(SymmetricEigen([], size: 0).values.isEmpty)
  }

  @Test("of two normal laws it is what the formula gives, also where their axes do not agree")
  func known() {
    // Axes agree: Σ (m₁ − m₂)² + (s₁ − s₂)².
    let a = PointMoments(mean: [0, 1], covariance: [4, 0, 0, 1])
    let b = PointMoments(mean: [3, 1], covariance: [1, 0, 0, 9])
    #expect(abs(frechetDistance(a, b) - (9 + 1 + 4)) < 1e-12)
    #expect(abs(frechetDistance(b, a) - 14) < 1e-12)
    #expect(abs(frechetDistance(a, a)) < 1e-12)
    // Of two dimensions Tr (Σ₁Σ₂)^½ = (Tr Σ₁Σ₂ + 2 (det Σ₁Σ₂)^½)^½.
    let c = PointMoments(mean: [0, 0], covariance: [2, 1, 1, 3])
    let d = PointMoments(mean: [0, 0], covariance: [5, -2, -2, 1])
    let (trace, determinant) = (9.0, 5.0)
    let root = (trace + 2 * determinant.squareRoot()).squareRoot()
    #expect(abs(frechetDistance(c, d) - (5 + 6 - 2 * root)) < 1e-12)
    // One law has no width along one axis.
    let flat = PointMoments(mean: [0, 0], covariance: [1, 0, 0, 0])
    #expect(abs(frechetDistance(flat, c) - frechetDistance(c, flat)) < 1e-12)
  }

  /// (N, d) of a normal law about `shift` on the first axis.
  private static func points(
    _ count: Int, _ dimensions: Int, shift: Double = 0, scale: Double = 1, _ index: UInt64
  ) -> [Double] {
    var stream = RandomStream(seed: 11, purpose: .test, index: index)
    return (0..<count * dimensions).map {
      Double(stream.gaussian()) * scale + ($0 % dimensions == 0 ? shift : 0)
    }
  }

  private static func comparison(_ shift: Double, scale: Double = 1, _ index: UInt64)
    -> FrechetComparison?
  {
    FrechetComparison(
      (0..<3 as Range<UInt64>).map { part in
        let own = index * 100 + 10 * part
        return FrechetComparison.Stratum(
          drawn: points(16, 4, shift: shift, scale: scale, own),
          rendered: points(32, 4, own + 1))
      }, dimensions: 4)
  }

  @Test("equal laws lie within what halves of one of them give, a shift and another width above it")
  func null() throws {
    var above = 0
    for index in 0..<UInt64(40) {
      let result = try #require(Self.comparison(0, index)).result(
        splits: 100, resamples: 20, seed: index, threads: 2)
      #expect(result.null.low > 0 && result.null.n == 48)
      if result.distance.value > result.null.high { above += 1 }
    }
    // 2.5 % of ranges, and a mean over splits varies less than a split.
    #expect(above <= 4)
    for (shift, scale) in [(1.0, 1.0), (0, 0.5)] {
      for index in 0..<UInt64(10) {
        let result = try #require(Self.comparison(shift, scale: scale, index)).result(
          splits: 100, resamples: 20, seed: index, threads: 2)
        #expect(result.distance.value > result.null.high, "\(shift) \(scale)")
      }
    }
  }

  @Test("the interval covers the mean distance of so many pictures, also above the null")
  func coverage() throws {
    for shift in [0.0, 0.7] {
      let all = try (0..<UInt64(240)).map { index in
        try #require(Self.comparison(shift, 1000 + index)).result(
          splits: 40, resamples: 200, seed: index, threads: 2
        ).distance
      }
      let truth = all.map(\.value).reduce(0, +) / Double(all.count)
      let covered = all.count { $0.low <= truth && truth <= $0.high }
      #expect((0.88...1).contains(Double(covered) / Double(all.count)), "\(shift): \(covered)")
      // The value stands inside, which plain percentiles of resamples do not promise.
      #expect(all.allSatisfy { $0.low < $0.value && $0.value < $0.high })
    }
  }

  @Test("threads change nothing; fewer than two pictures, or too few renders, are no distance")
  func threads() throws {
    let comparison = try #require(Self.comparison(0.5, 7))
    let one = comparison.result(splits: 30, resamples: 30, seed: 3, threads: 1)
    let three = comparison.result(splits: 30, resamples: 30, seed: 3, threads: 3)
    #expect(one.distance == three.distance && one.null == three.null)
    #expect(FrechetComparison([], dimensions: 4) == nil)
    #expect(
      FrechetComparison([.init(drawn: [1, 2], rendered: [1, 2, 3, 4])], dimensions: 2) == nil)
    #expect(
      FrechetComparison([.init(drawn: [1, 2, 3, 4], rendered: [1, 2, 3, 4])], dimensions: 2) == nil)
  }

  @Test(
    "along their axes renders have no correlation and deviation 1, and what never varies is no axis"
  )
  func axes() {
    // Three features of two causes, and one that stands still.
    let causes = Self.points(200, 2, UInt64(5))
    let features = (0..<200).flatMap { n -> [Double] in
      let (a, b) = (causes[2 * n], causes[2 * n + 1])
      return [100 * a, a + b, 3 * b - 7, 4]
    }
    let axes = FeatureAxes(features, count: 4, dimensions: 4)
    #expect(axes.dimensions == 2)
    let moments = PointMoments(axes.project(features), dimensions: 2, of: Array(0..<200))
    for (found, known) in zip(moments.mean + moments.covariance, [0.0, 0, 1, 0, 0, 1]) {
      #expect(abs(found - known) < 1e-9)
    }
  }
}

@Suite("Nearest training picture")
struct NearestPictureTests {
  private static func bytes(_ count: Int, _ index: UInt64) -> [UInt8] {
    var stream = RandomStream(seed: 4, purpose: .test, index: index)
    return (0..<count).map { _ in UInt8(stream.integer(below: 256)) }
  }

  @Test("is the one that a search of all finds, at the same distance, whatever the threads")
  func search() {
    // Not a multiple of what is compared at a time.
    let count = 1300
    let others = Self.bytes(50 * count, 0)
    let pictures = Self.bytes(20 * count, 1) + others[7 * count..<8 * count]
    let found = NearestPicture.among(others, of: pictures, count: count, threads: 2)
    #expect(found == NearestPicture.among(others, of: pictures, count: count, threads: 1))
    #expect(found.count == 21)
    for (n, nearest) in found.enumerated() {
      let distances = (0..<50).map { m in
        (0..<count).reduce(0.0) {
          let apart = Double(pictures[n * count + $1]) - Double(others[m * count + $1])
          return $0 + apart * apart / 127.5 / 127.5
        }
      }
      let known = distances.min() ?? 0
      #expect(abs(nearest.distance - (known / Double(count)).squareRoot()) < 1e-9)
      #expect(distances[nearest.index] == known)
    }
    #expect(found[20] == NearestPicture(index: 7, distance: 0))
  }

  private static func distances(_ count: Int, _ index: UInt64, scale: Double = 1) -> [Double] {
    var stream = RandomStream(seed: 5, purpose: .test, index: index)
    return (0..<count).map { _ in scale * exp(Double(stream.gaussian())) }
  }

  @Test(
    "pictures like the renders are near in 5 % at most, copies all, and the interval holds the rate"
  )
  func near() throws {
    var total = 0.0
    var covered = 0
    let studies = 100
    for study in 0..<UInt64(studies) {
      let share = try #require(
        nearShare(
          (0..<3).map {
            TrainingDistances(
              drawn: Self.distances(40, study * 10 + $0),
              rendered: Self.distances(80, 100_000 + study * 10 + $0))
          }, seed: study))
      #expect(share.n == 120)
      total += share.value
      // Of 80 renders the fourth is passed by 4 in 81.
      if share.low <= 4.0 / 81, 4.0 / 81 <= share.high { covered += 1 }
    }
    #expect(abs(total / Double(studies) - 4.0 / 81) < 0.008)
    #expect(covered >= 88, "\(covered)")
    let copies = try #require(
      nearShare(
        [.init(drawn: Self.distances(40, 1, scale: 0.001), rendered: Self.distances(80, 2))],
        seed: 1))
    #expect(copies.value == 1 && copies.low > 0.85)
    // Too few renders to tell.
    #expect(nearShare([.init(drawn: [0], rendered: [1, 2])], seed: 1)?.value == 0)
    #expect(nearShare([], seed: 1) == nil)
  }
}
