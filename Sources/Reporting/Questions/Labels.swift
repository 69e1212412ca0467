import Workflow

/// What things are called where they stand side by side: each by its title and, where several have the same
/// one, by what tells apart the instances that each is of.
struct Labels {
  struct Thing: Hashable {
    var title: String
    /// The instances of stages that it is of, in the same order for all.
    var instances: [String]
  }

  private var labels: [Thing: String] = [:]

  init(_ things: [Thing]) {
    for (title, group) in Dictionary(grouping: Set(things), by: \.title) {
      if group.count == 1 {
        labels[group[0]] = title
        continue
      }
      var own = group.map { thing in
        let parts = thing.instances.indices.flatMap {
          Self.difference(at: $0, of: thing, in: group)
        }
        return distinct([title] + parts).joined(separator: ", ")
      }
      if Set(own).count < own.count {
        own = group.map { ([title] + $0.instances).joined(separator: ", ") }
      }
      for (thing, label) in zip(group, own) { labels[thing] = label }
    }
  }

  subscript(_ thing: Thing) -> String { labels[thing] ?? thing.title }

  /// What replicates of one thing have in common of their labels.
  static func withoutSeed(_ label: String) -> String {
    label.components(separatedBy: ", ").compactMap { part in
      let isSeed = StageReference("x[\(part)]")?.seed != nil
      return isSeed ? nil : StageReference(part)?.withoutSeed.name ?? part
    }.joined(separator: ", ")
  }

  /// The replicate that something is: of what all replicates share, that of its measurement; `nil` for none.
  static func seed(of title: String, measuredBy stage: String) -> String? {
    StageReference(stage)?.seed ?? StageReference(title)?.seed
  }

  /// What an instance has of its own among those of the others: the values on the axes along which they
  /// differ, where all are of one stage; otherwise its name.
  private static func difference(at place: Int, of thing: Thing, in group: [Thing]) -> [String] {
    let names = group.map { $0.instances[place] }
    let own = thing.instances[place]
    if Set(names).count == 1 { return [] }
    let all = names.compactMap(StageReference.init)
    guard let reference = StageReference(own), all.count == names.count,
      all.allSatisfy({ $0.stage == reference.stage })
    else { return [own] }
    let differing = reference.bindings.filter { binding in
      !all.allSatisfy { $0.bindings.contains(binding) }
    }
    return differing.isEmpty ? [own] : differing.map { "\($0.axis)=\($0.label)" }
  }
}

/// Something that a report names.
protocol Labelled {
  var thing: Labels.Thing { get }
  var label: String { get set }
}

extension Array where Element: Labelled {
  /// Each with what tells it from the others.
  func labelled() -> [Element] {
    let labels = Labels(map(\.thing))
    return map { element in
      var element = element
      element.label = labels[element.thing]
      return element
    }
  }
}
