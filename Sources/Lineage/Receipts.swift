import Foundation

/// All receipts of a store, read and checked.
struct Receipts {
  /// In the order in which they finished.
  private(set) var executions: [ExecutionRecord] = []
  /// In the order in which they began, unfinished ones completed from their journals.
  private(set) var runs: [RunRecord] = []
  private(set) var damaged: [(url: URL, reason: String)] = []
  let folder: URL

  /// - Parameter ids: which ones to read; `nil`: all.
  /// - Throws: `StoreError.newerReceipt`, `.cannotRead`.
  init(
    in folder: URL, _ vocabulary: Vocabulary, executions: Set<String>? = nil,
    runs: Set<String>? = nil
  ) throws(StoreError) {
    self.folder = folder
    for id in try Self.ids(Receipt.executions, in: folder).sorted()
    where executions?.contains(id) != false {
      if let record = try read(
        ExecutionRecord.self, Receipt.executions, id, vocabulary.upgrade,
        fault: { $0.fault(id: id) })
      {
        self.executions.append(record)
      }
    }
    for id in try Self.ids(Receipt.runs, in: folder).sorted() where runs?.contains(id) != false {
      if let record = try read(
        RunRecord.self, Receipt.runs, id, vocabulary.upgrade,
        fault: { $0.fault(id: id) })
      {
        self.runs.append(try Journal.completed(record, in: folder))
      }
    }
    sort()
  }

  /// All receipts of a store whose every receipt can be believed.
  ///
  /// - Throws: also `StoreError.damaged`, which names the first that cannot.
  static func whole(in folder: URL, _ vocabulary: Vocabulary) throws(StoreError) -> Receipts {
    let receipts = try Receipts(in: folder, vocabulary)
    if let first = receipts.damaged.first {
      throw .damaged(path: first.url.path, reason: first.reason)
    }
    return receipts
  }

  private mutating func sort() {
    executions.sort { ($0.finishedAt, $0.id) < ($1.finishedAt, $1.id) }
    runs.sort { ($0.sequence ?? 0, $0.id) < ($1.sequence ?? 0, $1.id) }
  }

  static func ids(_ kind: String, in folder: URL) throws(StoreError) -> Set<String> {
    try ids(kind, ".json", in: folder)
  }

  /// Of receipts that are about to go.
  static func goingIDs(_ kind: String, in folder: URL) throws(StoreError) -> Set<String> {
    try ids(kind, Receipt.going, in: folder)
  }

  private static func ids(_ kind: String, _ ending: String, in folder: URL) throws(StoreError)
    -> Set<String>
  {
    let names = try StoreFile.names(in: folder.appending(path: kind))
    return Set(
      names.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }
        .filter { isPlainName($0, most: 128) })
  }

  /// Looks at the beginning of every receipt, before something is moved or removed.
  ///
  /// - Throws: `StoreError.newerReceipt`.
  static func refuseNewer(in folder: URL) throws(StoreError) {
    for kind in [Receipt.executions, Receipt.runs] {
      try refuseNewer(kind, try ids(kind, in: folder), in: folder)
    }
  }

  static func refuseNewer(_ kind: String, _ ids: Set<String>, in folder: URL) throws(StoreError) {
    for id in ids.sorted() {
      for suffix in ["json", "journal"] {
        let url = folder.appending(path: "\(kind)/\(id).\(suffix)")
        guard try StoreFile.kind(url) == .file, let file = try StoreFile.OpenFile(url.path) else {
          continue
        }
        try Receipt.refuseNewer(Data(try file.next(64)), path: url.path)
      }
    }
  }

  private mutating func read<T: Receipted>(
    _ type: T.Type, _ kind: String, _ id: String, _ upgrade: Upgrade, fault: (T) -> String?
  ) throws(StoreError) -> T? {
    let url = folder.appending(path: "\(kind)/\(id).json")
    do {
      let record = try Receipt.read(type, from: url, by: upgrade)
      guard let reason = fault(record) else { return record }
      damaged.append((url, reason))
    } catch {
      // What cannot be read, or only by a newer version, may be whole.
      guard error.isDamage else { throw error }
      if case .damaged(_, let reason) = error {
        damaged.append((url, reason))
      } else {
        damaged.append((url, "\(error)"))
      }
    }
    return nil
  }
}

extension Receipts {
  /// Without what is about to go.
  mutating func drop(_ removal: Removal) {
    let (runs, executions) = (Set(removal.runs), Set(removal.executions))
    self.runs.removeAll { runs.contains($0.id) }
    self.executions.removeAll { executions.contains($0.id) }
    damaged.removeAll { fault in
      let id = fault.url.deletingPathExtension().lastPathComponent
      let kind = fault.url.deletingLastPathComponent().lastPathComponent
      return (kind == "runs" ? runs : executions).contains(id)
    }
  }

  /// With further records.
  func with(_ executions: [ExecutionRecord], _ runs: [RunRecord]) -> Receipts {
    var all = self
    all.executions += executions
    all.runs += runs
    all.sort()
    return all
  }

  /// Every artifact that an execution made or used: none of them is a stray, also where the execution
  /// waits for a lost input.
  var artifacts: Set<String> {
    executions.reduce(into: []) { $0.formUnion($1.allArtifacts) }
  }
}

extension RunRecord {
  fileprivate func fault(id: String) -> String? {
    if self.id != id { return "is of another run" }
    let isInRange = (0...Receipt.lastSequence - 1_000_000_000).contains(sequence ?? 0)
    return isInRange ? nil : "has a number that is out of range"
  }
}

extension ExecutionRecord {
  var allArtifacts: [String] {
    inputs.map(\.sha256) + outputs.map(\.sha256) + artifacts.map(\.sha256)
  }

  /// What keeps a receipt of this name from being believed.
  func fault(id: String) -> String? {
    if self.id != id { return "is of another execution" }
    // Ids, and so names of files, are made of it.
    if !isPlainName(key, most: 128) { return "has a key that is no name" }
    if !(1...Receipt.mostAttempts).contains(attempt) { return "has a number that is out of range" }
    let hashes = inputs.map(\.sha256) + outputs.map(\.sha256) + artifacts.map(\.sha256)
    if !hashes.allSatisfy(SHA256.isHash) { return "names what is no hash" }
    let made = Set(artifacts.map(\.sha256))
    if !outputs.allSatisfy({ made.contains($0.sha256) }) { return "has an output of no artifact" }
    for artifact in artifacts {
      if let manifest = artifact.manifest,
        SHA256.hash(Data(manifest.canonicalText().utf8)) != artifact.sha256
      {
        return "has a manifest that is not its artifact"
      }
    }
    return nil
  }
}
