/// A row about one replicate of something, of which a page has one row for all seeds.
protocol Replicated: Labelled {
  associatedtype Key: Hashable
  /// What tells rows about one thing from each other.
  var key: Key { get }
  /// The stage that measured it.
  var stage: String { get }
  var estimate: Estimate { get set }
}

/// A row that says what was measured.
protocol Measured: Replicated {
  var measure: String { get }
}

extension Replicated {
  /// `nil` for what all replicates share.
  var seed: String? { Labels.seed(of: thing.title, measuredBy: stage) }
}

private struct Thing<Key: Hashable>: Hashable {
  var name: String
  var key: Key
}

extension Array where Element: Replicated {
  /// A row a thing, in the order of their first, with its name without a seed: the mean over seeds, with
  /// their interval, as measured on the same layouts, which is never the narrower one.
  ///
  /// - Parameter worst: measures of which the largest of all seeds stands for them, as p values have no mean.
  func overSeeds(worst: Set<String> = []) -> [Element] where Element: Measured {
    overSeeds().map { row in
      guard worst.contains(row.measure) else { return row }
      var row = row
      row.estimate.value =
        filter { Labels.withoutSeed($0.label) == row.label && $0.key == row.key }
        .map(\.estimate.value).max() ?? row.estimate.value
      (row.estimate.low, row.estimate.high) = (nil, nil)
      return row
    }
  }

  /// The same without such measures.
  func overSeeds() -> [Element] {
    var order: [Thing<Element.Key>] = []
    var groups: [Thing<Element.Key>: [Element]] = [:]
    for row in self {
      let thing = Thing(name: Labels.withoutSeed(row.label), key: row.key)
      if groups[thing] == nil { order.append(thing) }
      groups[thing, default: []].append(row)
    }
    return order.compactMap { thing in
      guard let rows = groups[thing], var row = rows.first else { return nil }
      row.label = thing.name
      let all = Replicates(
        rows.map { .init(seed: $0.seed, estimate: $0.estimate) }, areShared: true)
      row.estimate = all.mean ?? row.estimate
      return row
    }
  }
}
