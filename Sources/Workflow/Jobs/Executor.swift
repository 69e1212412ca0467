import Foundation
import Lineage

/// An order that lies in its place, with what its executor has to know.
package struct PlacedOrder: Sendable, Hashable {
  package var key: String
  package var attempt: Int
  /// The instance, for people.
  package var stage: String
  package var url: URL
  package var log: URL
  package var options: ExecutorOptions
}

/// What became of the submission of an order.
package enum Submission: Sendable, Hashable {
  case submitted(job: String)
  /// Asking again would not help.
  case refused(String)
  /// The scheduler does not answer now.
  case later(String)
}

/// What the scheduler, or the system, says of a job.
package enum JobState: Sendable, Hashable {
  case queued(reason: String?)
  /// With the time that its limit leaves, as the scheduler writes it, and when it began, UTC, which is another
  /// moment once it was queued again.
  case running(node: String?, timeLeft: String?, since: String? = nil)
  /// It is not going to run as it is, and holds a place in the queue.
  case stuck(reason: String)
  /// It is not at work any more; what came of it, its receipt alone says.
  case ended
}

/// How a job ended that delivered nothing.
package struct JobEnding: Sendable, Hashable {
  /// As the scheduler has it: `NODE_FAIL`; or `vanished`, or `was ended by signal 9`.
  package var reason: String
  package var node: String?
}

/// Where work orders are executed: child processes here, or a scheduler's jobs elsewhere.
///
/// It is believed in nothing but where a job is: done is what a valid receipt says.
package protocol Executor {
  /// What one of its jobs is called: `Slurm job`.
  var noun: String { get }
  /// A job as people know it.
  func shown(_ job: String) -> String
  /// Whether jobs go on when this process ends.
  var outlives: Bool { get }
  /// How long a receipt may take to be seen once its job has ended.
  var patience: Duration { get }
  /// How long to wait before the next poll, when nothing has changed for so long.
  func pause(unchangedFor time: Duration) -> Duration
  /// One answer an order.
  mutating func submit(_ orders: [PlacedOrder]) throws -> [Submission]
  /// The job of an order that an earlier process submitted; `nil` where none was.
  mutating func find(_ order: PlacedOrder) throws -> String?
  /// Asks once, however many jobs there are; `nil` where there is no answer now. A job that is not in the answer
  /// has ended.
  mutating func poll(_ jobs: [String]) throws -> [String: JobState]?
  /// `nil`: it has not ended, or that cannot be told now.
  mutating func ending(of job: String) throws -> JobEnding?
  mutating func cancel(_ jobs: [String]) throws
  /// What happened to the scheduler itself, and on nodes since jobs ran there, that it did not tell yet; asks
  /// seldom.
  ///
  /// - Parameters:
  ///   - nodes: by name, since when, UTC.
  ///   - isDue: whether it asks at once.
  mutating func news(of nodes: [String: String], isDue: Bool) -> [String]
  /// Why a node takes no jobs, where it does not.
  func condition(of node: String) -> String?
}
