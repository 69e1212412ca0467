import Lineage

/// How long the stages took before that are still to come.
package struct TimeAhead: Sendable, Hashable, Codable {
  /// Of those of which it is known.
  package var seconds: Double
  /// How many have never run, nor another instance of their stage.
  package var unknown: Int

  package init(seconds: Double, unknown: Int) {
    self.seconds = seconds
    self.unknown = unknown
  }
}

/// What is left of a run after each of its steps, from what the same instances took before. One that would
/// be reused takes nothing.
struct RunForecast {
  /// By step, what comes after it.
  private let ahead: [TimeAhead]

  /// Asked for when the first stage runs: a run that has nothing to do needs no forecast.
  init(_ plan: Plan, store: Store) throws {
    let steps = try plan.decided(in: store).steps
    var left = TimeAhead(seconds: 0, unknown: 0)
    var ahead: [TimeAhead] = []
    for step in steps.reversed() {
      ahead.append(left)
      guard step.runs else { continue }
      let before = try store.lastSeconds(
        pipeline: plan.pipeline.name, stage: step.instance.name, orOf: step.instance.stage)
      if let before { left.seconds += before } else { left.unknown += 1 }
    }
    self.ahead = ahead.reversed()
  }

  subscript(step: Int) -> TimeAhead { ahead[step] }
}
