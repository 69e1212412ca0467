import Formats
import Foundation
import Lineage

// Stages as jobs: whatever has its inputs is ordered, and whatever is ordered is taken in when its receipt, and
// every object that it names, can be believed. The scheduler's word alone makes nothing done and loses nothing.

extension Runner {
  /// Runs all that is to be run, at most `limit` stages at once.
  mutating func runJobs(_ executor: any Executor, limit: Int) throws {
    var desk = JobDesk(executor)
    var waiting = Array(plan.steps.indices)
    var held: [Ready] = []
    while true {
      // What is reused gives others their inputs.
      waiting = try waiting.filter { index in
        let inputs = plan.steps[index].instance.inputs.values.joined()
        guard inputs.allSatisfy({ outcomes[$0] != nil }) else { return true }
        if let ready = try decide(index) { held.append(ready) }
        return false
      }
      if cancellation.isRequested { try stop(&desk, &held) }
      try begin(&held, &desk, limit)
      if desk.jobs.isEmpty && waiting.isEmpty && held.isEmpty {
        return try tellNews(&desk, isDue: !desk.nodes.isEmpty)
      }
      try submit(&desk)
      try look(&desk, &waiting, &held)
      // An outcome may let others begin at once.
      if !desk.hasChanged { wait(desk) }
    }
  }

  /// Asks the executor's jobs to end, or leaves them to who comes next.
  private mutating func stop(_ desk: inout JobDesk, _ held: inout [Ready]) throws {
    for ready in held { try skip(ready.step, ready.place, reason: "the run was interrupted") }
    held = []
    wasInterrupted = true
    if !desk.isStopping { observer(.interrupted(signal: cancellation.signal)) }
    let left = desk.jobs.filter { $0.job == nil || desk.executor.outlives }
    for job in left {
      let goesOn = job.job.map { "goes on as \(desk.called($0))" }
      try record(
        job.ready.step, key: job.ready.key, status: "interrupted",
        reason: goesOn ?? "the run was interrupted", nil)
      outcomes[job.ready.step.position] = .absent
    }
    let count = left.count { $0.job != nil }
    if count > 0 { observer(.leftRunning(count, noun: desk.executor.noun)) }
    let gone = Set(left.map(\.ready.index))
    desk.jobs.removeAll { gone.contains($0.ready.index) }
    if !desk.isStopping { try desk.executor.cancel(desk.jobs.compactMap(\.job)) }
    desk.isStopping = true
  }

  private func wait(_ desk: JobDesk) {
    let now = ContinuousClock.now
    var end = now + desk.executor.pause(unchangedFor: now - desk.lastChange)
    // One that is to be tried again, or whose receipt is waited for, has a time of its own.
    for job in desk.jobs {
      if job.job == nil { end = min(end, max(job.notBefore, now + .milliseconds(20))) }
      if let gone = job.goneSince {
        end = min(end, max(gone + desk.executor.patience, now + .milliseconds(200)))
      }
    }
    while ContinuousClock.now < end, desk.isStopping || !cancellation.isRequested {
      let left = (end - .now) / .microseconds(1)
      usleep(UInt32(min(max(left, 1), 100_000)))
    }
  }

  // MARK: - Orders

  private mutating func begin(_ held: inout [Ready], _ desk: inout JobDesk, _ limit: Int) throws {
    if held.isEmpty { return }
    var rest: [Ready] = []
    var keys = Set(desk.jobs.map(\.ready.key))
    var isNew = false
    for ready in held {
      // Equal stages under several names are computed once.
      guard desk.jobs.count < limit, keys.insert(ready.key).inserted else {
        rest.append(ready)
        continue
      }
      observer(.started(ready.place, reason: ready.told))
      unrecorded.append(
        StageRecord(
          runID: runID, name: ready.place.name, kind: ready.step.instance.kind.name,
          key: ready.key, status: "running", reason: ready.reason, executionID: nil))
      desk.jobs.append(try takeOver(ready, &desk))
      isNew = true
    }
    held = rest
    if isNew {
      try recordAll()
      try lookForOrigin()
    }
  }

  /// The job of a stage: that of an earlier controller where there is one.
  private func takeOver(_ ready: Ready, _ desk: inout JobDesk) throws -> ActiveJob {
    let orders = OrderFolder(store: store.folder, key: ready.key)
    var job = ActiveJob(ready: ready, orders: orders, attempt: 0)
    let last = self.orders.contains(ready.key) ? try orders.attempts().last : nil
    if let last, let elsewhere = elsewhere(last, orders) {
      job.attempt = last
      let found = try desk.executor.find(placed(job))
      if let found { try desk.executor.cancel([found]) }
      let cancelled = found.map { "; \(desk.called($0)), which works there, is cancelled" } ?? ""
      try store.recordEvent(
        runID: runID, executionID: nil, level: "warning",
        message: "\(job.name) was ordered in \(elsewhere), from where the store was moved"
          + cancelled)
      job.attempt = try store.nextAttempt(ready.key)
      return job
    }
    guard let last else {
      job.attempt = try store.nextAttempt(ready.key)
      return job
    }
    job.attempt = last
    if try store.hasRecorded(ready.key, attempt: last) || !isCurrent(last, ready, orders) {
      try tellOfEnd(job, desk)
      job.attempt = try store.nextAttempt(ready.key)
      return job
    }
    // One that has delivered is looked at as any other.
    if try orders.hasDelivery(last) {
      job.job = "earlier"
      return job
    }
    job.job = try desk.executor.find(placed(job))
    if let found = job.job {
      observer(.noted(ready.place, "was submitted before, as \(desk.called(found))"))
    }
    return job
  }

  /// Names an attempt that had ended, or was given up, when an earlier controller did: it may not have said so itself.
  private func tellOfEnd(_ job: ActiveJob, _ desk: JobDesk) throws {
    var executor = desk.executor
    guard let id = try executor.find(placed(job)) else { return }
    let record = (try? job.orders.delivery(job.attempt))?.record
    let how = record.map { " (\($0.status)\($0.error.map { ": \($0)" } ?? ""))" } ?? ""
    try store.recordEvent(
      runID: runID, executionID: nil, level: "warning",
      message: "\(job.name): attempt \(job.attempt), \(desk.called(id)), had ended\(how); ordered"
        + " anew")
  }

  /// The folder of the store that an order was written for, if that is another one.
  private func elsewhere(_ attempt: Int, _ orders: OrderFolder) -> String? {
    guard let order = try? orders.order(attempt) else { return nil }
    var (then, now) = (stat(), stat())
    // It may have several names.
    let isHere =
      stat(order.folder, &then) == 0 && stat(store.folder.path, &now) == 0
      && then.st_dev == now.st_dev && then.st_ino == now.st_ino
    return isHere ? nil : order.folder
  }

  /// Whether the last attempt's order still says what is to be done, and nothing is known yet of its end.
  private func isCurrent(_ attempt: Int, _ ready: Ready, _ orders: OrderFolder) throws -> Bool {
    if try orders.isCancelled(attempt) { return false }
    do {
      let order = try orders.order(attempt)
      if order.numerics != ready.step.instance.kind.instructions { return false }
      guard let delivery = try orders.delivery(attempt) else { return true }
      return try delivery.isSuccess && delivery.misfit(order) == nil && !store.hasTaken(delivery)
    } catch {
      guard let error = error as? StoreError else { throw error }
      switch error {
      case .damaged, .newerReceipt: return false
      default: throw error
      }
    }
  }

  private func placed(_ job: ActiveJob) -> PlacedOrder {
    PlacedOrder(
      key: job.ready.key, attempt: job.attempt, stage: job.name,
      url: job.orders.orderURL(job.attempt), log: job.orders.logURL(job.attempt),
      options: job.instance.executor)
  }

  func order(_ job: ActiveJob) -> WorkOrder {
    let instance = job.instance
    return WorkOrder(
      stage: job.name, key: job.ready.key, attempt: job.attempt, kind: instance.kind.name,
      kindVersion: instance.kind.version, parameters: instance.parameters, seed: instance.seed,
      inputs: job.ready.inputs.mapValues { $0.map(\.outputs) },
      outside: instance.outside.mapValues {
        WorkOrder.Outside(path: $0.url.path, sha256: $0.sha256, files: $0.files)
      }, folder: store.folder.standardizedFileURL.path,
      threads: instance.executor.cpus ?? settings.jobs?.threads ?? 1,
      numerics: instance.kind.instructions, checkpointInterval: settings.checkpointInterval)
  }

  private mutating func submit(_ desk: inout JobDesk) throws {
    let now = ContinuousClock.now
    let places = desk.jobs.indices.filter {
      desk.jobs[$0].job == nil && desk.jobs[$0].notBefore <= now
    }
    if places.isEmpty || desk.isStopping { return }
    for place in places { try desk.jobs[place].orders.place(order(desk.jobs[place])) }
    let results = try desk.executor.submit(places.map { placed(desk.jobs[$0]) })
    desk.change()
    var refused: [Int: String] = [:]
    // Orders of one batch are tried again at one time.
    let later = ContinuousClock.now
    for (place, result) in zip(places, results) {
      switch result {
      case .submitted(let id):
        desk.jobs[place].job = id
        desk.jobs[place].refusals = 0
        observer(.noted(desk.jobs[place].ready.place, "is \(desk.called(id))"))
      case .refused(let reason): refused[place] = reason
      case .later(let reason):
        desk.jobs[place].notBefore = later + .seconds(min(5, 1 << desk.jobs[place].refusals))
        desk.jobs[place].refusals = min(desk.jobs[place].refusals + 1, 3)
        if desk.isNews(reason) {
          observer(.noted(desk.jobs[place].ready.place, "waits: \(reason)"))
          try store.recordEvent(
            runID: runID, executionID: nil, level: "warning",
            message: "\(desk.jobs[place].name) waits for its submission: \(reason)")
        }
      }
    }
    for (place, reason) in refused.sorted(by: { $0.key > $1.key }) {
      let job = desk.jobs.remove(at: place)
      try give(up: job, WorkflowError.jobRefused(stage: job.name, reason: reason))
    }
  }
}
