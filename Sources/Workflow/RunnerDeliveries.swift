import Formats
import Foundation
import Lineage

// What came of orders.

extension Runner {
  mutating func look(
    _ desk: inout JobDesk, _ waiting: inout [Int], _ held: inout [Ready]
  ) throws {
    desk.beginLook()
    try watchDisk(&desk)
    let states = try desk.executor.poll(desk.jobs.compactMap(\.job))
    try watchScheduler(&desk, isSilent: states == nil)
    var done: Set<Int> = []
    for place in desk.jobs.indices where desk.jobs[place].job != nil {
      if try look(at: place, states, &desk) {
        done.insert(desk.jobs[place].ready.index)
        desk.change()
      }
    }
    if done.isEmpty { return }
    let keys = Set(desk.jobs.filter { done.contains($0.ready.index) }.map(\.ready.key))
    desk.jobs.removeAll { done.contains($0.ready.index) }
    // Their equals have a result now, or may try.
    waiting += held.filter { keys.contains($0.key) }.map(\.index)
    held.removeAll { keys.contains($0.key) }
  }

  /// - Returns: whether the stage has its outcome.
  private mutating func look(
    at place: Int, _ states: [String: JobState]?, _ desk: inout JobDesk
  ) throws -> Bool {
    let job = desk.jobs[place]
    guard let id = job.job else { return false }
    let state = states?[id]
    if case .queued? = state {
      if job.isRunning { try queuedAgain(place, id, "was stopped and waits anew", &desk) }
      desk.jobs[place].goneSince = nil
      return false
    }
    if let delivery = try delivered(job, isAtWork: state != nil || states == nil) {
      return try take(delivery, place, &desk)
    }
    guard states != nil else { return false }
    switch state {
    case .queued: return false
    case .running(let node, _, let since):
      desk.jobs[place].goneSince = nil
      if job.isRunning, let before = job.since, let since, since != before {
        try queuedAgain(place, id, "was stopped and has begun anew", &desk)
      }
      desk.saw(node, since: since)
      (desk.jobs[place].node, desk.jobs[place].since) = (node, since)
      show(place, node, &desk)
      return false
    case .stuck(let reason):
      try desk.executor.cancel([id])
      return try lose(place, "\(desk.called(id)) would wait for ever: \(reason)", &desk)
    case .ended, nil: break
    }
    // A receipt may be seen later than the end of who wrote it.
    let now = ContinuousClock.now
    guard let gone = job.goneSince else {
      desk.jobs[place].goneSince = now
      if desk.executor.patience > .zero { return false }
      return try lose(place, id, try desk.executor.ending(of: id), &desk)
    }
    if now - gone < desk.executor.patience { return false }
    guard let ending = try desk.executor.ending(of: id) else {
      desk.jobs[place].goneSince = now
      return false
    }
    return try lose(place, id, ending, &desk)
  }

  /// What an attempt delivered, if that can be believed or is its end.
  private func delivered(_ job: ActiveJob, isAtWork: Bool) throws -> Result<Delivery, StoreError>? {
    guard try job.orders.hasDelivery(job.attempt) else { return nil }
    do {
      guard let delivery = try job.orders.delivery(job.attempt) else { return nil }
      // A job that was stopped and is queued again says so first.
      if delivery.record.status == "interrupted", isAtWork { return nil }
      if let misfit = delivery.misfit(order(job)) {
        return .failure(.damaged(path: job.orders.url.path, reason: misfit))
      }
      let inputs = StageExecution.references(
        job.ready.inputs, declarations: job.instance.kind.inputs)
      if delivery.record.inputs != inputs {
        return .failure(.damaged(path: job.orders.url.path, reason: "it is of other inputs"))
      }
      return .success(delivery)
    } catch {
      guard case .damaged = error else { throw error }
      return isAtWork ? nil : .failure(error)
    }
  }

  /// What the store made of a delivery, or why that cannot be believed.
  private func believed(_ delivery: Delivery, from orders: OrderFolder) throws -> (
    record: ExecutionRecord?, reason: String
  ) {
    do {
      return (try store.take(delivery, from: orders), "")
    } catch {
      guard case .damaged(_, let reason) = error else { throw error }
      return (nil, reason)
    }
  }

  private mutating func take(
    _ result: Result<Delivery, StoreError>, _ place: Int, _ desk: inout JobDesk
  ) throws -> Bool {
    let job = desk.jobs[place]
    let delivery: Delivery
    switch result {
    case .success(let found): delivery = found
    case .failure(let error): return try lose(place, "its receipt: \(error)", &desk)
    }
    let record = delivery.record
    if delivery.isSuccess {
      let (taken, reason) = try believed(delivery, from: job.orders)
      guard let published = taken else {
        return try lose(place, "its result cannot be believed: \(reason)", &desk)
      }
      try self.record(
        job.ready.step, key: record.key, status: "executed", reason: job.ready.reason,
        published.id)
      outcomes[job.ready.step.position] = .done(StageResult(published.outputs))
      summary.executed += 1
      try keep(delivery, of: job, published.id, desk.executor.noun)
      try? CheckpointFolder(store: store, key: record.key).remove()
      try? job.orders.remove()
      observer(
        .finished(
          job.ready.place,
          ResourceUsage(
            wallSeconds: record.wallSeconds, cpuSeconds: record.cpuSeconds,
            peakRSSBytes: record.peakRSSBytes)))
      return true
    }
    let id = try store.takeFailure(delivery)
    try keep(delivery, of: job, id, desk.executor.noun)
    if record.status == "interrupted" {
      if desk.isStopping {
        try interrupt(
          job.ready.step, job.ready.place, key: record.key, reason: job.ready.reason, id)
        return true
      }
      // Asked to end by somebody else, or by its time limit, it kept a checkpoint and said so.
      if let name = job.job, let ending = try desk.executor.ending(of: name) {
        return try lose(place, name, ending, &desk)
      }
      return try lose(place, "it was stopped from outside on \(delivery.host)", &desk)
    }
    let text = record.error ?? ""
    // What the node lacked, another one or a later hour may have.
    let mayPass = [ExitCode.unavailable, ExitCode.cannotCreate, ExitCode.inputOutput]
      .contains(delivery.exitCode)
    if mayPass, job.losses < job.instance.executor.retries, !desk.isStopping {
      return try lose(place, "it failed on \(delivery.host): \(text)", &desk)
    }
    try fail(
      job.ready.step, job.ready.place, key: record.key, reason: job.ready.reason, id, text: text,
      exitCode: delivery.exitCode)
    return true
  }

  /// Tells of a delivery what a person should know, and which job made it.
  private func keep(_ delivery: Delivery, of job: ActiveJob, _ id: String, _ noun: String) throws {
    var notes = delivery.notes
    if let name = delivery.job { notes.append("ran as \(noun) \(name) on \(delivery.host)") }
    for note in notes {
      try store.recordEvent(
        runID: runID, executionID: id, level: "info", message: "\(job.name) \(note)")
    }
    for note in delivery.notes { observer(.noted(job.ready.place, note)) }
  }

  private func show(_ place: Int, _ node: String?, _ desk: inout JobDesk) {
    let job = desk.jobs[place]
    if !job.isRunning, let node {
      observer(.noted(job.ready.place, "runs on \(node)"))
    }
    desk.jobs[place].isRunning = true
    // Many lines are `locus status`'s to show.
    if !desk.executor.outlives, desk.showsProgress, let found = job.orders.progress {
      observer(
        .progressed(
          job.ready.place, StageProgress(done: found.done, total: found.total, unit: found.unit)))
    }
  }
}
