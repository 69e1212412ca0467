import Lineage

/// A plan whose results come from several numerics: instruction sets or mathematical libraries, which round
/// last bits otherwise.
package struct MixedNumerics: Sendable, Hashable {
  /// By what results were or will be computed, and the stages; those that will run last.
  package var parts: [Part]

  package struct Part: Sendable, Hashable {
    package var numerics: String
    package var isToCome: Bool
    package var stages: [String]
  }

  /// One line.
  package var text: String {
    "numerics differ: "
      + parts.map { part in
        (part.isToCome ? "to run with " : "reused from ") + "`\(part.numerics)`: "
          + part.stages.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
          + (part.stages.count > 3 ? " and \(part.stages.count - 3) more" : "")
      }.joined(separator: "; ")
      + "; last bits differ between them, so that results of one cannot be held against those of another bit"
      + " for bit, nor paired (`--force` makes them with this one)"
  }
}

extension Plan {
  /// What of the plan cannot be compared with the rest; `nil` where all is of one numerics, as far as is known.
  package var mixedNumerics: MixedNumerics? {
    var parts: [MixedNumerics.Part] = []
    for step in steps {
      guard let numerics = step.numerics else { continue }
      if let at = parts.firstIndex(where: { $0.numerics == numerics && $0.isToCome == step.runs }) {
        parts[at].stages.append(step.instance.name)
      } else {
        parts.append(
          MixedNumerics.Part(
            numerics: numerics, isToCome: step.runs, stages: [step.instance.name]))
      }
    }
    if Set(parts.map(\.numerics)).count < 2 { return nil }
    return MixedNumerics(parts: parts.filter { !$0.isToCome } + parts.filter(\.isToCome))
  }

  /// The same of the plan as the store would have it now, once what is to run fits what is reused.
  ///
  /// - Throws: `WorkflowError.misfits` for what needs a result of other numerics as if it were of these.
  package func checkNumerics(_ store: Store) throws -> MixedNumerics? {
    // Nearly every store was made by one machine, and its runs are told nothing.
    let own = Set(pipeline.instances.compactMap(\.kind.instructions))
    guard try own.contains(where: { try store.hasOthers(than: $0) }) else { return nil }
    let plan = try decided(in: store)
    guard let mixed = plan.mixedNumerics else { return nil }
    try plan.checkInputs(store)
    return mixed
  }
}
