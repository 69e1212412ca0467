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
    for stage in run.stages {
      let number = numbers.count
      numbers[stage.name] = number
      let key = stage.key.map { String($0.prefix(8)) } ?? "no key"
      lines.append(
        "  s\(number)[\"\(Escape.mermaid(stage.name))<br/>\(Escape.mermaid(stage.kind)) · \(Escape.mermaid(key))\"]"
      )
    }
    for arrow in arrows {
      guard let from = numbers[arrow.maker], let to = numbers[arrow.user] else { continue }
      lines.append("  s\(from) --> s\(to)")
    }
    return [
      heading, .code(lines.joined(separator: "\n"), language: "mermaid"),
      ArrowRow.question(run.id).block,
    ]
  }
}
