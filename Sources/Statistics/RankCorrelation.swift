import Foundation

/// Spearman's rank correlation, over all pairs or within groups of them.
///
/// The 95 % interval is Bonett and Wright's (2000): tanh(atanh ρ ± 1.96 √((1 + ρ²/2) / (m − 3))), m the number
/// of pairs, less one for each group beyond the first.
package struct RankCorrelation: Sendable, Hashable {
  package var value: Double
  package var low: Double
  package var high: Double
  /// Pairs.
  package var n: Int

  /// The fewest pairs of which anything is said.
  package static let fewest = 6

  /// - Returns: `nil` for fewer than six, or where one side does not vary.
  package init?(_ x: [Double], _ y: [Double]) {
    self.init(groups: [Array(zip(x, y))])
  }

  /// Within groups: ranks over all pairs, less the mean rank of the group. Groups of one say nothing.
  ///
  /// - Returns: `nil` for fewer than six pairs beyond one a group, or where a side does not vary within any.
  package init?(groups: [[(x: Double, y: Double)]]) {
    let groups = groups.filter { groups.count == 1 || $0.count > 1 }
    let pairs = groups.flatMap { $0 }
    let freedom = pairs.count - max(0, groups.count - 1)
    guard freedom >= Self.fewest else { return nil }
    let (x, y) = (Self.ranks(pairs.map(\.x)), Self.ranks(pairs.map(\.y)))
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    var first = 0
    for group in groups {
      let members = first..<first + group.count
      first = members.upperBound
      let (a, b) = (Self.centered(x[members]), Self.centered(y[members]))
      for (a, b) in zip(a, b) {
        xx += a * a
        yy += b * b
        xy += a * b
      }
    }
    guard xx > 0, yy > 0 else { return nil }
    value = max(-1, min(1, xy / (xx * yy).squareRoot()))
    n = pairs.count
    // Nothing is known to be without exception: an order that is kept throughout is taken for one of which two
    // neighbours changed places, which is the next value that ρ can have.
    let count = Double(n)
    let most = 1 - 12 / (count * (count * count - 1))
    let z = atanh(max(-most, min(most, value)))
    let error = ((1 + value * value / 2) / Double(freedom - 3)).squareRoot()
    (low, high) = (tanh(z - 1.96 * error), tanh(z + 1.96 * error))
  }

  /// The least and the largest value that is left when one pair is left out.
  ///
  /// - Returns: `nil` where then too few are left.
  package static func leavingOneOut(_ x: [Double], _ y: [Double]) -> ClosedRange<Double>? {
    let values = x.indices.compactMap { left -> Double? in
      let rest = x.indices.filter { $0 != left }
      return RankCorrelation(rest.map { x[$0] }, rest.map { y[$0] })?.value
    }
    guard values.count == x.count, let low = values.min(), let high = values.max() else {
      return nil
    }
    return low...high
  }

  /// Of values that are equal the mean of their ranks.
  package static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var first = 0
    while first < order.count {
      var end = first + 1
      while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
      for place in first..<end { ranks[order[place]] = Double(first + end - 1) / 2 + 1 }
      first = end
    }
    return ranks
  }

  private static func centered(_ values: ArraySlice<Double>) -> [Double] {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.map { $0 - mean }
  }
}
