import Foundation
import Lineage

/// Jobs of Slurm that an earlier run left at work, seen by a run that computes by itself.
package enum JobsAtWork {
  /// Both would compute the same and write the same checkpoints.
  ///
  /// - Parameter folder: where orders lie.
  /// - Returns: what is to be said where Slurm does not tell.
  /// - Throws: `WorkflowError.jobsAtWork`.
  package static func check(_ plan: Plan, in folder: URL, environment: [String: String]) throws
    -> String?
  {
    let instances = plan.steps.map(\.instance)
    let jobs = try SlurmExecutor.jobs(in: folder).filter { job in
      let orders = OrderFolder(store: folder, key: job.key)
      guard try !orders.isCancelled(job.attempt), let order = try? orders.order(job.attempt) else {
        return false
      }
      // One that was stopped and is queued again has said so.
      let status = (try? orders.delivery(job.attempt))?.record.status ?? "interrupted"
      guard status == "interrupted" else { return false }
      return instances.contains {
        $0.kind.name == order.kind && $0.kind.version == order.kindVersion
          && $0.parameters == order.parameters && $0.seed == order.seed
      }
    }
    if jobs.isEmpty { return nil }
    guard let queue = (try? Slurm(environment: environment))?.queue() else {
      return "an earlier run submitted \(named(jobs)), and Slurm does not say here whether they"
        + " are still at work: what they compute is computed here as well"
    }
    let left = jobs.filter { queue[$0.slurm.text] != nil }
    if left.isEmpty { return nil }
    throw WorkflowError.jobsAtWork(named(left))
  }

  /// `model[seed=1] as job 17_0, model[seed=2] as job 17_1 and 3 more`.
  private static func named(_ jobs: [SlurmExecutor.Job]) -> String {
    let most = 3
    let more = jobs.count > most ? " and \(jobs.count - most) more" : ""
    return jobs.prefix(most).map { "\($0.stage) as job \($0.id)" }.joined(separator: ", ") + more
  }
}
