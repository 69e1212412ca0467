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
  /// - Throws: `StoreError.newerReceipt`.
  init(
    in folder: URL, _ vocabulary: Vocabulary, executions: Set<String>? = nil,
    runs: Set<String>? = nil
  ) throws(StoreError) {
    self.folder = folder
    for id in Self.ids(Receipt.executions, in: folder).sorted()
    where executions?.contains(id) != false {
      if let record = try read(
        ExecutionRecord.self, Receipt.executions, id, vocabulary.upgrade,
        fault: { $0.fault(id: id) })
      {
        self.executions.append(record)
      }
    }
    for id in Self.ids(Receipt.runs, in: folder).sorted() where runs?.contains(id) != false {
      if let record = try read(
        RunRecord.self, Receipt.runs, id, vocabulary.upgrade,
        fault: { $0.id == id ? nil : "is of another run" })
      {
        self.runs.append(try Journal.completed(record, in: folder))
      }
    }
    self.executions.sort { ($0.finishedAt, $0.id) < ($1.finishedAt, $1.id) }
    self.runs.sort { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }
  }

  static func ids(_ kind: String, in folder: URL) -> Set<String> {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: folder.appending(path: kind).path)
    return Set((names ?? []).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) })
  }

  /// Looks at the beginning of every receipt, before something is moved or removed.
  ///
  /// - Throws: `StoreError.newerReceipt`.
  static func refuseNewer(in folder: URL) throws(StoreError) {
    for kind in [Receipt.executions, Receipt.runs] {
      try refuseNewer(kind, ids(kind, in: folder), in: folder)
    }
  }

  static func refuseNewer(_ kind: String, _ ids: Set<String>, in folder: URL) throws(StoreError) {
    for id in ids.sorted() {
      for suffix in ["json", "journal"] {
        let url = folder.appending(path: "\(kind)/\(id).\(suffix)")
        guard Store.size(of: url) != nil, let file = try? FileHandle(forReadingFrom: url) else {
          continue
        }
        defer { try? file.close() }
        guard let head = try? file.read(upToCount: 64) else { continue }
        try Receipt.refuseNewer(head, path: url.path)
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
    } catch .newerReceipt(let path, let format, let known) {
      throw .newerReceipt(path: path, format: format, known: known)
    } catch {
      damaged.append((url, "\(error)"))
    }
    return nil
  }
}

extension ExecutionRecord {
  /// What keeps a receipt of this name from being believed.
  fileprivate func fault(id: String) -> String? {
    if self.id != id { return "is of another execution" }
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
