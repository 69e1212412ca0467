import Foundation
import Lineage

/// What a run knows of where and why it runs; nothing here changes a result.
package struct RunSettings: Sendable {
  package var threads: Int
  /// What started it: `manual`, `schedule`, …
  package var trigger: String
  package var locusVersion: String
  package var gitCommit: String?
  /// Finds out what of `gitCommit` and `machine` takes time; waits so long at most.
  package var origin: FindOrigin?
  /// What was asked for beside the pipeline file, as words of the command line.
  package var options: [String]
  /// The processor, the system and the versions of what runs, by name.
  package var machine: [String: String]
  /// Seconds of work between two checkpoints of a stage: what a kill may cost, at most.
  package var checkpointInterval: Double

  /// Where stages run, if not one after the other in this process.
  package var jobs: JobSettings?

  package init(
    threads: Int, trigger: String = "manual", locusVersion: String, gitCommit: String? = nil,
    origin: FindOrigin? = nil, options: [String] = [],
    machine: [String: String] = [:], checkpointInterval: Double = 30, jobs: JobSettings? = nil
  ) {
    self.threads = threads
    self.trigger = trigger
    self.locusVersion = locusVersion
    self.gitCommit = gitCommit
    self.origin = origin
    self.options = options
    self.machine = machine
    self.checkpointInterval = checkpointInterval
    self.jobs = jobs
  }
}

/// How stages run as jobs.
package struct JobSettings: Sendable {
  /// The most at once.
  package var limit: Int
  /// Threads of a job that does not ask for its own number.
  package var threads: Int
  /// Of the store whose objects lie in a folder.
  package var executor: @Sendable (URL) throws -> any Executor

  package init(
    limit: Int, threads: Int, executor: @escaping @Sendable (URL) throws -> any Executor
  ) {
    self.limit = limit
    self.threads = threads
    self.executor = executor
  }
}

/// Asked whether a stage runs, which alone needs to know all, and how long to wait; `nil`: not yet known.
package typealias FindOrigin = @Sendable (_ isWorking: Bool, Duration) -> RunOrigin?

/// What a run and its program come from.
package struct RunOrigin: Sendable, Hashable {
  package var gitCommit: String?
  /// Beside what `RunSettings.machine` says.
  package var machine: [String: String]
  /// What could not be found out, for the record.
  package var notes: [String]

  package init(gitCommit: String?, machine: [String: String], notes: [String] = []) {
    self.gitCommit = gitCommit
    self.machine = machine
    self.notes = notes
  }

  /// Takes over what was said of the same commits.
  ///
  /// - Returns: whether it was said of the pipeline's.
  mutating func take(_ before: (gitCommit: String?, machine: [String: String])) -> Bool {
    func marked(_ own: String?) -> String? { own.map { $0 + RunRecord.dirtyMark } }
    let isSame = before.gitCommit == gitCommit || before.gitCommit == marked(gitCommit)
    if isSame { gitCommit = before.gitCommit }
    for (name, value) in before.machine where value == marked(machine[name]) {
      machine[name] = value
    }
    return isSame
  }
}
