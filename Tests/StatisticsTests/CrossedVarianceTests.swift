import Statistics
import Streams
import Testing

@Suite("Variance of a crossed design")
struct CrossedVarianceTests {
  private static let side = 8

  /// Effects of known variance, or, with `counts`, the larger ones of nine objects.
  private static func table(
    rows: Double, columns: Double, rest: Double, _ index: UInt64, countsFrom middle: Double? = nil
  ) -> [Double] {
    var stream = RandomStream(seed: 21, purpose: .test, index: index)
    func effects(_ variance: Double) -> [Double] {
      (0..<side).map { _ in variance.squareRoot() * Double(stream.gaussian()) }
    }
    let (own, other) = (effects(rows), effects(columns))
    return (0..<side * side).map { place in
      let value =
        own[place / side] + other[place % side] + rest.squareRoot() * Double(stream.gaussian())
      guard let middle else { return value }
      return min(max((middle + value).rounded(), 0), 9)
    }
  }

  @Test("a table of rows alone, of columns alone and of both is split as it was made")
  func parts() throws {
    for (rows, columns) in [(1.0, 0.0), (0, 1), (1, 1)] {
      let values = (0..<Self.side * Self.side).map { place in
        rows * Double(place / Self.side) + columns * Double(place % Self.side)
      }
      let split = try #require(CrossedVariance(values, rows: Self.side, seed: 1))
      // Of 0 … 7 the variance is 6.
      #expect(abs(split.total.value - 6 * (rows + columns)) < 1e-12)
      #expect(split.total.n == 64)
      let sum = rows + columns
      for (part, share) in [
        (CrossedVariance.Part.rows, rows / sum), (.columns, columns / sum), (.rest, 0),
      ] {
        let found = try #require(split.shares[part])
        #expect(abs(found.value - share) < 1e-12, "\(part)")
        #expect(found.low <= found.value && found.value <= found.high)
      }
    }
    // Nothing varies: there is no share of it.
    let still = try #require(
      CrossedVariance([Double](repeating: 9, count: 64), rows: 8, seed: 1))
    #expect(still.total.value == 0 && still.shares.isEmpty)
    #expect(CrossedVariance([1, 2, 3], rows: 1, seed: 1) == nil)
    #expect(CrossedVariance([1, 2, 3], rows: 3, seed: 1) == nil)
    #expect(CrossedVariance([1, 2, 3], rows: 2, seed: 1) == nil)
  }

  @Test("a table that is not a square is split by rows and by columns, each by its own number")
  func oblong() throws {
    // Three rows, five columns: row effects 0, 3, 6 have variance 9.
    let values = (0..<15).map { 3 * Double($0 / 5) }
    let split = try #require(CrossedVariance(values, rows: 3, seed: 1))
    #expect(abs(split.total.value - 9) < 1e-12)
    #expect(abs((split.shares[.rows]?.value ?? 0) - 1) < 1e-12)
  }

  @Test("estimates are unbiased, also below 0, and shares add up to 1")
  func unbiased() throws {
    var sums = [0.0, 0, 0]
    var negative = 0
    let tables = 600
    for index in 0..<UInt64(tables) {
      let split = try #require(
        CrossedVariance(
          Self.table(rows: 0.5, columns: 0, rest: 1, index), rows: 8, seed: index, draws: 10))
      let shares = CrossedVariance.Part.allCases.compactMap { split.shares[$0]?.value }
      #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
      for (place, share) in shares.enumerated() { sums[place] += share * split.total.value }
      if shares[1] < 0 { negative += 1 }
    }
    // Five standard errors of each component's mean.
    for (sum, (known, error)) in zip(sums, [(0.5, 0.016), (0, 0.004), (1, 0.0085)]) {
      #expect(abs(sum / Double(tables) - known) < 5 * error, "\(known)")
    }
    #expect(negative > tables / 4)
  }

  /// The shares of counts are those of so many tables that nothing is left to chance.
  private static func truth(_ make: (UInt64) -> [Double]) throws -> [CrossedVariance.Part: Double] {
    var sums: [CrossedVariance.Part: Double] = [:]
    for index in 0..<UInt64(3000) {
      let split = try #require(CrossedVariance(make(1 << 32 + index), rows: 8, seed: 1, draws: 1))
      for (part, share) in split.shares {
        sums[part, default: 0] += share.value * split.total.value
      }
    }
    let total = sums.values.reduce(0, +)
    return sums.mapValues { $0 / total }
  }

  @Test(
    "intervals cover known shares",
    arguments: [
      (1.0, 0.0, 0.2, nil), (0, 1, 0.2, nil), (0.5, 0.3, 0.2, nil), (0, 0, 1, nil),
      (1, 1, 1, 6.5 as Double?), (1, 0.2, 1, 7.5),
    ])
  func coverage(rows: Double, columns: Double, rest: Double, middle: Double?) throws {
    func make(_ index: UInt64) -> [Double] {
      Self.table(rows: rows, columns: columns, rest: rest, index, countsFrom: middle)
    }
    let sum = rows + columns + rest
    let truth =
      try middle == nil
      ? [.rows: rows / sum, .columns: columns / sum, .rest: rest / sum] : Self.truth(make)
    let tables = 160
    var covered: [CrossedVariance.Part: Int] = [:]
    for index in 0..<UInt64(tables) {
      let split = try #require(CrossedVariance(make(index), rows: 8, seed: index, draws: 400))
      for (part, share) in split.shares {
        let known = truth[part] ?? 0
        if share.low <= known, known <= share.high { covered[part, default: 0] += 1 }
      }
    }
    for part in CrossedVariance.Part.allCases {
      let share = Double(covered[part] ?? 0) / Double(tables)
      #expect((0.89...1).contains(share), "\(part): \(share)")
    }
  }
}
