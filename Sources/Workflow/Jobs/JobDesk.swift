import Foundation
import Lineage

/// One stage of a run that is executed elsewhere.
struct ActiveJob {
  var ready: Runner.Ready
  var orders: OrderFolder
  var attempt: Int
  /// The executor's name of it; `nil`: it is to be submitted.
  var job: String?
  /// How often it was lost.
  var losses = 0
  /// How often in a row it could not be submitted.
  var refusals = 0
  var notBefore = ContinuousClock.now
  /// Since when it has been gone without a receipt.
  var goneSince: ContinuousClock.Instant?
  var isRunning = false
  /// Where and since when it ran when last seen at it.
  var node: String?
  var since: String?

  var name: String { ready.place.name }
  var instance: StageInstance { ready.step.instance }
}

/// The jobs of a run, and what was said of them.
struct JobDesk {
  var executor: any Executor
  var jobs: [ActiveJob] = []
  var isStopping = false
  /// Whether the last look found something new.
  var hasChanged = false
  private(set) var lastChange = ContinuousClock.now
  private var told: Set<String> = []
  /// Where jobs of this run ran, and since when the first did.
  private(set) var nodes: [String: String] = [:]
  /// Since when the scheduler does not answer, and the disk has no room.
  var silentSince: ContinuousClock.Instant?
  var fullSince: String?
  private var lastShown = ContinuousClock.now

  init(_ executor: any Executor) { self.executor = executor }

  /// `Slurm job 17_3`.
  func called(_ job: String) -> String { "\(executor.noun) \(executor.shown(job))" }

  mutating func change() {
    hasChanged = true
    lastChange = .now
  }

  /// Whether something is to be said: once, until it is forgotten.
  mutating func isNews(_ what: String) -> Bool { told.insert(what).inserted }

  mutating func saw(_ node: String?, since: String?) {
    guard let node, let since else { return }
    nodes[node] = min(nodes[node] ?? since, since)
  }

  /// Whether this look tells how far jobs are: once a second.
  private(set) var showsProgress = false

  mutating func beginLook() {
    hasChanged = false
    showsProgress = ContinuousClock.now - lastShown >= .seconds(1)
    if showsProgress { lastShown = .now }
  }
}
