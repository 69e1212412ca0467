import Formats
import Foundation
import Lineage
import Synchronization

/// Carries out a plan: stage after stage, each in a scratch folder of its own, its result
/// published to the store before the next begins.
package struct Runner {
  /// How a stage of this run ended.
  enum Outcome {
    case done(StageResult)
    /// Failed or skipped: what needs it is skipped.
    case absent
  }

  let plan: Plan
  let store: Store
  let settings: RunSettings
  let cancellation: Cancellation
  let observer: RunObserver
  let live: LiveProgress
  let resolver: StageResolver
  let runID: String
  var outcomes: [Int: Outcome] = [:]
  var summary: RunSummary
  /// Stages of this run that are not in the store yet, in their order.
  var unrecorded: [StageRecord] = []
  /// Keys of executions that have one from earlier runs.
  let checkpoints: Set<String>
  /// Keys of executions that have orders from earlier runs.
  let orders: Set<String>
  /// Runs before this one that did not tell of their end.
  private let unfinished: [String]
  /// Whether the request to end left something undone; one that comes too late does not.
  var wasInterrupted = false
  private var hasThreads = false
  private var forecast: RunForecast?
  /// Where the run comes from, as it is recorded.
  var origin: RunOrigin
  var isWorking = false

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
      if let jobs = settings.jobs {
        try runner.runJobs(try jobs.executor(store.folder), limit: jobs.limit)
      } else {
        for index in plan.steps.indices { try runner.step(index) }
      }
      return try runner.finish()
    } catch {
      // The store failed, but perhaps it can still say so; the first error is the one that counts.
      try? store.recordEvent(
        runID: runner.runID, executionID: nil, level: "error",
        message: "the run ended early: \(message(of: error))")
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
    orders = Set(try OrderFolder.keys(in: store.folder))
    origin = RunOrigin(gitCommit: settings.gitCommit, machine: settings.machine)
    unfinished = try store.unfinishedRuns()
    runID = try store.beginRun(
      pipeline: plan.pipeline.name, path: plan.pipeline.path, source: plan.pipeline.source,
      trigger: settings.trigger, seed: plan.pipeline.seed, host: ProcessInfo.processInfo.hostName,
      locusVersion: settings.locusVersion, gitCommit: origin.gitCommit,
      options: settings.options, machine: settings.machine)
    summary = RunSummary(
      runID: runID, status: .succeeded, executed: 0, reused: 0, failed: 0, skipped: 0, exitCode: 0)
  }

  private func prepare(after dead: LockHolder?) throws {
    if let dead {
      try store.recordEvent(
        runID: runID, executionID: nil, level: "warning",
        message: "took over the lock of \(dead.description), which ended without releasing it"
          + (dead.isOfEarlierBoot ? ": the machine was started anew" : ""))
    }
    for id in unfinished where try store.run(id).status == RunSummary.Status.interrupted.rawValue {
      try store.recordEvent(
        runID: runID, executionID: nil, level: "warning",
        message: "run \(id), before this one, ended without a word: it was killed, or could not"
          + " write")
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

  /// A stage that has to run.
  struct Ready {
    var step: Plan.Step
    var index: Int
    var place: RunStep
    /// Gathered stages in the order that the key has them.
    var inputs: [String: [StageResult]]
    var key: String
    /// Why it runs, for the observer and for the record.
    var told: String
    var reason: String
  }

  private mutating func step(_ index: Int) throws {
    guard let ready = try decide(index) else { return }
    observer(.started(ready.place, reason: ready.told))
    foresee(index, ready.place)
    try execute(ready)
  }

  /// `nil` once a stage has its outcome, because it is reused or skipped.
  mutating func decide(_ index: Int) throws -> Ready? {
    let step = plan.steps[index]
    let place = RunStep(name: step.instance.name, number: index + 1, count: plan.steps.count)
    if cancellation.isRequested {
      wasInterrupted = true
      try skip(step, place, reason: "the run was interrupted")
      return nil
    }
    let absent = step.instance.inputs.values.flatMap { $0 }.sorted().first {
      if case .done? = outcomes[$0] { false } else { true }
    }
    if let absent {
      try skip(
        step, place, reason: "its input `\(plan.pipeline.instances[absent].name)` did not succeed")
      return nil
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
      try skip(step, place, reason: "the run was interrupted")
      return nil
    }
    let reason = resolution.reasons.map(\.text).joined(separator: "; ")
    if let execution = resolution.execution {
      try record(step, key: execution.key, status: "reused", reason: reason, execution.id)
      // A process may have died between a success and the end of its checkpoint.
      if checkpoints.contains(execution.key) {
        try? CheckpointFolder(store: store, key: execution.key).remove()
      }
      if orders.contains(execution.key) {
        try? OrderFolder(store: store.folder, key: execution.key).remove()
      }
      outcomes[step.position] = .done(StageResult(execution.outputs))
      summary.reused += 1
      observer(.reused(place))
      return nil
    }
    let compared = resolution.comparedWith.map { "; compared with execution \($0)" } ?? ""
    return Ready(
      step: step, index: index, place: place,
      inputs: inputs.mapValues { results in
        results.sorted {
          StageSpecification.sortText($0.outputs) < StageSpecification.sortText($1.outputs)
        }
      }, key: resolution.specification.key, told: reason, reason: reason + compared)
  }

  /// For the eyes alone: what cannot be foreseen stops nothing.
  private mutating func foresee(_ index: Int, _ place: RunStep) {
    if forecast == nil { forecast = try? RunForecast(plan, store: store) }
    if let forecast { observer(.foreseen(place, forecast[index])) }
  }

  mutating func skip(_ step: Plan.Step, _ place: RunStep, reason: String) throws {
    try record(step, key: nil, status: "skipped", reason: reason, nil)
    outcomes[step.position] = .absent
    summary.skipped += 1
    observer(.skipped(place, reason: reason))
  }

  mutating func record(
    _ step: Plan.Step, key: String?, status: String, reason: String, _ executionID: String?
  ) throws {
    unrecorded.append(
      StageRecord(
        runID: runID, name: step.instance.name, kind: step.instance.kind.name, key: key,
        status: status, reason: reason, executionID: executionID))
    // What takes no time is recorded together, with what comes next or at the end.
    if status != "reused" && status != "skipped" { try recordAll() }
  }

  mutating func recordAll() throws {
    if unrecorded.isEmpty { return }
    try store.recordStages(unrecorded)
    unrecorded = []
  }

  private mutating func execute(_ ready: Ready) throws {
    let (step, place, inputs) = (ready.step, ready.place, ready.inputs)
    let (key, reason) = (ready.key, ready.reason)
    let instance = step.instance
    try lookForOrigin()
    try record(step, key: key, status: "running", reason: reason, nil)
    let scratch = try store.makeScratch()
    defer { store.removeScratch(scratch) }
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
          inputs: StageExecution.inputs(inputs, in: store.folder), outside: instance.outside,
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
    if isInterrupted {
      try interrupt(step, place, key: execution.key, reason: reason, id)
    } else {
      try fail(
        step, place, key: execution.key, reason: reason, id, text: message(of: error),
        exitCode: exitCode(of: error))
    }
    return id
  }

  mutating func interrupt(
    _ step: Plan.Step, _ place: RunStep, key: String, reason: String, _ id: String
  ) throws {
    try record(step, key: key, status: "interrupted", reason: reason, id)
    outcomes[step.position] = .absent
    wasInterrupted = true
    observer(.interrupted(signal: cancellation.signal))
  }

  /// - Parameter id: of the execution, as it was recorded.
  mutating func fail(
    _ step: Plan.Step, _ place: RunStep, key: String, reason: String, _ id: String, text: String,
    exitCode: Int32
  ) throws {
    try record(step, key: key, status: "failed", reason: reason, id)
    outcomes[step.position] = .absent
    summary.failed += 1
    // The first failure is the one that others may follow from.
    if summary.exitCode == 0 { summary.exitCode = exitCode }
    try store.recordEvent(
      runID: runID, executionID: id, level: "error", message: "\(step.instance.name): \(text)")
    observer(.failed(place, message: text))
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
  mutating func set(_ usage: ResourceUsage, after earlier: Checkpoint.Spent) {
    wallSeconds = usage.wallSeconds + earlier.wallSeconds
    cpuSeconds = usage.cpuSeconds + earlier.cpuSeconds
    peakRSSBytes = usage.peakRSSBytes
  }
}
