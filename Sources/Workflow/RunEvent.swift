/// What a run tells of itself while it goes on.
public enum RunEvent: Sendable {
  case reused(RunStep)
  case started(RunStep, reason: String)
  case progressed(RunStep, StageProgress)
  /// What a person should know of a stage that goes on nevertheless.
  case noted(RunStep, String)
  case finished(RunStep, ResourceUsage)
  case failed(RunStep, message: String)
  case skipped(RunStep, reason: String)
  case interrupted(signal: Int32)
  case ended(RunSummary)
}

/// One instance of a running plan: the `number`th of `count`.
public struct RunStep: Sendable, Hashable {
  public var name: String
  /// From 1.
  public var number: Int
  public var count: Int

  public init(name: String, number: Int, count: Int) {
    self.name = name
    self.number = number
    self.count = count
  }
}

/// How a run ended.
public struct RunSummary: Sendable, Hashable {
  public enum Status: String, Sendable {
    case succeeded, failed, interrupted
  }
  /// The run's id in the store.
  public var runID: String
  public var status: Status
  public var executed: Int
  public var reused: Int
  public var failed: Int
  public var skipped: Int
  /// 0 on success, 70 or the failing stage's own code after a failure, 130 or 143 interrupted.
  public var exitCode: Int32
}

/// Receives the events of a run, on any thread, one at a time for each stage.
public typealias RunObserver = @Sendable (RunEvent) -> Void
