import Foundation

/// Which runs a store shall keep.
package enum Keep: Sendable, Hashable, CustomStringConvertible {
  /// The newest runs of each pipeline.
  case last(Int)
  /// Runs that began at this time or later (UTC, ISO 8601, or the beginning of it).
  case since(String)
  case pipeline(String)

  package var description: String {
    switch self {
    case .last(let count): "last=\(count)"
    case .since(let time): "since=\(time)"
    case .pipeline(let name): "pipeline=\(name)"
    }
  }
}

/// What `gc` removes, or would.
package struct Removal: Sendable, Codable, Hashable {
  package internal(set) var runs: [String] = []
  package internal(set) var executions: [String] = []
  /// Paths within the store.
  package internal(set) var objects: [String] = []
  /// Other paths within the store: what was set aside, and checkpoints that nothing needs.
  package internal(set) var leftovers: [String] = []
  /// What all these files take.
  package internal(set) var bytes = 0

  package var isEmpty: Bool {
    runs.isEmpty && executions.isEmpty && objects.isEmpty && leftovers.isEmpty
  }

  static func url(in folder: URL) -> URL { folder.appending(path: "removal.json") }
}

extension Store {
  /// What can go when only these runs are kept; an empty list keeps every run.
  ///
  /// Kept is what a kept run's stages used or made, and all that it came from.
  /// - Throws: `StoreError.keepsNothing` when a rule keeps no run at all: it is probably mistyped;
  ///   `.damaged` when a receipt is.
  package func removal(keeping rules: [Keep]) throws(StoreError) -> Removal {
    var runs: [(id: String, pipeline: String, start: String)] = []
    for row in try database.rows(
      """
      SELECT r.id, p.name AS pipeline, r.started_at FROM run r
      JOIN pipeline p ON p.id = r.pipeline_id ORDER BY r.started_at DESC, r.id DESC
      """)
    {
      runs.append((try row.text("id"), try row.text("pipeline"), try row.text("started_at")))
    }
    var kept = Set(rules.isEmpty ? runs.map(\.id) : [])
    for rule in rules {
      var counts: [String: Int] = [:]
      let chosen = runs.filter { run in
        switch rule {
        case .last(let count):
          counts[run.pipeline, default: 0] += 1
          return counts[run.pipeline, default: 0] <= count
        case .since(let time): return run.start >= time
        case .pipeline(let name): return run.pipeline == name
        }
      }
      if chosen.isEmpty { throw .keepsNothing(rule, pipelines: Set(runs.map(\.pipeline)).sorted()) }
      kept.formUnion(chosen.map(\.id))
    }
    return try removal(keepingRuns: kept, of: runs.map(\.id))
  }

  private func removal(keepingRuns kept: Set<String>, of runs: [String]) throws(StoreError)
    -> Removal
  {
    // What a damaged receipt tells of would look as if nobody needed it.
    if let damaged = try Receipts(in: folder, vocabulary).damaged.first {
      throw .damaged(path: damaged.url.path, reason: damaged.reason)
    }
    let list = SQLValue.text(
      "[" + kept.sorted().map { "\"\($0)\"" }.joined(separator: ",") + "]")
    let reached = """
      WITH RECURSIVE kept (id) AS (SELECT value FROM json_each(?1)), reached (id) AS (
        SELECT execution_id FROM stage WHERE run_id IN kept AND execution_id IS NOT NULL
        UNION SELECT execution_id FROM event WHERE run_id IN kept AND execution_id IS NOT NULL
        -- A run that was killed may have finished it without saying so.
        UNION SELECT e.id FROM stage s JOIN execution e ON e.key = s.key
          WHERE s.run_id IN kept AND e.status = 'succeeded'
        UNION SELECT o.execution_id FROM reached r
          CROSS JOIN execution_input i ON i.execution_id = r.id
          CROSS JOIN execution_output o ON o.sha256 = i.sha256)
      """
    func column(_ sql: String) throws(StoreError) -> [String] {
      try database.texts(reached + sql, [list])
    }
    var removal = Removal()
    removal.runs = runs.filter { !kept.contains($0) }
    // What uses comes before what it uses, so that whatever is left always has its inputs.
    removal.executions = try column(
      "SELECT id FROM execution WHERE id NOT IN reached ORDER BY finished_at DESC, id DESC")
    let objects = Set(
      try column(
        """
        SELECT sha256 FROM execution_output WHERE execution_id IN reached
        UNION SELECT sha256 FROM execution_input WHERE execution_id IN reached
        """)
    ).union(waiting.flatMap { ($0.inputs + $0.outputs).map(\.sha256) })
    removal.objects = Self.strayObjects(in: folder, known: objects).map { url in
      "objects/" + url.pathComponents.suffix(2).joined(separator: "/")
    }
    // The receipts among the damaged keep their ids from being given away.
    for path in ["damaged/objects", "damaged/locus.sqlite"]
    where FileManager.default.fileExists(atPath: folder.appending(path: path).path) {
      removal.leftovers.append(path)
    }
    // Unfinished work that no kept run would go on with.
    let keys = Set(try column("SELECT key FROM stage WHERE run_id IN kept AND key IS NOT NULL"))
    let checkpoints = try? FileManager.default.contentsOfDirectory(
      atPath: folder.appending(path: "checkpoints").path)
    for name in (checkpoints ?? []).sorted() where !keys.contains(name) {
      removal.leftovers.append("checkpoints/" + name)
    }
    removal.bytes = removal.paths.reduce(0) { $0 + Self.bytes(of: folder.appending(path: $1)) }
    return removal
  }

  private static func bytes(of url: URL) -> Int {
    if let size = size(of: url) { return size }
    var sum = 0
    let files = FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil)
    while let file = files?.nextObject() as? URL { sum += size(of: file) ?? 0 }
    return sum
  }

  /// Removes it and makes the database anew. The caller holds the lock. A crash on the way is completed
  /// by the next run or the next `gc`.
  package static func remove(
    _ removal: Removal, from folder: URL, _ vocabulary: Vocabulary
  ) throws(StoreError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let url = Removal.url(in: folder)
    guard let data = try? encoder.encode(removal) else {
      throw .inputOutput(path: url.path, reason: "the list cannot be encoded")
    }
    try AtomicFile.write(data, to: url)
    try Removal.complete(in: folder, vocabulary)
  }
}

extension Removal {
  /// Every file that goes, in the order in which it goes.
  fileprivate var paths: [String] {
    runs.flatMap { ["\(Receipt.runs)/\($0).json", "\(Receipt.runs)/\($0).journal"] }
      + executions.map { "\(Receipt.executions)/\($0).json" } + objects + leftovers
  }

  /// Does what is left of a removal that was begun.
  static func complete(in folder: URL, _ vocabulary: Vocabulary) throws(StoreError) {
    let url = url(in: folder)
    guard let data = try? Data(contentsOf: url) else { return }
    try Receipts.refuseNewer(in: folder)
    // One that cannot be read was never begun: it was not yet whole.
    if let removal = try? JSONDecoder().decode(Removal.self, from: data) {
      for path in removal.paths where !path.split(separator: "/").contains("..") {
        let place = folder.appending(path: path)
        guard FileManager.default.fileExists(atPath: place.path) else { continue }
        do {
          try FileManager.default.removeItem(at: place)
        } catch {
          throw StoreError(writing: error, path: place.path)
        }
      }
      try Store.replaceDatabase(
        in: folder, from: try Receipts(in: folder, vocabulary), vocabulary, evenIncomplete: true)
    }
    try? FileManager.default.removeItem(at: url)
  }
}
