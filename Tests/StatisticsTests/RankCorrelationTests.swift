import Foundation
import Streams
import Testing

@testable import Statistics

@Suite("Rank correlation")
struct RankCorrelationTests {
  @Test("equals a published example, and ranks of ties are shared")
  func published() throws {
    // IQ and hours of television of ten people: ρ = −29/165.
    let iq: [Double] = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    let hours: [Double] = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    let found = try #require(RankCorrelation(iq, hours))
    #expect(abs(found.value + 29.0 / 165) < 1e-12 && found.n == 10)
    #expect(RankCorrelation.ranks([3, 1, 3, 2]) == [3.5, 1, 3.5, 2])
  }

  @Test("says nothing of few, or of what does not vary")
  func nothing() {
    #expect(RankCorrelation([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == nil)
    #expect(RankCorrelation([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1]) == nil)
    #expect(RankCorrelation(groups: (0..<8).map { [(Double($0), Double($0))] }) == nil)
    #expect(RankCorrelation.leavingOneOut([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]) == nil)
    let one = RankCorrelation([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6])
    #expect(one.map { $0.value == 1 && $0.low < 1 } == true)
  }

  @Test("within groups it is not what lies between them")
  func within() throws {
    // Up from group to group, down within each.
    var groups = [[(x: Double, y: Double)]](repeating: [], count: 4)
    for group in groups.indices {
      for i in 0..<5 {
        groups[group].append((x: Double(10 * group + i), y: Double(10 * group - i)))
      }
    }
    let pairs = groups.flatMap { $0 }
    #expect(try #require(RankCorrelation(pairs.map(\.x), pairs.map(\.y))).value > 0.8)
    let own = try #require(RankCorrelation(groups: groups))
    #expect(own.value < -0.9 && own.n == 20)
  }

  @Test("one pair that makes it all is seen when it is left out")
  func leftOut() throws {
    let x: [Double] = [1, 2, 3, 4, 5, 6, 100]
    let y: [Double] = [4, 3, 6, 1, 5, 2, 90]
    let range = try #require(RankCorrelation.leavingOneOut(x, y))
    #expect(range.lowerBound < 0 && range.upperBound > 0.3)
  }

  @Test("its interval holds the truth", arguments: [(0.0, 8), (0.6, 8), (0.6, 18), (-0.85, 18)])
  func coverage(correlation: Double, count: Int) {
    let truth = 6 / Double.pi * asin(correlation / 2)
    var held = 0
    for study in 0..<1000 {
      var stream = RandomStream(seed: 5, purpose: .test, index: UInt64(study))
      var (x, y): ([Double], [Double]) = ([], [])
      for _ in 0..<count {
        let (a, b) = (Double(stream.gaussian()), Double(stream.gaussian()))
        x.append(a)
        y.append(correlation * a + (1 - correlation * correlation).squareRoot() * b)
      }
      if let found = RankCorrelation(x, y), found.low <= truth, truth <= found.high { held += 1 }
    }
    #expect(held >= 930, "\(held) of 1000")
  }
}
