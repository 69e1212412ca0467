import Formats
import Foundation
import Lineage
import Workflow

/// Stages and what flowed between them.
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
    return [heading, .graph(graph), ArrowRow.question(run.id).block]
  }

  private var graph: Flowchart {
    let nodes = nodes
    var numbers: [String: Int] = [:]
    for (number, equal) in nodes.enumerated() {
      for stage in equal { numbers[stage.name] = number }
    }
    return Flowchart(
      prefix: "s",
      nodes: nodes.map { equal in
        let key = equal[0].key.map { String($0.prefix(8)) } ?? "no key"
        let groups = distinct(equal.map { StageReference($0.name)?.stage ?? $0.name })
        return Flowchart.Node(
          names: equal.map(\.name), details: ["\(equal[0].kind) · \(key)"],
          group: groups.joined(separator: ", "), kind: equal[0].kind)
      },
      arrows: arrows.compactMap { arrow in
        guard let from = numbers[arrow.maker], let to = numbers[arrow.user] else { return nil }
        return Flowchart.Arrow(from: from, to: to)
      })
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
