import Formats
import Foundation
import Lineage
import Streams
import Synchronization

/// What a process does that was given a work order: it computes one stage and leaves a receipt. It reads the
/// order, objects and its checkpoint, and writes into the folder of the order: it never opens the database.
package struct OrderExecution {
  private let order: WorkOrder
  private let kind: StageKind
  private let store: URL
  private let orders: OrderFolder
  private let cancellation: Cancellation
  /// The scheduler's name of the job, where there is one.
  private let job: String?
  private let restarts: Int
  private let host: String
  private let tell: @Sendable (String) -> Void

  /// - Parameters:
  ///   - url: of the order.
  ///   - restarts: how often the scheduler has started the job anew.
  ///   - tell: is told what a person should know.
  /// - Throws: `WorkflowError.badOrder`, or why the order cannot be read.
  package init(
    orderAt url: URL, kinds: [StageKind], cancellation: Cancellation, job: String?,
    restarts: Int = 0, host: String = ProcessInfo.processInfo.hostName,
    tell: @escaping @Sendable (String) -> Void
  ) throws {
    let order = try OrderFolder.order(at: url)
    self.order = order
    guard let kind = kinds.first(where: { $0.name == order.kind }),
      kind.version == order.kindVersion
    else {
      throw WorkflowError.badOrder(
        url.path,
        reason: "it is for kind `\(order.kind)` version \(order.kindVersion), which this version of"
          + " Locus does not have")
    }
    self.kind = kind
    store = URL(filePath: order.folder, directoryHint: .isDirectory)
    orders = OrderFolder(store: store, key: order.key)
    guard
      orders.orderURL(order.attempt).standardizedFileURL.path == url.standardizedFileURL.path
    else {
      throw WorkflowError.badOrder(url.path, reason: "it belongs elsewhere, below \(order.folder)")
    }
    self.cancellation = cancellation
    self.job = job
    self.restarts = restarts
    self.host = host
    self.tell = tell
  }

  /// How it ended.
  package struct End: Sendable {
    /// 0, 128 and the signal's number, or the error's code.
    package var exitCode: Int32
    /// Whether a later process goes on from a checkpoint.
    package var hasCheckpoint: Bool
  }

  /// - Parameter interrupted: what is done instead of a receipt once the work was stopped and its checkpoint
  ///   kept; says whether it did something.
  /// - Throws: what keeps it from leaving a receipt.
  package func run(interrupted: (_ hasCheckpoint: Bool) -> Bool = { _ in false }) throws -> End {
    guard let lock = try waitForLock() else {
      return End(exitCode: 128 + cancellation.signal, hasCheckpoint: false)
    }
    defer { withExtendedLifetime(lock) {} }
    // Another process may have done it while this one waited or was queued again.
    if let done = try? orders.delivery(order.attempt), done.isSuccess, done.misfit(order) == nil {
      return End(exitCode: 0, hasCheckpoint: false)
    }
    let scratch = try orders.makeScratch()
    defer { orders.removeScratch(scratch) }
    return try work(scratch, interrupted)
  }

  private func waitForLock() throws -> OrderFolder.Lock? {
    var isTold = false
    while true {
      if let lock = try orders.lock() { return lock }
      if !isTold { tell("waits for another process that works on the same order") }
      isTold = true
      if cancellation.isRequested { return nil }
      usleep(100_000)
    }
  }

  private func work(_ scratch: URL, _ interrupted: (Bool) -> Bool) throws -> End {
    let inputs = order.inputs.mapValues { $0.map { StageResult(outputs: $0) } }
    var record = ExecutionRecord(
      key: order.key, kind: order.kind, parameters: order.parameters, seed: order.seed,
      inputs: StageExecution.references(inputs, declarations: kind.inputs))
    record.threads = order.threads
    record.attempt = order.attempt
    record.kindVersion = order.kindVersion
    record.instructions = order.numerics
    let meter = ResourceMeter()
    let notes = Mutex<[String]>([])
    let note: @Sendable (String) -> Void = { [tell] text in
      tell(text)
      notes.withLock { $0.append(text) }
    }
    if restarts > 0 {
      note("was queued again \(restarts == 1 ? "once" : "\(restarts) times"), as job \(job ?? "")")
    }
    let checkpoints = CheckpointFolder(folder: store, key: order.key)
    let checkpoint = Checkpoint(
      checkpoints, kind: kind, meter: meter, interval: order.checkpointInterval, note: note)
    let shown = ShownProgress(orders, host: host)
    func finished() -> ExecutionRecord {
      var record = record
      record.set(meter.stop(), after: checkpoint.earlier)
      record.setTimes()
      return record
    }
    func delivery(_ record: ExecutionRecord, _ exitCode: Int32) -> Delivery {
      Delivery(
        record: record, job: job, host: host, notes: notes.withLock { $0 }, exitCode: exitCode)
    }
    do {
      if kind.instructions != order.numerics {
        throw WorkflowError.otherNumerics(
          found: kind.instructions ?? "unknown", expected: order.numerics ?? "unknown")
      }
      try Resources.check(threads: order.threads)
      let folder = store
      let output = try kind.run(
        StageContext(
          parameters: order.parameters, seed: order.seed, threads: order.threads,
          inputs: StageExecution.inputs(inputs, in: folder),
          outside: order.outside.mapValues(OutsideContent.init),
          object: StageExecution.objects(in: folder), scratch: scratch, checkpoint: checkpoint,
          progress: shown.show, note: note,
          checkCancellation: { [cancellation] in try cancellation.check() }))
      try StageExecution.check(output.files, stage: order.stage)
      record.metrics = output.metrics
      record.tables = output.tables
      record.status = "succeeded"
      _ = try orders.deliver(delivery(finished(), 0), files: output.files)
      return End(exitCode: 0, hasCheckpoint: false)
    } catch {
      record.metrics = []
      record.tables = [:]
      let isInterrupted = error is CancellationError && cancellation.isRequested
      record.status = isInterrupted ? "interrupted" : "failed"
      record.error = isInterrupted ? "interrupted" : message(of: error)
      let code = isInterrupted ? 128 + cancellation.signal : exitCode(of: error)
      if !isInterrupted { tell("failed: \(message(of: error))") }
      // On a full disk this makes the room that the receipt needs.
      orders.removeScratch(scratch)
      let hasCheckpoint = (try? checkpoints.manifest()) != nil
      if isInterrupted, interrupted(hasCheckpoint) {
        return End(exitCode: code, hasCheckpoint: hasCheckpoint)
      }
      _ = try orders.deliver(delivery(finished(), code), files: [])
      return End(exitCode: code, hasCheckpoint: hasCheckpoint)
    }
  }
}

/// Keeps a small file beside the order up to date, at most every second.
private final class ShownProgress: Sendable {
  private struct State {
    var first: (time: Double, done: Int)?
    var written = -Double.infinity
  }

  private let orders: OrderFolder
  private let host: String
  private let state = Mutex(State())

  init(_ orders: OrderFolder, host: String) {
    self.orders = orders
    self.host = host
  }

  var show: @Sendable (StageProgress) -> Void {
    { [self] progress in
      state.withLock { state in
        let now = monotonicSeconds()
        let first = state.first ?? (now, progress.done)
        state.first = first
        if now - state.written < 1 { return }
        state.written = now
        let pace = Pace(progress, since: first.done, seconds: now - first.time)
        orders.show(
          OrderProgress(
            host: host, at: timestamp(Date()), done: progress.done, total: progress.total,
            unit: progress.unit, rate: pace.rate, secondsLeft: pace.secondsLeft))
      }
    }
  }
}

extension OutsideContent {
  fileprivate init(_ outside: WorkOrder.Outside) {
    self.init(
      URL(filePath: outside.path), sha256: outside.sha256, files: outside.files)
  }
}
