import Foundation

/// Which runs a store shall keep.
package enum Keep: Sendable, Hashable, CustomStringConvertible {
  /// The newest whole runs of each pipeline file that succeeded, and all that are newer.
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

  /// The ids of the runs that it keeps.
  func chosen(of runs: [RunRecord]) -> [String] {
    switch self {
    case .since(let time): runs.filter { $0.startedAt >= time }.map(\.id)
    case .pipeline(let name): runs.filter { $0.pipeline == name }.map(\.id)
    case .last(let count):
      // Files of one name that lie elsewhere are other pipelines.
      Dictionary(grouping: runs) { [$0.pipeline, $0.path] }.values.flatMap { runs in
        var whole = 0
        return runs.sorted { ($0.sequence ?? 0, $0.id) > ($1.sequence ?? 0, $1.id) }.prefix { run in
          defer { if run.isWhole { whole += 1 } }
          return whole < count
        }.map(\.id)
      }
    }
  }
}

extension Store {
  /// What can go when only these runs are kept; an empty list keeps every run.
  ///
  /// Kept is what a kept run's stages used or made, and all that it came from. Receipts alone decide, so
  /// that it takes no room on the disk.
  /// - Throws: `StoreError.keepsNothing` when a rule keeps no run at all: it is probably mistyped;
  ///   `.damaged` and `.lostReceipts` when a receipt is: what it told of would look as if nobody needed it.
  package static func removal(
    from folder: URL, keeping rules: [Keep], _ vocabulary: Vocabulary
  ) throws(StoreError) -> Removal {
    let folder = folder.standardizedFileURL
    try requireReceipts(folder)
    let receipts = try Receipts.whole(in: folder, vocabulary)
    var kept = Set(rules.isEmpty ? receipts.runs.map(\.id) : [])
    for rule in rules {
      let chosen = rule.chosen(of: receipts.runs)
      if chosen.isEmpty {
        throw .keepsNothing(rule, pipelines: Set(receipts.runs.map(\.pipeline)).sorted())
      }
      kept.formUnion(chosen)
    }
    return try removal(keepingRuns: kept, receipts, vocabulary)
  }

  private static func removal(
    keepingRuns kept: Set<String>, _ receipts: Receipts, _ vocabulary: Vocabulary
  ) throws(StoreError) -> Removal {
    let folder = receipts.folder
    let (index, left) = try receipts.index(vocabulary)
    // Those that wait for an input that was lost are there again with it.
    let waiting = Set(left.map(\.id))
    let list = SQLValue.text(
      "[" + kept.sorted().map { "\"\($0)\"" }.joined(separator: ",") + "]")
    let reached = """
      WITH RECURSIVE kept (id) AS (SELECT value FROM json_each(?1)), reached (id) AS (
        SELECT execution_id FROM stage WHERE run_id IN kept AND execution_id IS NOT NULL
        UNION SELECT execution_id FROM event WHERE run_id IN kept AND execution_id IS NOT NULL
        -- A run that was killed may have finished it without saying so.
        UNION SELECT e.id FROM stage s JOIN execution e ON e.key = s.key
          WHERE s.run_id IN kept AND s.execution_id IS NULL AND e.status = 'succeeded'
        UNION SELECT o.execution_id FROM reached r
          CROSS JOIN execution_input i ON i.execution_id = r.id
          CROSS JOIN execution_output o ON o.sha256 = i.sha256)
      """
    func column(_ sql: String) throws(StoreError) -> [String] {
      try index.texts(reached + sql, [list])
    }
    var removal = Removal()
    removal.runs = receipts.runs.reversed().map(\.id).filter { !kept.contains($0) }
    // What uses comes before what it uses, so that whatever is left always has its inputs.
    removal.executions = try column(
      "SELECT id FROM execution WHERE id NOT IN reached ORDER BY finished_at DESC, id DESC")
    let gone = Set(removal.executions)
    var known: Set<String> = []
    for record in receipts.executions where !gone.contains(record.id) || waiting.contains(record.id)
    {
      known.formUnion(record.allArtifacts)
    }
    removal.objects = try strayObjects(in: folder, known: known)
    removal.leftovers = try setAside(in: folder)
    // Unfinished work that no kept run would go on with.
    let keys = Set(try column("SELECT key FROM stage WHERE run_id IN kept AND key IS NOT NULL"))
    removal.leftovers += try CheckpointFolder.keys(in: folder).filter { !keys.contains($0) }
      .map { "checkpoints/" + $0 }
    removal.leftovers += try OrderFolder.keys(in: folder).filter { !keys.contains($0) }
      .map { "\(OrderFolder.name)/" + $0 }
    removal.bytes = try bytes(of: removal, in: folder)
    return removal
  }

  /// What healing set aside and nothing needs.
  private static func setAside(in folder: URL) throws(StoreError) -> [String] {
    var found = try files(below: "damaged", in: folder, depth: 0)
    for name in try StoreFile.names(in: folder.appending(path: "damaged"))
    where name.hasPrefix("objects") {
      found += try files(below: "damaged/" + name, in: folder, depth: 1)
    }
    return found.filter(Places.isSetAside)
  }

  private static func bytes(of removal: Removal, in folder: URL) throws(StoreError) -> Int {
    var paths = removal.objects
    paths += removal.runs.flatMap { id in
      ["json", "journal"].map { "\(Receipt.runs)/\(id).\($0)" }
    }
    paths += removal.executions.map { "\(Receipt.executions)/\($0).json" }
    for path in removal.leftovers {
      if path.hasPrefix("\(OrderFolder.name)/") {
        for depth in 0...1 { paths += try files(below: path, in: folder, depth: depth) }
      } else if path.hasPrefix("checkpoints/") {
        paths += try files(below: path, in: folder, depth: 0)
      } else {
        paths.append(path)
      }
    }
    var sum = 0
    for path in paths { sum += try size(of: folder.appending(path: path)) ?? 0 }
    return sum
  }

  /// Paths, within the store, of what is no folder, `depth` folders down from `path`.
  static func files(below path: String, in folder: URL, depth: Int) throws(StoreError) -> [String] {
    var found: [String] = []
    for name in try StoreFile.names(in: folder.appending(path: path)) {
      let inner = "\(path)/\(name)"
      switch try StoreFile.kind(folder.appending(path: inner)) {
      case .folder where depth > 0:
        found += try files(below: inner, in: folder, depth: depth - 1)
      case .folder, nil: continue
      default: if depth == 0 { found.append(inner) }
      }
    }
    return found
  }

  /// Objects, as paths within the store, that are not known. What is not named as objects are is
  /// somebody's.
  static func strayObjects(in folder: URL, known: Set<String>) throws(StoreError) -> [String] {
    try files(below: "objects", in: folder, depth: 1).filter { path in
      Places.objectHash(path).map { !known.contains($0) } ?? false
    }
  }
}
