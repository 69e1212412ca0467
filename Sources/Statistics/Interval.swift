/// An estimate with its 95 % interval.
package struct Interval: Sendable, Hashable {
  package var value: Double
  package var low: Double
  package var high: Double
  /// The number of independent units behind it.
  package var n: Int
  /// Every resample gave the same value: the spread of the data is exactly 0, which says that they
  /// are few or alike, not that the value is certain.
  package var isDegenerate: Bool

  package init(value: Double, low: Double, high: Double, n: Int, isDegenerate: Bool = false) {
    self.value = value
    self.low = low
    self.high = high
    self.n = n
    self.isDegenerate = isDegenerate
  }
}
