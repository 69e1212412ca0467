import Foundation
import Lineage

/// The one way to write to a store: what is no store, and links in one, are refused, the lock is taken,
/// what killed processes left is removed, what `verify` found or a `gc` that was cut off left is healed;
/// then the store is opened and written to.
///
/// The order keeps results from being lost: whatever is added to a store that waits to be healed may be
/// what the healing removes. Readers need none of this.
package final class Session {
  package let folder: URL
  private let vocabulary: Vocabulary
  private let lock: RunLock

  /// - Parameters:
  ///   - vocabulary: what the program adds to a store.
  ///   - name: of the pipeline or the command, for whoever finds the store locked.
  ///   - makesStore: whether the folder is made where there is none.
  ///   - heals: not for a rebuild, which tells of a damaged receipt where healing would set it aside with
  ///     its results; a `gc` that was cut off is completed all the same.
  ///   - whileHeld: is called again and again with who holds the lock, until it is free; throws to give
  ///     up. Without it `WorkflowError.locked` is thrown at once.
  ///   - healed: is told what was put in order, a line each.
  package init(
    _ folder: URL, _ vocabulary: Vocabulary, as name: String, makesStore: Bool = false,
    heals: Bool = true, whileHeld: ((LockOwner) throws -> Void)? = nil, healed: (String) -> Void
  ) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) {
      guard isFolder.boolValue else { throw StoreError.notAFolder(path: folder.path) }
      // Before the lock: that alone would write.
      try Places.check(folder)
      guard try Places.refuseForeign(folder) || makesStore else {
        throw StoreError.missing(path: folder.path)
      }
    } else {
      guard makesStore else { throw StoreError.missing(path: folder.path) }
      try AtomicFile.makeFolder(folder)
    }
    self.folder = folder
    self.vocabulary = vocabulary
    let url = Self.lockURL(in: folder)
    lock = try RunLock.acquire(url, as: .current(pipeline: name)) { owner in
      guard let whileHeld else { throw WorkflowError.locked(owner, path: url.path) }
      try whileHeld(owner)
    }
    // It may have been waited for.
    try Places.check(folder)
    try Store.removeLeftovers(in: folder)
    let lines =
      heals
      ? try Store.heal(folder, vocabulary) : try Store.completeRemoval(folder, vocabulary)
    lines.forEach(healed)
  }

  /// Plans in the store as it is now, runs the plan, and has the end reported while nobody else writes.
  ///
  /// - Returns: how the run ended, failures included, and what `report` made of it.
  package func run<Report>(
    plan: (Store) throws -> Plan, settings: RunSettings, cancellation: Cancellation,
    observer: @escaping RunObserver, report: (RunSummary, Store) throws -> Report
  ) throws -> (summary: RunSummary, report: Report) {
    try withExtendedLifetime(self) {
      let store = try open()
      let summary = try Runner.run(
        try plan(store), store: store, lock: lock, settings: settings, cancellation: cancellation,
        observer: observer)
      return (summary, try report(summary, store.upToDate()))
    }
  }

  /// Removes what nothing that is kept needs, and tells what that was.
  package func collect(keeping rules: [Keep]) throws -> Removal {
    try withExtendedLifetime(self) {
      let removal = try Store.removal(from: folder, keeping: rules, vocabulary)
      if !removal.isEmpty { try Store.remove(removal, from: folder, vocabulary) }
      return removal
    }
  }

  /// Brings in what another store has, and tells what that was.
  ///
  /// - Parameter progress: is told how many of how many objects were copied; throws to stop.
  package func merge(_ other: URL, progress: (Int, Int) throws -> Void) throws -> Merge {
    try withExtendedLifetime(self) {
      // What keeps this store from being written to is said before anything is brought.
      _ = try open()
      var merge = try Store.merge(of: other, into: folder, vocabulary)
      try Store.carryOut(&merge, from: other, into: folder, vocabulary, progress: progress)
      return merge
    }
  }

  /// Keeps what a person says of a run with it.
  package func note(run id: String, _ message: String) throws {
    try withExtendedLifetime(self) { try open().note(runID: id, message) }
  }

  /// Makes the database again from receipts and objects alone, and tells how many were read.
  package func rebuild() throws -> (executions: Int, runs: Int) {
    try withExtendedLifetime(self) { try Store.rebuild(folder, vocabulary) }
  }

  private func open() throws -> Store { try Store.open(folder, .readWrite, vocabulary) }

  private static func lockURL(in folder: URL) -> URL { folder.appending(path: Places.lock) }
}

// MARK: - Without the lock

extension Session {
  /// Who writes to the store now.
  package static func holder(of folder: URL) -> LockHolder? {
    RunLock.holder(of: lockURL(in: folder))
  }

  /// Names every fault of the store and leaves them for the next session to heal.
  ///
  /// It goes beside a run: the note that it leaves is one file, put in place at once, and asks for a
  /// healing that looks at each fault again.
  package static func verify(
    _ folder: URL, _ vocabulary: Vocabulary, progress: (Int, Int) -> Void
  ) throws -> [Fault] {
    try Store.verify(
      folder, vocabulary, isRunning: { RunLock.isHeld(lockURL(in: folder)) }, progress: progress)
  }
}
