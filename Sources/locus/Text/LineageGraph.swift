import Formats
import Lineage

/// The executions that things came from, and what they read: everything upstream of some
/// artifacts.
struct LineageGraph {
  struct Execution: Hashable {
    var id: String
    var kind: String
    /// The instance that used or did it last; the id for one that no run knows.
    var stage: String
  }
  struct Edge: Hashable {
    /// The execution that made the artifact.
    var from: String
    /// The execution that read it, or `nil` for what was asked about.
    var to: String?
    var role: String
    var sha256: String
  }

  /// Consumers before producers, each once.
  private(set) var executions: [Execution] = []
  private(set) var edges: [Edge] = []
  private(set) var roots: [(role: String, sha256: String)] = []

  init(_ reference: StoreReference, in store: Store) throws {
    switch reference {
    case .artifact(let hash): roots = [("artifact", hash)]
    case .execution(let id):
      roots = try Self.files("execution_output", of: id, in: store)
    case .run(let id): throw UsageError.unknownReference(id)
    }
    if case .execution(let id) = reference {
      // What was asked for is this execution, even if another made the same bytes.
      for (role, sha256) in roots {
        edges.append(Edge(from: id, to: nil, role: role, sha256: sha256))
      }
      try visit(id, in: store)
    } else {
      for (role, sha256) in roots {
        guard let id = try Self.producer(of: sha256, in: store) else { continue }
        edges.append(Edge(from: id, to: nil, role: role, sha256: sha256))
        try visit(id, in: store)
      }
    }
  }

  private mutating func visit(_ first: String, in store: Store) throws {
    var waiting = [first]
    while let id = waiting.popLast() {
      if executions.contains(where: { $0.id == id }) { continue }
      let found = try store.rows(
        """
        SELECT e.kind, (SELECT s.name FROM stage s WHERE s.execution_id = e.id
          ORDER BY s.id DESC LIMIT 1) AS stage FROM execution e WHERE e.id = ?
        """, [.text(id)])
      guard let row = found.first else { continue }
      executions.append(
        Execution(
          id: id, kind: try row.text("kind"), stage: try row.optionalText("stage") ?? id))
      for (role, sha256) in try Self.files("execution_input", of: id, in: store) {
        guard let producer = try Self.producer(of: sha256, in: store) else { continue }
        edges.append(Edge(from: producer, to: id, role: role, sha256: sha256))
        waiting.append(producer)
      }
    }
  }

  private static func files(
    _ table: String, of id: String, in store: Store
  ) throws -> [(role: String, sha256: String)] {
    try store.rows(
      "SELECT role, sha256 FROM \(table) WHERE execution_id = ? ORDER BY role", [.text(id)]
    ).map { (try $0.text("role"), try $0.text("sha256")) }
  }

  /// The execution that made an artifact, not one that only passed it on; the first of several.
  private static func producer(of sha256: String, in store: Store) throws -> String? {
    try store.texts(
      """
      SELECT o.execution_id FROM execution_output o JOIN execution e ON e.id = o.execution_id
      WHERE o.sha256 = ?1 AND e.status IN ('succeeded', 'replaced') AND NOT EXISTS (
        SELECT 1 FROM execution_input i WHERE i.execution_id = o.execution_id AND i.sha256 = ?1)
      ORDER BY e.status DESC, e.finished_at, e.id LIMIT 1
      """, [.text(sha256)]
    ).first
  }

  // MARK: - As text

  /// An indented tree; what was shown before is not unfolded again.
  var text: String {
    var lines: [String] = []
    var shown: Set<String> = []
    func show(_ edge: Edge, depth: Int) {
      let name = executions.first { $0.id == edge.from }
      let isNew = shown.insert(edge.from).inserted
      let inputs = edges.filter { $0.to == edge.from }
      lines.append(
        String(repeating: "  ", count: depth)
          + "\(edge.role) \(edge.sha256.prefix(12)) ← \(name?.stage ?? edge.from)"
          + " (\(name?.kind ?? "?"), \(edge.from))"
          + (isNew || inputs.isEmpty ? "" : " …"))
      if isNew { for input in inputs { show(input, depth: depth + 1) } }
    }
    for edge in edges where edge.to == nil { show(edge, depth: 0) }
    return lines.map { Escape.line($0) + "\n" }.joined()
  }

  /// https://mermaid.js.org/syntax/flowchart.html, as GitHub draws it.
  var mermaid: String {
    var lines = ["flowchart LR"]
    for (index, execution) in executions.enumerated() {
      lines.append(
        "  e\(index)[\"\(Escape.mermaid(execution.stage))<br/>\(Escape.mermaid(execution.kind))\"]")
    }
    for (label, from, to) in joined {
      let target = to.map { "e\($0)" } ?? "asked([asked for])"
      lines.append("  e\(from) -- \"\(Escape.mermaid(label))\" --> \(target)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// https://graphviz.org/doc/info/lang.html.
  var dot: String {
    var lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
    for (index, execution) in executions.enumerated() {
      lines.append("  e\(index) [label=\(Escape.dot(lines: [execution.stage, execution.kind]))];")
    }
    if edges.contains(where: { $0.to == nil }) {
      lines.append("  asked [shape=oval, label=\"asked for\"];")
    }
    for (label, from, to) in joined {
      lines.append(
        "  e\(from) -> \(to.map { "e\($0)" } ?? "asked") [label=\(Escape.dot(lines: [label]))];")
    }
    return (lines + ["}"]).joined(separator: "\n") + "\n"
  }

  /// Executions, and the artifacts that went from one to the next.
  var json: JSONValue {
    .object([
      "executions": .array(
        executions.map {
          .object([
            "id": .string($0.id), "kind": .string($0.kind), "stage": .string($0.stage),
          ])
        }),
      "artifacts": .array(
        edges.map {
          .object([
            "sha256": .string($0.sha256), "role": .string($0.role), "from": .string($0.from),
            "to": $0.to.map(JSONValue.string) ?? .null,
          ])
        }),
    ])
  }

  /// One arrow for all artifacts between the same two executions.
  private var joined: [(label: String, from: Int, to: Int?)] {
    let index = Dictionary(uniqueKeysWithValues: executions.enumerated().map { ($1.id, $0) })
    var result: [(label: String, from: Int, to: Int?)] = []
    for edge in edges {
      guard let from = index[edge.from] else { continue }
      let to = edge.to.flatMap { index[$0] }
      if let same = result.firstIndex(where: { $0.from == from && $0.to == to }) {
        result[same].label += ", \(edge.role)"
      } else {
        result.append((edge.role, from, to))
      }
    }
    return result
  }
}
