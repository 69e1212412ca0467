import Foundation

extension Store {
  /// Hashes every object and receipt again and holds the database against the receipts.
  ///
  /// What a writer has half done looks like a fault for a moment, and so does what a disk fails to read
  /// once: a fault is what a second look finds too. What is found is left for the next run to heal, where the store can be written.
  /// - Parameters:
  ///   - isRunning: whether somebody holds the lock.
  ///   - progress: is told how many of how many objects were read.
  /// - Returns: every fault; nothing when all is as it was left.
  package static func verify(
    _ folder: URL, _ vocabulary: Vocabulary, isRunning: @escaping () -> Bool = { false },
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(StoreError) -> [Fault] {
    let folder = folder.standardizedFileURL
    try checkPlace(folder, vocabulary)
    let lock = folder.appending(path: Places.lock).path
    let before = try FileStamp(path: lock)
    let wasRunning = isRunning()
    var faults = try look(folder, vocabulary, isRunning, progress: progress)
    let after = try FileStamp(path: lock)
    let isDisturbed = wasRunning || isRunning() || after != before
    if !faults.isEmpty {
      if isDisturbed { waitForWriter(folder, isRunning) }
      let suspects = Set(faults.filter { $0.place == .object }.map(\.subject))
      let found = Set(faults)
      faults = try look(folder, vocabulary, isRunning, only: suspects) { _, _ in }
        .filter(found.contains)
    }
    Doubts.leave(faults, in: folder)
    return faults
  }

  private static func look(
    _ folder: URL, _ vocabulary: Vocabulary, _ isRunning: @escaping () -> Bool,
    only suspects: Set<String>? = nil, progress: (Int, Int) -> Void
  ) throws(StoreError) -> [Fault] {
    var verification = try Verification(folder, vocabulary, isRunning: isRunning)
    try verification.checkReceipts()
    try verification.checkDatabase()
    try verification.checkObjects(only: suspects, progress)
    return verification.faults
  }

  /// Until a `gc` has ended that is at work, a minute at the most; otherwise long enough for a run to have
  /// recorded what it had begun to.
  private static func waitForWriter(_ folder: URL, _ isRunning: () -> Bool) {
    let removal = Removal.url(in: folder).path
    for _ in 0..<60 {
      Thread.sleep(forTimeInterval: 1)
      if !isRunning() || !FileManager.default.fileExists(atPath: removal) { return }
    }
  }
}
