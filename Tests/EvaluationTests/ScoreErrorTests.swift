import Diffusion
import Foundation
import Streams
import Testing

@testable import Evaluation

@Suite("Error of a score")
struct ScoreErrorTests {
  private static let picture = 8 * 8 * 3
  private static let mean = [Float](repeating: -0.2, count: picture)
  private static let left = (0..<64).map { $0 % 8 < 4 }

  private static func gaussian(_ index: Int, _ scale: Float) -> [Float] {
    var stream = RandomStream(seed: 1, purpose: .test, index: UInt64(index))
    return (0..<picture).map { _ in scale * stream.gaussian() }
  }

  private static func sum(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }

  /// Of 40 layouts whose exact answers are known, estimated with noise; `answer` gets input and exact answer.
  private static func error(_ answer: (_ x: [Float], _ exact: [Float]) -> [Float]) -> ScoreError {
    var inputs: [ScoreError.Input] = []
    var products: [ScoreError.Products] = []
    for layout in 0..<40 {
      let exact = gaussian(4 * layout, 0.5)
      let x = sum(exact, gaussian(4 * layout + 1, 2))
      let estimates = [2, 3].map { sum(exact, gaussian(4 * layout + $0, 0.1)) }
      inputs.append(.init(k: 1, layout: layout, sigma: 2, isKept: true))
      products.append(
        .init(
          answer(x, exact)[...], estimates[0][...], estimates[1][...], mean: mean, isAtObject: left)
      )
    }
    return ScoreError(inputs, products, seed: 1)
  }

  @Test("the exact answer has none, though there are only noisy estimates of it")
  func exact() throws {
    let found = try #require(Self.error { $1 }.relative(\.error, k: 1, sigma: 2))
    // One estimate alone would make 0.01 / 0.29 of it.
    #expect(abs(found.value) < 0.003 && found.low < 0, "\(found)")
    #expect(found.n == 40)
  }

  @Test("what does nothing has the noise for its error, and the mean picture 1")
  func known() throws {
    // ‖σε‖² over ‖x₀ − m‖²: 4 over 0.25 + 0.04.
    let identity = try #require(Self.error { x, _ in x }.relative(\.error, k: 1, sigma: 2))
    #expect(abs(identity.value - 4 / 0.29) < 0.5, "\(identity)")
    #expect(identity.low < 4 / 0.29 && identity.high > 4 / 0.29)
    let constant = try #require(
      Self.error { _, _ in Self.mean }.relative(\.error, k: 1, sigma: 2))
    #expect(abs(constant.value - 1) < 1e-6)
    // Off by 0.1 on the left half: all of it is at the objects.
    let half = Self.error { _, exact in
      exact.indices.map { exact[$0] + ($0 / 3 % 8 < 4 ? 0.1 : 0) }
    }
    let whole = try #require(half.relative(\.error, k: 1, sigma: 2))
    let objects = try #require(half.relative(\.atObjects, k: 1, sigma: 2))
    #expect(abs(whole.value - 0.005 / 0.29) < 0.003 && abs(whole.value - objects.value) < 0.002)
  }

  @Test("what is left out is counted, and over noise levels all K are told at the same ones")
  func leftOut() throws {
    var inputs: [ScoreError.Input] = []
    var products: [ScoreError.Products] = []
    // K = 3 lacks two of three layouts at σ = 1; there K = 1 has an error of its own.
    for (k, sigma, kept, value) in [
      (1, 5.0, [true, true, true], 0.2), (1, 1, [true, true, true], 0.9),
      (3, 5, [true, true, false], 0.4), (3, 1, [false, false, true], 100),
    ] {
      for (layout, isKept) in kept.enumerated() {
        inputs.append(.init(k: k, layout: layout, sigma: sigma, isKept: isKept))
        var product = ScoreError.Products()
        (product.error, product.scale) = isKept ? (value * 2, 2) : (.nan, .nan)
        products.append(product)
      }
    }
    let errors = ScoreError(inputs, products, seed: 1)
    #expect(
      errors.leftOut(k: 3, sigma: 1).share == 2 / 3.0 && errors.leftOut(k: 3, sigma: 1).n == 3)
    #expect(errors.reliable == [5])
    let one = try #require(errors.folded(\.error, counts: [1], sigmas: errors.reliable))
    let three = try #require(errors.folded(\.error, counts: [3], sigmas: errors.reliable))
    let both = try #require(errors.folded(\.error, counts: [1, 3], sigmas: errors.reliable))
    #expect(abs(one.value - 0.2) < 1e-12 && one.n == 3)
    #expect(abs(three.value - 0.4) < 1e-12 && three.n == 2)
    #expect(abs(both.value - 0.3) < 1e-12 && both.n == 5)
    #expect(errors.folded(\.error, counts: [1], sigmas: []) == nil)
    #expect(errors.relative(\.error, k: 2, sigma: 5) == nil)
  }

  @Test("labelled objects are the pixels around their cells")
  func pixels() {
    let grid = CellGrid(size: 8, cells: 4)
    var labels = [Float](repeating: 0, count: 16)
    labels[0] = 1
    labels[10] = 2
    let found = pixelsAtLabels(labels[...], reach: 1, grid: grid)
    // Centres are the corners (1, 1) and (5, 5), the middles of pixels half a pixel beside them.
    let expected = [0, 4].flatMap { start in
      (0..<2).flatMap { row in (0..<2).map { (start + row) * 8 + start + $0 } }
    }
    #expect((0..<64).filter { found[$0] } == expected)
    #expect(pixelsAtLabels(labels[...], reach: 1.5, grid: grid).count { $0 } == 9 + 16)
  }

  @Test(
    "how many objects a conditioner of K labels tells of is what drawing conditioners gives",
    arguments: [Labelling.all, .single, .subset])
  func numbers(labelling: Labelling) throws {
    var told: [Int: [Int: Int]] = [:]
    for index in 0..<60_000 {
      var stream = RandomStream(seed: 6, purpose: .test2, index: UInt64(index))
      let n = stream.integer(below: 4)
      let counts = (0..<6).map { UInt8($0 < n ? 1 : 0) }
      var labels = [Float](repeating: 0, count: 6)
      counts.withUnsafeBufferPointer { counts in
        labels.withUnsafeMutableBufferPointer { labels in
          labelling.draw(
            from: counts.baseAddress!, into: labels.baseAddress!, count: 6, stream: &stream)
        }
      }
      told[labels.count { $0 > 0 }, default: [:]][n, default: 0] += 1
    }
    for k in 1...4 {
      let law = try #require(ConditionalLaw(labelling, k: k, objects: 0...3))
      let own = told[k] ?? [:]
      let total = Double(own.values.reduce(0, +))
      #expect(law.isOnTraining == (total > 0))
      if total == 0 {
        #expect(law.numbers.map(\.count) == [k])
        continue
      }
      let sum = law.numbers.reduce(0) { $0 + $1.share }
      #expect(Set(law.numbers.map(\.count)) == Set(own.keys))
      for (count, share) in law.numbers {
        #expect(abs(Double(own[count] ?? 0) / total - share / sum) < 0.02, "\(k), \(count)")
      }
    }
    #expect(ConditionalLaw(.none, k: 1, objects: 0...3) == nil)
  }
}
