import Foundation
import Lineage

/// What orders wait, run, are done or lost, whether or not a run looks after them.
package struct JobBoard: Sendable, Hashable {
  package enum State: String, Sendable, Hashable {
    case queued, running
    /// Its receipt is there, and a run has still to take it in.
    case done
    /// It is gone without a receipt: the next run, or the one that goes on, orders it anew.
    case lost
    /// The scheduler does not answer.
    case unknown
  }

  package struct Line: Sendable, Hashable {
    package var stage: String
    package var state: State
    package var job: String?
    package var node: String?
    /// Why it waits.
    package var reason: String?
    /// What the time limit leaves, as the scheduler writes it.
    package var timeLeft: String?
    /// How far it is, as it last told.
    package var progress: OrderProgress?
    package var attempt: Int
  }

  package private(set) var lines: [Line] = []

  /// - Parameters:
  ///   - folder: where orders lie.
  ///   - isHeld: whether a run is at work, whose child processes are.
  package init(
    of folder: URL, isHeld: Bool,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    let keys = try OrderFolder.keys(in: folder)
    if keys.isEmpty { return }
    let jobs = try SlurmExecutor.jobs(in: folder)
    var byKey: [String: SlurmExecutor.Job] = [:]
    for job in jobs { byKey[job.key] = job }
    var states: [String: JobState]?
    if !jobs.isEmpty, let slurm = try? Slurm(environment: environment) { states = slurm.queue() }
    for key in keys {
      let orders = OrderFolder(store: folder, key: key)
      guard let attempt = try orders.attempts().last, let order = try? orders.order(attempt),
        try !orders.isCancelled(attempt)
      else { continue }
      var line = Line(
        stage: order.stage, state: isHeld ? .running : .lost, progress: orders.progress,
        attempt: attempt)
      if let job = byKey[key] {
        line.job = job.id
        line.state = states == nil ? .unknown : .lost
        switch states?[job.slurm.text] {
        case .queued(let reason): (line.state, line.reason) = (.queued, reason)
        case .stuck(let reason): (line.state, line.reason) = (.queued, reason)
        case .running(let node, let left, _):
          (line.state, line.node, line.timeLeft) = (.running, node, left)
        case .ended, nil: break
        }
      }
      if let delivery = try? orders.delivery(attempt), delivery.record.status != "interrupted" {
        line.state = .done
        line.node = delivery.host
      }
      lines.append(line)
    }
    lines.sort { ($0.stage, $0.attempt) < ($1.stage, $1.attempt) }
  }

  /// `3 queued, 2 running, 1 lost`.
  package var summary: String {
    [State.queued, .running, .done, .lost, .unknown].compactMap { state in
      let count = lines.count { $0.state == state }
      return count > 0 ? "\(count) \(state.rawValue)" : nil
    }.joined(separator: ", ")
  }
}

extension JobBoard.Line {
  /// `350/s, 12 s left`.
  package var pace: String? {
    guard let progress, state == .running else { return nil }
    var words = ["\(progress.done)/\(progress.total) \(progress.unit)"]
    if let rate = progress.rate {
      words.append(String(format: rate < 10 ? "%.1f/s" : "%.0f/s", rate))
    }
    if let left = progress.secondsLeft { words.append("\(duration(left)) left") }
    return words.joined(separator: ", ")
  }
}
