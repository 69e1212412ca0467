import Formats
import Workflow

/// The stages of a pipeline and what each reads of others, before anything ran. The instances of a matrix
/// are one box with their number.
struct PipelineGraph {
  struct Stage {
    var name: String
    var kind: String
    var count: Int
    /// Values of each axis over which it fans out, in their order.
    var axes: [(name: String, values: [String])] = []
  }

  struct Arrow: Hashable {
    var from: Int
    var to: Int
    var roles: [String]
  }

  /// Each after those that it reads.
  private(set) var stages: [Stage] = []
  private(set) var arrows: [Arrow] = []

  init(_ pipeline: Pipeline) {
    var index: [String: Int] = [:]
    var roles: [[Int: [String]]] = []
    for instance in pipeline.instances {
      let place: Int
      if let known = index[instance.stage] {
        place = known
        stages[place].count += 1
      } else {
        place = stages.count
        index[instance.stage] = place
        stages.append(Stage(name: instance.stage, kind: instance.kind.name, count: 1))
        roles.append([:])
      }
      for binding in instance.bindings { stages[place].add(binding) }
      for (role, inputs) in instance.inputs.sorted(by: { $0.key < $1.key }) {
        for input in inputs {
          guard let from = index[pipeline.instances[input].stage] else { continue }
          if roles[place][from]?.contains(role) != true {
            roles[place][from, default: []].append(role)
          }
        }
      }
    }
    for (to, sources) in roles.enumerated() {
      for (from, roles) in sources.sorted(by: { $0.key < $1.key }) {
        arrows.append(Arrow(from: from, to: to, roles: roles))
      }
    }
  }

  /// A line a stage: how often, of which kind, over which axes, and what it reads.
  var text: String {
    let width = stages.map(\.name.count).max() ?? 0
    return stages.enumerated().map { place, stage in
      let sources = arrows.filter { $0.to == place }.map { stages[$0.from].name }
      let space = String(repeating: " ", count: width - stage.name.count)
      let line =
        "\(stage.name)\(space)  \(stage.words)"
        + (sources.isEmpty ? "" : "  ← \(sources.joined(separator: ", "))")
      return Escape.line(line) + "\n"
    }.joined()
  }

  /// https://mermaid.js.org/syntax/flowchart.html, as GitHub draws it.
  var mermaid: String {
    let boxes = stages.enumerated().map { place, stage in
      "  s\(place)[\"\(Escape.mermaid(stage.name))<br/>\(Escape.mermaid(stage.words))\"]"
    }
    let lines = arrows.map {
      "  s\($0.from) -- \"\(Escape.mermaid($0.roles.joined(separator: ", ")))\" --> s\($0.to)"
    }
    return (["flowchart LR"] + boxes + lines).joined(separator: "\n") + "\n"
  }

  /// https://graphviz.org/doc/info/lang.html.
  var dot: String {
    let boxes = stages.enumerated().map { place, stage in
      "  s\(place) [label=\(Escape.dot(lines: [stage.name, stage.words]))];"
    }
    let lines = arrows.map {
      "  s\($0.from) -> s\($0.to) [label=\(Escape.dot(lines: [$0.roles.joined(separator: ", ")]))];"
    }
    return (["digraph pipeline {", "  rankdir=LR;", "  node [shape=box];"] + boxes + lines + ["}"])
      .joined(separator: "\n") + "\n"
  }

  var json: JSONValue {
    .object([
      "stages": .array(
        stages.map { stage in
          .object([
            "name": .string(stage.name), "kind": .string(stage.kind),
            "instances": .integer(stage.count),
            "axes": .array(
              stage.axes.map {
                .object([
                  "name": .string($0.name), "values": .array($0.values.map(JSONValue.string)),
                ])
              }),
          ])
        }),
      "arrows": .array(
        arrows.map {
          .object([
            "from": .string(stages[$0.from].name), "to": .string(stages[$0.to].name),
            "roles": .array($0.roles.map(JSONValue.string)),
          ])
        }),
    ])
  }
}

extension PipelineGraph.Stage {
  fileprivate mutating func add(_ binding: Binding) {
    guard let place = axes.firstIndex(where: { $0.name == binding.axis }) else {
      axes.append((binding.axis, [binding.label]))
      return
    }
    if !axes[place].values.contains(binding.label) { axes[place].values.append(binding.label) }
  }

  /// `train × 6 (labelling: all, single; seed: 1, 2, 3)`.
  fileprivate var words: String {
    if axes.isEmpty { return kind }
    let shown = axes.map { axis in
      let values =
        axis.values.count > 6
        ? axis.values.prefix(3) + ["…"] + axis.values.suffix(1) : axis.values[...]
      return "\(axis.name): \(values.joined(separator: ", "))"
    }
    return "\(kind) × \(count) (\(shown.joined(separator: "; ")))"
  }
}
