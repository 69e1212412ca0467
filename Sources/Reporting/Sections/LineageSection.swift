import Formats
import Foundation
import Lineage
import Workflow

/// Stages and what flowed between them, as a Mermaid graph where GitHub draws it.
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
    return [heading] + drawn + [ArrowRow.question(run.id).block]
  }

  private var drawn: [Block] {
    let chart = chart
    let tooLarge =
      "Drawn whole, the graph has \(chart.arrows.count) arrows between \(chart.nodes.count) boxes, more than "
      + "GitHub draws (\(Flowchart.mostArrows) arrows, \(Flowchart.mostCharacters) characters)"
    switch chart.drawing {
    case .whole(let text): return [.code(text, language: "mermaid")]
    case .collapsed(let text):
      return [
        .paragraph(tooLarge + ": the instances of a stage are one box, with their number."),
        .code(text, language: "mermaid"),
      ]
    case .table(let columns, let rows):
      return [
        .paragraph(tooLarge + ", with one box a stage too: a row a stage instead."),
        .table(columns: columns, rows: rows.map { $0.map(Markdown.escape) }),
      ]
    }
  }

  private var chart: Flowchart {
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
