import Formats
import Foundation
import Lineage
import Synchronization

/// Carries out a plan: stage after stage, each in a scratch folder of its own, its result
/// published to the store before the next begins.
package struct Runner {
  /// How a stage of this run ended.
  private enum Outcome {
    case done(StageResult)
    /// Failed or skipped: what needs it is skipped.
    case absent
  }

  private let plan: Plan
  private let store: Store
  private let settings: RunSettings
  private let cancellation: Cancellation
  private let observer: RunObserver
  private let live: LiveProgress
  private let resolver: StageResolver
  private let runID: String
  private var outcomes: [Int: Outcome] = [:]
  private var summary: RunSummary
  /// Stages of this run that are not in the store yet, in their order.
  private var unrecorded: [StageRecord] = []
  /// Keys of executions that have one from earlier runs.
  private let checkpoints: Set<String>
  /// Whether the request to end left something undone; one that comes too late does not.
  private var wasInterrupted = false
  private var hasThreads = false
  private var forecast: RunForecast?
  /// Where the run comes from, as it is recorded.
  private var origin: RunOrigin
  private var isWorking = false

  /// - Parameters:
  ///   - lock: shows that this process may write; held until the run has ended.
  ///   - cancellation: asks the run to end; see `SignalWatch`.
  /// - Returns: how it ended, failures included. Throws when the store itself fails.
  package static func run(
    _ plan: Plan, store: Store, lock: RunLock, settings: RunSettings,
    cancellation: Cancellation = Cancellation(), observer: @escaping RunObserver = { _ in }
  ) throws -> RunSummary {
    var runner = try Runner(plan, store, settings, cancellation, observer)
    defer {
      runner.live.remove()
      withExtendedLifetime(lock) {}
    }
    do {
      try runner.prepare(after: lock.previous)
      for index in plan.steps.indices { try runner.step(index) }
      return try runner.finish()
    } catch {
      // The store failed, but perhaps it can still say so; the first error is the one that counts.
      try? store.finishRun(
        runner.runID, status: RunSummary.Status.failed.rawValue, stages: runner.unrecorded)
      throw error
    }
  }

  private init(
    _ plan: Plan, _ store: Store, _ settings: RunSettings, _ cancellation: Cancellation,
    _ observer: @escaping RunObserver
  ) throws {
    self.plan = plan
    self.store = store
    self.settings = settings
    self.cancellation = cancellation
    let live = LiveProgress(store: store, pipeline: plan.pipeline.name)
    self.live = live
    self.observer = { event in
      live.observe(event)
      observer(event)
    }
    resolver = StageResolver(
      pipeline: plan.pipeline.name, store: store, checkCancellation: { try cancellation.check() })
    checkpoints = Set(try CheckpointFolder.keys(in: store))
    origin = RunOrigin(gitCommit: settings.gitCommit, machine: settings.machine)
    runID = try store.beginRun(
      pipeline: plan.pipeline.name, path: plan.pipeline.path, source: plan.pipeline.source,
      trigger: settings.trigger, seed: plan.pipeline.seed, host: ProcessInfo.processInfo.hostName,
      locusVersion: settings.locusVersion, gitCommit: origin.gitCommit,
      options: settings.options, machine: settings.machine)
    summary = RunSummary(
      runID: runID, status: .succeeded, executed: 0, reused: 0, failed: 0, skipped: 0, exitCode: 0)
  }

  // MARK: - Where it comes from

  /// A run that works waits for where it comes from, at its end; one without work hardly does.
  private enum Patience {
    static let working = Duration.seconds(2)
    static let idle = Duration.milliseconds(250)
  }

  /// Has it found out while stages run, and records what is known: a run may be killed at any time.
  private mutating func lookForOrigin() throws {
    isWorking = true
    if let found = settings.origin?(true, .zero) { try record(found) }
  }

  private mutating func settleOrigin() throws {
    guard let find = settings.origin else { return }
    if !isWorking, let before = try store.marksBefore(runID) {
      // Without work its results are those of the run before, and come from where that came from. The same
      // bytes are in the same commit or are not.
      var found = origin
      let isKnown = found.take(before)
      try record(found)
      if isKnown { return }
    }
    let patience = isWorking ? Patience.working : Patience.idle
    if let found = find(isWorking, patience) {
      try record(found)
    } else {
      origin.notes = [
        "git did not say within \(patience) whether the checkout is as its commit has it"
      ]
    }
    for note in origin.notes {
      try store.recordEvent(runID: runID, executionID: nil, level: "info", message: note)
    }
  }

  private mutating func record(_ found: RunOrigin) throws {
    var found = found
    found.machine = origin.machine.merging(found.machine) { $1 }
    if (found.gitCommit, found.machine) != (origin.gitCommit, origin.machine) {
      try store.amendRun(runID, gitCommit: found.gitCommit, machine: found.machine)
    }
    origin = found
  }

  private func prepare(after dead: LockHolder?) throws {
    if let dead {
      try store.recordEvent(
        runID: runID, executionID: nil, level: "warning",
        message: "took over the lock of \(dead.description), which ended without releasing it"
          + (dead.isOfEarlierBoot ? ": the machine was started anew" : ""))
    }
    live.remove()
    let count = plan.pipeline.instances.count
    if plan.steps.count < count {
      try store.recordEvent(
        runID: runID, executionID: nil, level: "info",
        message: RunRecord.partial + "\(plan.steps.count) of \(count) stages")
    }
    try removeOutdatedCheckpoints()
  }

  /// A kind of another version goes to another key and would never ask for them.
  private func removeOutdatedCheckpoints() throws {
    let versions = Dictionary(
      plan.pipeline.instances.map { ($0.kind.name, $0.kind.version) },
      uniquingKeysWith: { first, _ in first })
    for key in checkpoints {
      let folder = CheckpointFolder(store: store, key: key)
      guard let manifest = try folder.wholeManifest(), let version = versions[manifest.kind],
        version != manifest.version
      else { continue }
      try folder.remove()
      try store.recordEvent(
        runID: runID, executionID: nil, level: "warning",
        message: "deleted a checkpoint of kind `\(manifest.kind)` version \(manifest.version);"
          + " the version is now \(version)")
    }
  }

  // MARK: - One stage

  private mutating func step(_ index: Int) throws {
    let step = plan.steps[index]
    let place = RunStep(name: step.instance.name, number: index + 1, count: plan.steps.count)
    if cancellation.isRequested {
      wasInterrupted = true
      return try skip(step, place, reason: "the run was interrupted")
    }
    let absent = step.instance.inputs.values.flatMap { $0 }.sorted().first {
      if case .done? = outcomes[$0] { false } else { true }
    }
    if let absent {
      return try skip(
        step, place, reason: "its input `\(plan.pipeline.instances[absent].name)` did not succeed")
    }
    let inputs = step.instance.inputs.mapValues { positions in
      positions.compactMap { position -> StageResult? in
        if case .done(let result)? = outcomes[position] { result } else { nil }
      }
    }
    let resolution: StageResolver.Resolution
    do {
      resolution = try resolver.resolve(step.instance, inputs: inputs, forced: step.isForced)
    } catch is CancellationError {
      wasInterrupted = true
      return try skip(step, place, reason: "the run was interrupted")
    }
    let reason = resolution.reasons.map(\.text).joined(separator: "; ")
    if let execution = resolution.execution {
      try record(step, key: execution.key, status: "reused", reason: reason, execution.id)
      // A process may have died between a success and the end of its checkpoint.
      if checkpoints.contains(execution.key) {
        try? CheckpointFolder(store: store, key: execution.key).remove()
      }
      outcomes[step.position] = .done(StageResult(execution.outputs))
      summary.reused += 1
      observer(.reused(place))
    } else {
      observer(.started(place, reason: reason))
      foresee(index, place)
      let compared = resolution.comparedWith.map { "; compared with execution \($0)" } ?? ""
      try execute(
        step, place, inputs: inputs, key: resolution.specification.key, reason: reason + compared)
    }
  }

  /// For the eyes alone: what cannot be foreseen stops nothing.
  private mutating func foresee(_ index: Int, _ place: RunStep) {
    if forecast == nil { forecast = try? RunForecast(plan, store: store) }
    if let forecast { observer(.foreseen(place, forecast[index])) }
  }

  private mutating func skip(_ step: Plan.Step, _ place: RunStep, reason: String) throws {
    try record(step, key: nil, status: "skipped", reason: reason, nil)
    outcomes[step.position] = .absent
    summary.skipped += 1
    observer(.skipped(place, reason: reason))
  }

  private mutating func record(
    _ step: Plan.Step, key: String?, status: String, reason: String, _ executionID: String?
  ) throws {
    unrecorded.append(
      StageRecord(
        runID: runID, name: step.instance.name, kind: step.instance.kind.name, key: key,
        status: status, reason: reason, executionID: executionID))
    // What takes no time is recorded together, with what comes next or at the end.
    if status != "reused" && status != "skipped" { try recordAll() }
  }

  private mutating func recordAll() throws {
    if unrecorded.isEmpty { return }
    try store.recordStages(unrecorded)
    unrecorded = []
  }

  private mutating func execute(
    _ step: Plan.Step, _ place: RunStep, inputs: [String: [StageResult]], key: String,
    reason: String
  ) throws {
    let instance = step.instance
    try lookForOrigin()
    try record(step, key: key, status: "running", reason: reason, nil)
    let scratch = try store.makeScratch()
    defer { store.removeScratch(scratch) }
    // Gathered stages are handed over in the order that the key has them.
    let inputs = inputs.mapValues { results in
      results.sorted {
        StageSpecification.sortText($0.outputs) < StageSpecification.sortText($1.outputs)
      }
    }
    var execution = ExecutionRecord(
      key: key, kind: instance.kind.name, parameters: instance.parameters, seed: instance.seed,
      inputs: StageExecution.references(inputs, declarations: instance.kind.inputs))
    execution.threads = settings.threads
    execution.kindVersion = instance.kind.version
    execution.instructions = instance.kind.instructions
    let meter = ResourceMeter()
    let notes = Mutex<[String]>([])
    let note: @Sendable (String) -> Void = { [observer] note in
      observer(.noted(place, note))
      notes.withLock { $0.append(note) }
    }
    let checkpoint = Checkpoint(
      CheckpointFolder(store: store, key: key), kind: instance.kind, meter: meter,
      interval: settings.checkpointInterval, note: note)
    var executionID: String?
    do {
      try checkThreads()
      let output = try instance.kind.run(
        StageContext(
          parameters: instance.parameters, seed: instance.seed, threads: settings.threads,
          inputs: StageExecution.inputs(inputs, store: store), outside: instance.outside,
          object: StageExecution.objects(of: store), scratch: scratch,
          checkpoint: checkpoint, progress: { [observer] in observer(.progressed(place, $0)) },
          note: note,
          checkCancellation: { [cancellation] in try cancellation.check() }))
      try StageExecution.check(output.files, stage: instance.name)
      let usage = meter.stop()
      execution.set(usage, after: checkpoint.earlier)
      execution.metrics = output.metrics
      execution.tables = output.tables
      let published = try store.publish(
        execution,
        files: output.files, runID: runID)
      executionID = published.id
      try record(step, key: key, status: "executed", reason: reason, published.id)
      checkpoint.remove()
      outcomes[step.position] = .done(StageResult(published.outputs))
      summary.executed += 1
      observer(.finished(place, usage))
    } catch {
      execution.set(meter.stop(), after: checkpoint.earlier)
      // On a full disk this makes the room that the record of the failure needs.
      store.removeScratch(scratch)
      executionID = try fail(step, place, execution, error, reason: reason)
    }
    for note in notes.withLock({ $0 }) {
      try store.recordEvent(
        runID: runID, executionID: executionID, level: "info", message: "\(place.name) \(note)")
    }
  }

  /// Once: threads that earlier stages worked on are kept for later ones.
  private mutating func checkThreads() throws {
    if hasThreads { return }
    try Resources.check(threads: settings.threads)
    hasThreads = true
  }

  private mutating func fail(
    _ step: Plan.Step, _ place: RunStep, _ execution: ExecutionRecord, _ error: any Error,
    reason: String
  ) throws -> String {
    var execution = execution
    // What could not be published is no result.
    execution.metrics = []
    execution.tables = [:]
    let isInterrupted = error is CancellationError && cancellation.isRequested
    execution.status = isInterrupted ? "interrupted" : "failed"
    execution.error = isInterrupted ? "interrupted" : message(of: error)
    let id = try store.recordFailure(execution, runID: runID)
    try record(step, key: execution.key, status: execution.status, reason: reason, id)
    outcomes[step.position] = .absent
    if isInterrupted {
      wasInterrupted = true
      observer(.interrupted(signal: cancellation.signal))
    } else {
      summary.failed += 1
      // The first failure is the one that others may follow from.
      if summary.exitCode == 0 { summary.exitCode = exitCode(of: error) }
      let text = message(of: error)
      try store.recordEvent(
        runID: runID, executionID: id, level: "error", message: "\(step.instance.name): \(text)")
      observer(.failed(place, message: text))
    }
    return id
  }

  private mutating func finish() throws -> RunSummary {
    if wasInterrupted {
      summary.status = .interrupted
      summary.exitCode = 128 + cancellation.signal
    } else if summary.failed > 0 {
      summary.status = .failed
    }
    resolver.finish()
    try settleOrigin()
    try store.finishRun(runID, status: summary.status.rawValue, stages: unrecorded)
    summary.isDatabaseBehind = store.isBehind
    observer(.ended(summary))
    return summary
  }
}

extension ExecutionRecord {
  /// What it cost, with what earlier processes spent on the work that this one went on with.
  fileprivate mutating func set(_ usage: ResourceUsage, after earlier: Checkpoint.Spent) {
    wallSeconds = usage.wallSeconds + earlier.wallSeconds
    cpuSeconds = usage.cpuSeconds + earlier.cpuSeconds
    peakRSSBytes = usage.peakRSSBytes
  }
}
