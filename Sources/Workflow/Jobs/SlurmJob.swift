/// The job that this process runs in.
package struct SlurmJob {
  /// `17`, or `17_3` for a task of an array, as `squeue` names it.
  package let id: String
  /// How often it was queued again, by itself or by Slurm.
  package var restarts: Int { environment["SLURM_RESTART_COUNT"].flatMap { Int($0) } ?? 0 }
  private let environment: [String: String]

  /// `nil` outside of one.
  package init?(environment: [String: String]) {
    self.environment = environment
    if let array = environment["SLURM_ARRAY_JOB_ID"], let task = environment["SLURM_ARRAY_TASK_ID"]
    {
      id = "\(array)_\(task)"
    } else if let job = environment["SLURM_JOB_ID"] {
      id = job
    } else {
      return nil
    }
  }

  /// Queues it again, if it is its own time that ends: one that was cancelled is not to come back, and one that
  /// was preempted the scheduler queues itself.
  package func requeue() -> Bool {
    guard
      let answer = Program.run(
        ["scontrol", "show", "job", "--oneliner", id], environment: environment),
      answer.code == 0, Slurm.facts(answer.output)["JobState"] == "RUNNING",
      let requeued = Program.run(["scontrol", "requeue", id], environment: environment)
    else { return false }
    return requeued.code == 0
  }
}
