/// An estimate with its 95 % interval.
public struct Interval: Sendable, Hashable {
  public var value: Double
  public var low: Double
  public var high: Double
  /// The number of independent units behind it.
  public var n: Int
  /// Every resample gave the same value: the spread of the data is exactly 0, which says that they
  /// are few or alike, not that the value is certain.
  public var isDegenerate: Bool

  public init(value: Double, low: Double, high: Double, n: Int, isDegenerate: Bool = false) {
    self.value = value
    self.low = low
    self.high = high
    self.n = n
    self.isDegenerate = isDegenerate
  }
}
