import Statistics

/// One number for each replicate.
struct Replicates: Hashable {
  struct Value: Hashable {
    /// The replicate's seed; `nil` for what all replicates share.
    var seed: String?
    var estimate: Estimate
  }
  var values: [Value]

  init(_ values: [Value]) { self.values = values }

  /// What a single network gave.
  init(_ estimate: Estimate) { values = [Value(seed: nil, estimate: estimate)] }

  var isEmpty: Bool { values.isEmpty }

  /// The one that there is, or the mean over seeds with Student's interval; N adds up.
  var mean: Estimate? {
    guard let first = values.first else { return nil }
    if values.count == 1 { return first.estimate }
    return studentMean(
      values.map(\.estimate.value), n: values.compactMap(\.estimate.n).reduce(0, +))
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

  init(_ low: Replicates, _ high: Replicates) {
    let pairs = low.paired(with: high)
    self.low = Replicates(pairs.map(\.first))
    self.high = Replicates(pairs.map(\.second))
  }

  var count: Int { low.values.count }

  /// Higher less lower, a seed at a time: the mean with Student's interval; `nil` for fewer than two.
  var difference: Estimate? {
    if count < 2 { return nil }
    return studentMean(
      zip(low.values, high.values).map { $1.estimate.value - $0.estimate.value }, n: count)
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

/// The mean of independent replicates with Student's 95 % interval.
func studentMean(_ values: [Double], n: Int) -> Estimate {
  let mean = values.reduce(0, +) / Double(values.count)
  let half = studentWidth(values) / 2
  return Estimate(value: mean, low: mean - half, high: mean + half, n: n)
}

/// The two-sided p of a mean of 0, by Student's t.
func studentP(ofMean values: [Double]) -> Double {
  let count = Double(values.count)
  if values.count < 2 { return 1 }
  let mean = values.reduce(0, +) / count
  let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
  if variance == 0 { return mean == 0 ? 1 : 0 }
  return studentP(t: mean / (variance / count).squareRoot(), degrees: values.count - 1)
}
