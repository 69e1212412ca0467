import Formats

/// Executions with all that they came from, as their receipts tell it.
package struct History: Sendable {
  /// Each once; what made something stands before what read it.
  package private(set) var executions: [ExecutionRecord] = []
  /// Everything that they made, by its hash.
  package private(set) var artifacts: [String: ArtifactRecord] = [:]
  /// The execution that made an artifact, by the artifact's hash: not one that only passed it on.
  package private(set) var producers: [String: String] = [:]

  /// - Parameter ids: of executions; what these read is followed up to what read nothing.
  package init(of ids: [String], in store: Store) throws(StoreError) {
    var found: [String: ExecutionRecord] = [:]
    var waiting = ids
    while let id = waiting.popLast() {
      if found[id] != nil { continue }
      let execution = try store.execution(id)
      found[id] = execution
      for artifact in execution.artifacts { artifacts[artifact.sha256] = artifact }
      for hash in Set(execution.inputs.map(\.sha256)) where producers[hash] == nil {
        guard let producer = try store.producer(of: hash) else { continue }
        producers[hash] = producer
        waiting.append(producer)
      }
      let read = Set(execution.inputs.map(\.sha256))
      for output in execution.outputs where !read.contains(output.sha256) {
        if producers[output.sha256] == nil { producers[output.sha256] = id }
      }
    }
    executions = inOrder(found)
  }

  /// The time of an execution's end does not tell: clocks are set, and stores are merged.
  private func inOrder(_ found: [String: ExecutionRecord]) -> [ExecutionRecord] {
    var result: [ExecutionRecord] = []
    var placed: Set<String> = []
    // A stack of its own: chains of stages may be longer than a thread's stack is deep.
    for id in found.values.sorted(by: { ($0.finishedAt, $0.id) < ($1.finishedAt, $1.id) }).map(\.id)
    {
      var path = [id]
      while let last = path.last {
        let before = found[last]?.inputs.compactMap { producers[$0.sha256] } ?? []
        let next = before.first {
          $0 != last && found[$0] != nil && !placed.contains($0) && !path.contains($0)
        }
        if let next {
          path.append(next)
          continue
        }
        path.removeLast()
        if placed.insert(last).inserted, let execution = found[last] { result.append(execution) }
      }
    }
    return result
  }
}

extension Store {
  /// All that the database holds of an execution.
  package func execution(_ id: String) throws(StoreError) -> ExecutionRecord {
    try ExecutionRow.whole(id, in: database, vocabulary)
  }

  /// The execution that made an artifact, not one that only passed it on; the first of several.
  package func producer(of sha256: String) throws(StoreError) -> String? {
    try texts(
      """
      SELECT o.execution_id FROM execution_output o JOIN execution e ON e.id = o.execution_id
      WHERE o.sha256 = ?1 AND e.status IN ('succeeded', 'replaced') AND NOT EXISTS (
        SELECT 1 FROM execution_input i WHERE i.execution_id = o.execution_id AND i.sha256 = ?1)
      ORDER BY e.status DESC, e.finished_at, e.id LIMIT 1
      """, [.text(sha256)]
    ).first
  }
}
