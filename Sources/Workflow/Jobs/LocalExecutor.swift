import Foundation
import Lineage
import Streams

/// Executes orders in child processes of this machine, which end, with a checkpoint, when this process does.
package struct LocalExecutor: Executor {
  private struct Child {
    /// The child ends when this is closed, which a killed process does too.
    var life: Descriptor
    var ending: JobEnding?
  }

  private let program: String
  private let environment: [String: String]
  /// By number of the process.
  private var children: [pid_t: Child] = [:]

  /// - Parameter program: Locus itself.
  package init(
    program: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.program = program
    self.environment = environment
  }

  package var noun: String { "process" }
  package func shown(_ job: String) -> String { job }
  package var outlives: Bool { false }
  package var patience: Duration { .zero }
  package func pause(unchangedFor time: Duration) -> Duration { .milliseconds(20) }

  package mutating func submit(_ orders: [PlacedOrder]) throws -> [Submission] {
    try orders.map { try start($0) }
  }

  private mutating func start(_ order: PlacedOrder) throws -> Submission {
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC
    guard let log = Descriptor(open(order.log.path, flags, 0o644)) else {
      throw StoreError.cannotWrite(
        path: order.log.path, reason: String(cString: strerror(errno)))
    }
    guard let life = PipeEnds() else { return .later(Spawning.reason(errno)) }
    let (pid, code) = Spawning.start(
      [program, "execute", order.url.path, "--tied"], [life.read.number, log.number, log.number],
      in: nil, environment)
    if code == EAGAIN || code == ENOMEM { return .later(Spawning.reason(code)) }
    if code != 0 { return .refused("\(program): \(Spawning.reason(code))") }
    children[pid] = Child(life: life.write)
    return .submitted(job: "\(pid)")
  }

  /// Those of an earlier process ended with it.
  package func find(_ order: PlacedOrder) throws -> String? { nil }

  package mutating func poll(_ jobs: [String]) throws -> [String: JobState]? {
    var states: [String: JobState] = [:]
    reap(except: Set(jobs))
    for job in jobs {
      guard let pid = pid_t(job), let child = children[pid], child.ending == nil else { continue }
      if Spawning.hasExited(pid) {
        let status = Spawning.reap(pid)
        let signal = status & 0x7F
        children[pid]?.ending = JobEnding(
          reason: signal == 0
            ? "ended with status \(status >> 8 & 0xFF)" : "was ended by signal \(signal)")
        child.life.close()
      } else {
        states[job] = .running(node: nil, timeLeft: nil)
      }
    }
    return states
  }

  /// Nobody asks how those ended whose results are in; unreaped they would stay in the table of processes.
  private mutating func reap(except jobs: Set<String>) {
    for (pid, child) in children
    where child.ending == nil && !jobs.contains("\(pid)") && Spawning.hasExited(pid) {
      _ = Spawning.reap(pid)
      child.life.close()
      children[pid] = nil
    }
  }

  package func ending(of job: String) throws -> JobEnding? {
    pid_t(job).flatMap { children[$0]?.ending }
  }

  package func cancel(_ jobs: [String]) throws {
    for job in jobs {
      guard let pid = pid_t(job), let child = children[pid], child.ending == nil else { continue }
      kill(pid, SIGTERM)
    }
  }

  package func news(of nodes: [String: String], isDue: Bool) -> [String] { [] }
  package func condition(of node: String) -> String? { nil }
}
