/// What a run tells of itself while it goes on.
package enum RunEvent: Sendable {
  case reused(RunStep)
  case started(RunStep, reason: String)
  /// What the stages after this one took before; where nothing is known of them there is no such event.
  case foreseen(RunStep, TimeAhead)
  case progressed(RunStep, StageProgress)
  /// What a person should know of a stage that goes on nevertheless.
  case noted(RunStep, String)
  case finished(RunStep, ResourceUsage)
  case failed(RunStep, message: String)
  case skipped(RunStep, reason: String)
  case interrupted(signal: Int32)
  /// Jobs that go on without this process.
  case leftRunning(Int, noun: String)
  case ended(RunSummary)
}

/// One instance of a running plan: the `number`th of `count`.
package struct RunStep: Sendable, Hashable {
  package var name: String
  /// From 1.
  package var number: Int
  package var count: Int

  package init(name: String, number: Int, count: Int) {
    self.name = name
    self.number = number
    self.count = count
  }
}

/// How a run ended.
package struct RunSummary: Sendable, Hashable {
  package enum Status: String, Sendable {
    case succeeded, failed, interrupted
  }
  /// The run's id in the store.
  package var runID: String
  package var status: Status
  package var executed: Int
  package var reused: Int
  package var failed: Int
  package var skipped: Int
  /// 0 on success, 70 or the failing stage's own code after a failure, 130 or 143 interrupted.
  package var exitCode: Int32
  /// Whether another program kept the database from learning all of it: the next run brings it in.
  package var isDatabaseBehind = false
}

/// Receives the events of a run, on any thread, one at a time for each stage.
package typealias RunObserver = @Sendable (RunEvent) -> Void
