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
  init(in folder: URL, executions: Set<String>? = nil, runs: Set<String>? = nil) {
    self.folder = folder
    for id in Self.ids(Receipt.executions, in: folder).sorted()
    where executions?.contains(id) != false {
      if let record = read(
        ExecutionRecord.self, Receipt.executions, id, fault: { $0.fault(id: id) })
      {
        self.executions.append(record)
      }
    }
    for id in Self.ids(Receipt.runs, in: folder).sorted() where runs?.contains(id) != false {
      if let record = read(
        RunRecord.self, Receipt.runs, id, fault: { $0.id == id ? nil : "is of another run" })
      {
        self.runs.append(Journal.completed(record, in: folder))
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

  private mutating func read<T: Decodable>(
    _ type: T.Type, _ kind: String, _ id: String, fault: (T) -> String?
  ) -> T? {
    let url = folder.appending(path: "\(kind)/\(id).json")
    do {
      let record = try Receipt.read(type, from: url)
      guard let reason = fault(record) else { return record }
      damaged.append((url, reason))
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
    return nil
  }
}
