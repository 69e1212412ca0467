import Formats
import Foundation
import Lineage

/// Stages and what flowed between them, as a Mermaid graph.
struct LineageSection: Section {
  private let run: RunRecord
  private let arrows: [ArrowRow]

  init(_ data: RunData) throws {
    run = data.run
    arrows = try data.ask(ArrowRow.question(run.id))
  }

  var blocks: [Block] {
    let heading = Block.heading("Lineage")
    if arrows.isEmpty {
      return [heading, .paragraph("No artifact has been used by another stage.")]
    }
    var lines = ["flowchart LR"]
    var numbers: [String: Int] = [:]
    for (number, equal) in nodes.enumerated() {
      for stage in equal { numbers[stage.name] = number }
      let names = equal.map { Escape.mermaid($0.name) }.joined(separator: "<br/>")
      let key = equal[0].key.map { String($0.prefix(8)) } ?? "no key"
      let kind = Escape.mermaid(equal[0].kind)
      lines.append("  s\(number)[\"\(names)<br/>\(kind) · \(Escape.mermaid(key))\"]")
    }
    var drawn: Set<String> = []
    for arrow in arrows {
      guard let from = numbers[arrow.maker], let to = numbers[arrow.user] else { continue }
      let line = "  s\(from) --> s\(to)"
      if drawn.insert(line).inserted { lines.append(line) }
    }
    return [
      heading, .code(lines.joined(separator: "\n"), language: "mermaid"),
      ArrowRow.question(run.id).block,
    ]
  }

  /// Stages by what they did: equal ones are one execution, of which nobody can tell whose result was used.
  private var nodes: [[StageRecord]] {
    var nodes: [[StageRecord]] = []
    var places: [String: Int] = [:]
    for stage in run.stages {
      if let execution = stage.executionID, let place = places[execution] {
        nodes[place].append(stage)
        continue
      }
      if let execution = stage.executionID { places[execution] = nodes.count }
      nodes.append([stage])
    }
    return nodes
  }
}
