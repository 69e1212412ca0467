/// A row about one replicate of something, of which a page has one row for all seeds.
protocol Replicated: Labelled {
  associatedtype Key: Hashable
  /// What tells rows about one thing from each other.
  var key: Key { get }
  /// The stage that measured it.
  var stage: String { get }
  var estimate: Estimate { get set }
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
