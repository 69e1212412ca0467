import Formats
import Foundation
import Lineage

// What befalls jobs, and those that they depend on: each is named in an event.

extension Runner {
  // MARK: - Jobs

  mutating func lose(
    _ place: Int, _ id: String, _ ending: JobEnding?, _ desk: inout JobDesk
  ) throws -> Bool {
    let node = ending?.node ?? desk.jobs[place].node
    let reason = ending?.reason ?? "is gone"
    let memory = reason == "OUT_OF_MEMORY" ? " (`executor.memory` gives it more)" : ""
    let text = "\(desk.called(id))\(standing(node, desk)): \(reason)\(memory)"
    return try lose(place, text, &desk)
  }

  /// ` on n2, which is DOWN (test)`.
  private func standing(_ node: String?, _ desk: JobDesk) -> String {
    guard let node else { return "" }
    return " on \(node)" + (desk.executor.condition(of: node).map { ", which is \($0)" } ?? "")
  }

  /// Orders anew what was lost, unless nobody wants it or it was lost too often.
  ///
  /// - Returns: whether the stage has its outcome.
  mutating func lose(
    _ place: Int, _ reason: String, _ desk: inout JobDesk
  ) throws -> Bool {
    var job = desk.jobs[place]
    if desk.isStopping {
      try record(
        job.ready.step, key: job.ready.key, status: "interrupted", reason: job.ready.reason, nil)
      outcomes[job.ready.step.position] = .absent
      return true
    }
    if try job.orders.isCancelled(job.attempt) {
      try give(up: job, WorkflowError.jobCancelled(stage: job.name))
      return true
    }
    job.losses += 1
    let retries = job.instance.executor.retries
    if job.losses > retries {
      try give(
        up: job,
        WorkflowError.jobLost(
          stage: job.name, reason: reason, retries: retries,
          log: job.orders.logURL(job.attempt).path))
      return true
    }
    let text = "lost: \(reason); submitted again, \(job.losses) of \(retries)"
    let lost = try store.recordLoss(
      unfinished(job, status: "interrupted", error: "lost: \(reason)"), attempt: job.attempt)
    try store.recordEvent(
      runID: runID, executionID: lost, level: "warning", message: "\(job.name) \(text)")
    observer(.noted(job.ready.place, text))
    job.attempt = try store.nextAttempt(job.ready.key)
    job.job = nil
    job.goneSince = nil
    job.isRunning = false
    (job.node, job.since) = (nil, nil)
    // What fails at once shall not fail a hundred times a minute.
    job.notBefore = .now + .seconds(min(60, 1 << min(job.losses - 1, 6)))
    desk.jobs[place] = job
    desk.change()
    return false
  }

  /// By itself before its time limit, or by the scheduler: its node failed, or somebody else came first.
  mutating func queuedAgain(
    _ place: Int, _ id: String, _ what: String, _ desk: inout JobDesk
  ) throws {
    let job = desk.jobs[place]
    let text = "queued again: \(desk.called(id))\(standing(job.node, desk)) \(what)"
    try store.recordEvent(
      runID: runID, executionID: nil, level: "warning", message: "\(job.name) \(text)")
    observer(.noted(job.ready.place, text))
    desk.jobs[place].isRunning = false
    (desk.jobs[place].node, desk.jobs[place].since) = (nil, nil)
  }

  /// Fails a stage of which no attempt can tell why.
  mutating func give(up job: ActiveJob, _ error: WorkflowError) throws {
    let execution = unfinished(job, status: "failed", error: message(of: error))
    let id = try store.recordFailure(execution, runID: runID)
    try fail(
      job.ready.step, job.ready.place, key: job.ready.key, reason: job.ready.reason, id,
      text: message(of: error), exitCode: exitCode(of: error))
  }

  private func unfinished(_ job: ActiveJob, status: String, error: String) -> ExecutionRecord {
    var execution = ExecutionRecord(
      key: job.ready.key, kind: job.instance.kind.name, parameters: job.instance.parameters,
      seed: job.instance.seed,
      inputs: StageExecution.references(job.ready.inputs, declarations: job.instance.kind.inputs))
    execution.status = status
    execution.error = error
    execution.kindVersion = job.instance.kind.version
    execution.instructions = job.instance.kind.instructions
    return execution
  }

  // MARK: - What they depend on

  func watchScheduler(_ desk: inout JobDesk, isSilent: Bool) throws {
    let now = ContinuousClock.now
    if isSilent, desk.silentSince == nil {
      desk.silentSince = now
      try warn("the scheduler does not answer: waiting for it")
    }
    let wasSilent = desk.silentSince
    if !isSilent, let since = wasSilent {
      desk.silentSince = nil
      try warn("the scheduler answers again, after \(duration((now - since) / .seconds(1)))")
    }
    try tellNews(&desk, isDue: !isSilent && wasSilent != nil)
  }

  /// - Parameter isDue: whether it is asked for now.
  func tellNews(_ desk: inout JobDesk, isDue: Bool) throws {
    for text in desk.executor.news(of: desk.nodes, isDue: isDue) { try warn(text) }
  }

  /// A full disk can take no event: that comes once there is room.
  func watchDisk(_ desk: inout JobDesk) throws {
    guard let room = Self.room(in: store.folder) else { return }
    if room < Self.leastRoom {
      if desk.fullSince == nil { desk.fullSince = timestamp(Date()) }
    } else if let since = desk.fullSince {
      desk.fullSince = nil
      try warn(
        "the disk of \(store.folder.path) was full from \(since) to \(timestamp(Date())): what was to be"
          + " written there may have failed")
    }
  }

  /// A receipt of the largest stages is smaller.
  private static let leastRoom = 1 << 20

  /// Bytes that are free; `nil` where the system does not say.
  private static func room(in folder: URL) -> Int? {
    var status = statvfs()
    guard statvfs(folder.path, &status) == 0, status.f_blocks > 0 else { return nil }
    let (room, isMore) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
      by: Int(clamping: status.f_frsize))
    return isMore ? .max : room
  }

  private func warn(_ text: String) throws {
    try store.recordEvent(runID: runID, executionID: nil, level: "warning", message: text)
  }
}
