import Formats
import Foundation

/// Blocks as GitHub-flavoured Markdown, with the files that lie beside the page.
struct MarkdownRenderer {
  private(set) var text = ""
  private(set) var files: [(name: String, content: Data)] = []
  /// Where the files lie, relative to the page.
  private let pictureFolder: String
  private let pictures: PagePictures

  init(_ blocks: [Block], pictureFolder: String, signature: RunSignature? = nil) {
    self.pictureFolder = pictureFolder
    pictures = PagePictures(blocks, signature)
    for block in blocks { add(block) }
  }

  private mutating func add(_ block: Block) {
    switch block {
    case .heading(let title, let level):
      paragraph(String(repeating: "#", count: level) + " " + title)
    case .paragraph(let words): paragraph(words)
    case .table(let columns, let rows):
      text += "| " + columns.joined(separator: " | ") + " |\n"
      text += "|" + String(repeating: " --- |", count: columns.count) + "\n"
      for row in FittedRows(columns: columns, rows: rows).rows {
        text += "| " + row.joined(separator: " | ") + " |\n"
      }
      text += "\n"
    case .chart(let name, let chart, let alternative):
      file(name, pictures.svg(chart), alternative)
    case .picture(let name, let content, let stage, let alternative):
      file(name, pictures.png(content, stage: stage), alternative)
    case .graph(let graph): add(graph)
    case .details(let summary, let blocks):
      text += "<details><summary>\(Escape.xml(summary))</summary>\n\n"
      for block in blocks { add(block) }
      text += "</details>\n\n"
    case .question(let sql): paragraph("Query: \(Escape.markdownCode(sql))")
    case .code(let content, let language):
      paragraph(Escape.markdownBlock(content, language: language))
    }
  }

  private mutating func paragraph(_ words: String) { text += words + "\n\n" }

  private mutating func file(_ name: String, _ content: Data, _ alternative: String) {
    files.append((name, content))
    paragraph("![\(Markdown.escape(alternative))](\(pictureFolder)/\(name))")
  }

  /// As Mermaid, as much as GitHub draws of it.
  private mutating func add(_ graph: Flowchart) {
    let tooLarge =
      "Drawn whole, the graph has \(graph.arrows.count) arrows between \(graph.nodes.count) boxes, more than "
      + "GitHub draws (\(Flowchart.mostArrows) arrows, \(Flowchart.mostCharacters) characters)"
    switch graph.drawing {
    case .whole(let text): add(.code(text, language: "mermaid"))
    case .collapsed(let text):
      paragraph(tooLarge + ": the instances of a stage are one box, with their number.")
      add(.code(text, language: "mermaid"))
    case .table(let table):
      paragraph(tooLarge + ", with one box a stage too: a row a stage instead.")
      add(.table(columns: table.columns, rows: table.rows.map { $0.map(Markdown.escape) }))
    }
  }
}
