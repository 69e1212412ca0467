import Formats
import Measures
import Workflow

/// Whether, of two models, the one that depends less on remote labels recalls more: counted over all pairs.
struct IndexOrder {
  /// One replicate of a model.
  struct Member {
    /// Without its seed.
    var name: String
    var seed: String?
    /// The stages that evaluated and probed it.
    var evaluation: String
    var probe: String
  }
  private enum Outcome { case more, less, open }

  let members: [Member]
  let contrasts: Contrasts
  let remotes: RemoteDifferences
  /// Objects that were asked for where they were probed.
  let count: Int

  /// Below 0, above it, or neither for certain.
  private static func sign(_ values: [(seed: String?, estimate: Estimate?)]) -> Int? {
    let known = values.compactMap { value in
      value.estimate.map { Replicates.Value(seed: value.seed, estimate: $0) }
    }
    guard !known.isEmpty, known.count == values.count,
      let mean = Replicates(known, areShared: true).mean
    else { return nil }
    return (mean.low ?? 0) > 0 ? 1 : (mean.high ?? 0) < 0 ? -1 : 0
  }

  /// Of the pairs whose indices differ; `nil` for one that was not compared.
  private var outcomes: [Outcome?] {
    let names = distinct(members.map(\.name))
    var result: [Outcome?] = []
    for (place, name) in names.enumerated() {
      for other in names[(place + 1)...] {
        let pairs = pairedBySeed(
          members.filter { $0.name == name }, members.filter { $0.name == other }, \.seed)
        func sign(_ difference: (Member, Member) -> Estimate?) -> Int? {
          Self.sign(
            pairs.map { ($0.first.seed ?? $0.second.seed, difference($0.first, $0.second)) })
        }
        guard let index = sign({ remotes.difference($0.probe, $1.probe, k: count) }) else {
          result.append(nil)
          continue
        }
        if index == 0 { continue }
        let recall = sign { contrasts.difference($0.evaluation, $1.evaluation, .recall) }
        let background = sign { contrasts.difference($0.evaluation, $1.evaluation, .background) }
        guard let recall, let background else {
          result.append(nil)
          continue
        }
        result.append(
          recall == background && recall != 0 ? (recall == index ? .less : .more) : .open)
      }
    }
    return result
  }

  /// Nothing for fewer than three pairs.
  var blocks: [Block] {
    let told = outcomes.compactMap { $0 }
    if told.count < 3 { return [] }
    func count(_ outcome: Outcome) -> Int { told.count { $0 == outcome } }
    return [
      .paragraph(
        "**Does the one that depends less on remote labels recall more?** Of the \(told.count) pairs of models "
          + "whose indices differ (interval of the difference), in \(count(.more)) it recalls more by both "
          + "detectors, in \(count(.less)) it recalls less by both, in \(count(.open)) they do not both tell "
          + "the two apart. Counted, not tested: intervals here are not corrected for their number."
      )
    ]
  }
}
