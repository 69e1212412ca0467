import Statistics

/// One number for each replicate.
struct Replicates: Hashable {
  struct Value: Hashable {
    /// The replicate's seed; `nil` for what all replicates share.
    var seed: String?
    var estimate: Estimate
    /// The number on resampled layouts, draw by draw; none where there is only what was stored.
    var draws: [Double] = []

    var ofSeed: SeedValue {
      SeedValue(
        estimate.value, low: estimate.low, high: estimate.high, draws: draws, layouts: estimate.n)
    }
  }
  var values: [Value]
  /// Whether all replicates were measured on the same layouts.
  var areShared: Bool
  /// What it cannot exceed, nor its interval.
  var most: Double?

  init(_ values: [Value], areShared: Bool = false, most: Double? = nil) {
    self.values = values
    self.areShared = areShared
    self.most = most
  }

  /// What a single network gave.
  init(_ estimate: Estimate) { self.init([Value(seed: nil, estimate: estimate)]) }

  var isEmpty: Bool { values.isEmpty }

  /// Over seeds; `nil` for fewer than two.
  var overSeeds: SeedMean? {
    Statistics.overSeeds(values.map(\.ofSeed), areShared: areShared)
  }

  /// The one that there is, or the mean over seeds with its interval; N adds up.
  var mean: Estimate? {
    guard let mean = overSeeds else { return values.first?.estimate }
    return Estimate(
      value: mean.value, low: mean.low, high: min(mean.high, most ?? mean.high),
      n: values.compactMap(\.estimate.n).reduce(0, +))
  }

  /// The layouts, or whatever each was counted over, where all replicates were measured on the same.
  private var shared: Int? {
    guard areShared, values.count > 1, let first = values.first?.estimate.n else { return nil }
    return values.allSatisfy { $0.estimate.n == first } ? first : nil
  }

  /// What it was counted over, for a cell: `128 × 5` of five seeds on the same layouts.
  var counted: String {
    shared.map { "\($0) × \(values.count)" } ?? Markdown.count(mean?.n)
  }

  /// `128 layouts × 5 seeds`; `640 layouts of 5 seeds` where each has its own.
  func counted(_ what: String) -> String {
    if let shared { return "\(shared) \(what) × \(values.count) seeds" }
    return "\(Markdown.count(mean?.n)) \(what)"
      + (values.count > 1 ? " of \(values.count) seeds" : "")
  }

  /// The values of both by seed; what has no seed stands beside every one of the other.
  func paired(with other: Replicates) -> [(first: Value, second: Value)] {
    pairedBySeed(values, other.values, \.seed)
  }
}

/// The members of two sides by seed; what has no seed stands beside every one of the other.
func pairedBySeed<Member>(
  _ first: [Member], _ second: [Member], _ seed: (Member) -> String?
) -> [(first: Member, second: Member)] {
  first.flatMap { mine in
    second.filter { seed(mine) == seed($0) || seed(mine) == nil || seed($0) == nil }
      .map { (mine, $0) }
  }
}

/// Two sides of a claim, paired by seed.
struct PairedReplicates {
  var low: Replicates
  var high: Replicates
  /// Seeds that one side alone has: they do not count.
  var unpaired: [String]

  init(_ low: Replicates, _ high: Replicates) {
    let pairs = low.paired(with: high)
    (self.low, self.high) = (low, high)
    self.low.values = pairs.map(\.first)
    self.high.values = pairs.map(\.second)
    let counted = Set(pairs.flatMap { [$0.first.seed, $0.second.seed] })
    unpaired = distinct(
      (low.values + high.values).map(\.seed).filter { !counted.contains($0) }.compactMap(\.self))
  }

  var count: Int { low.values.count }

  /// Higher less lower, a seed at a time; `nil` for fewer than two.
  private var overSeeds: SeedMean? { differences.overSeeds }

  /// The mean over seeds with its interval; `nil` for fewer than two.
  var difference: Estimate? {
    overSeeds.map { Estimate(value: $0.value, low: $0.low, high: $0.high, n: count) }
  }

  private var differences: Replicates {
    Replicates(
      zip(low.values, high.values).map { low, high in
        let value = high.estimate.value - low.estimate.value
        let isDrawn = !low.draws.isEmpty && low.draws.count == high.draws.count
        // Errors of both, as if their layouts were others: where these are the same, draws say so.
        let half = [low, high].map {
          (($0.estimate.high ?? $0.estimate.value) - ($0.estimate.low ?? $0.estimate.value)) / 2
        }.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return Replicates.Value(
          seed: low.seed ?? high.seed,
          estimate: Estimate(value: value, low: value - half, high: value + half),
          draws: isDrawn ? zip(low.draws, high.draws).map { $1 - $0 } : [])
      }, areShared: low.areShared && high.areShared)
  }

  /// Whether the side that should be higher is lower for certain.
  var isReversed: Bool { PairedReplicates(high, low).isShown }

  /// Whether the higher side is higher for certain: over seeds, where there are several; otherwise the
  /// whole interval of one lies below that of the other, which is about these very networks.
  var isShown: Bool {
    if let difference { return (difference.low ?? 0) > 0 }
    guard let low = low.values.first?.estimate, let high = high.values.first?.estimate else {
      return false
    }
    return (low.high ?? low.value) < (high.low ?? high.value)
  }
}
