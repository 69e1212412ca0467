import Formats
import Lineage
import Workflow

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
  private var visited: Set<String> = []

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
        guard let id = try store.producer(of: sha256) else { continue }
        edges.append(Edge(from: id, to: nil, role: role, sha256: sha256))
        try visit(id, in: store)
      }
    }
  }

  private mutating func visit(_ first: String, in store: Store) throws {
    var waiting = [first]
    while let id = waiting.popLast() {
      if !visited.insert(id).inserted { continue }
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
        guard let producer = try store.producer(of: sha256) else { continue }
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

  /// Executions as boxes, what was asked for at the end.
  var chart: Flowchart {
    let index = Dictionary(uniqueKeysWithValues: executions.enumerated().map { ($1.id, $0) })
    let several = Dictionary(grouping: executions, by: \.stage).filter { $0.value.count > 1 }
    var nodes = executions.map { execution in
      Flowchart.Node(
        names: [execution.stage],
        details: [execution.kind] + (several[execution.stage] == nil ? [] : [execution.id]),
        group: StageReference(execution.stage)?.stage ?? execution.stage, kind: execution.kind)
    }
    nodes.append(Flowchart.Node(names: ["asked for"], group: nil, kind: ""))
    return Flowchart(
      prefix: "e", nodes: nodes,
      arrows: edges.compactMap { edge in
        guard let from = index[edge.from] else { return nil }
        return Flowchart.Arrow(
          from: from, to: edge.to.flatMap { index[$0] } ?? executions.count, labels: [edge.role])
      })
  }

  /// https://graphviz.org/doc/info/lang.html.
  var dot: String {
    let chart = chart
    var lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
    for (index, node) in chart.nodes.enumerated() {
      let shape = node.group == nil ? "shape=oval, " : ""
      lines.append("  e\(index) [\(shape)label=\(Escape.dot(lines: node.names + node.details))];")
    }
    for arrow in chart.arrows {
      let label = Escape.dot(lines: [arrow.labels.joined(separator: ", ")])
      lines.append("  e\(arrow.from) -> e\(arrow.to) [label=\(label)];")
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
}
