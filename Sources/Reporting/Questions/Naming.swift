import Lineage
import Workflow

/// What the names of a pipeline stand for in a run. Equal stages are one execution, which the views show
/// once, under the name of the first of them.
struct Naming {
  /// A replicate of what a name stands for.
  struct Replicate: Hashable {
    /// `nil` for what all replicates share.
    var seed: String?
  }

  private var first: [String: String] = [:]
  private var references: [StageReference] = []

  init(_ stages: [StageRecord]) {
    var made: [String: String] = [:]
    for stage in stages {
      if let reference = StageReference(stage.name) { references.append(reference) }
      guard let execution = stage.executionID else { continue }
      first[stage.name] = made[execution] ?? stage.name
      if made[execution] == nil { made[execution] = stage.name }
    }
  }

  /// The name under which the views show a stage.
  func shown(_ name: String) -> String { first[name] ?? name }

  /// The replicate that something is, when it is about what `name` stands for.
  ///
  /// What a run's replicates share is measured by each of them: then the seed is that of the measurement.
  /// - Parameters:
  ///   - title: the stage that made what was measured, as the views show it.
  ///   - stage: the stage that measured it.
  func replicate(of name: String, title: String, stage: String) -> Replicate? {
    let seed = Labels.seed(of: title, measuredBy: stage)
    guard let named = StageReference(name) else {
      return name == title ? Replicate(seed: seed) : nil
    }
    let own = references.filter { named.covers($0) && shown($0.name) == title }
    return own.contains { $0.seed == nil || seed == nil || $0.seed == seed }
      ? Replicate(seed: seed) : nil
  }
}
