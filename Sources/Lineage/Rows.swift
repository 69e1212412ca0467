/// One row of the table `metric`, less the execution it belongs to.
public struct MetricRow: Sendable, Codable, Hashable {
  public var name: String
  public var value: Double
  /// Pictures seen for training curves, the window's side in pixels for locality curves, the
  /// coupling of a world for theory.
  public var step: Double?
  public var sigma: Double?
  /// The number of requested labels or objects.
  public var k: Int?
  public var seed: Int?
  /// What the value belongs to when an execution treats several things: a name or a SHA-256.
  public var arm: String?
  /// The ends of a 95 % interval; how it was made is documented with the metric's name.
  public var ciLow: Double?
  public var ciHigh: Double?
  public var n: Int?
  public var unit: String?

  public init(
    _ name: String, _ value: Double, step: Double? = nil, sigma: Double? = nil, k: Int? = nil,
    seed: Int? = nil, arm: String? = nil, ciLow: Double? = nil, ciHigh: Double? = nil,
    n: Int? = nil, unit: String? = nil
  ) {
    self.name = name
    self.value = value
    self.step = step
    self.sigma = sigma
    self.k = k
    self.seed = seed
    self.arm = arm
    self.ciLow = ciLow
    self.ciHigh = ciHigh
    self.n = n
    self.unit = unit
  }
}

/// One row of the table `outcome`: what was found in one generated picture.
public struct OutcomeRow: Sendable, Codable, Hashable {
  public var k: Int
  public var layout: Int
  public var seed: Int
  public var requested: Int
  public var found: Int
  public var drawn: Int
  public var exact: Bool

  public init(
    k: Int, layout: Int, seed: Int, requested: Int, found: Int, drawn: Int, exact: Bool
  ) {
    self.k = k
    self.layout = layout
    self.seed = seed
    self.requested = requested
    self.found = found
    self.drawn = drawn
    self.exact = exact
  }
}
