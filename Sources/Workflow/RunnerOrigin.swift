import Lineage

// Where a run comes from.

extension Runner {
  /// A run that works waits for where it comes from, at its end; one without work hardly does.
  private enum Patience {
    static let working = Duration.seconds(2)
    static let idle = Duration.milliseconds(250)
  }

  /// Has it found out while stages run, and records what is known: a run may be killed at any time.
  mutating func lookForOrigin() throws {
    isWorking = true
    if let found = settings.origin?(true, .zero) { try record(found) }
  }

  mutating func settleOrigin() throws {
    guard let find = settings.origin else { return }
    if !isWorking, let before = try store.marksBefore(runID) {
      // Without work its results are those of the run before, and come from where that came from. The same
      // bytes are in the same commit or are not.
      var found = origin
      let isKnown = found.take(before)
      try record(found)
      if isKnown { return }
    }
    let patience = isWorking ? Patience.working : Patience.idle
    if let found = find(isWorking, patience) {
      try record(found)
    } else {
      origin.notes = [
        "git did not say within \(patience) whether the checkout is as its commit has it"
      ]
    }
    for note in origin.notes {
      try store.recordEvent(runID: runID, executionID: nil, level: "info", message: note)
    }
  }

  private mutating func record(_ found: RunOrigin) throws {
    var found = found
    found.machine = origin.machine.merging(found.machine) { $1 }
    if (found.gitCommit, found.machine) != (origin.gitCommit, origin.machine) {
      try store.amendRun(runID, gitCommit: found.gitCommit, machine: found.machine)
    }
    origin = found
  }
}
