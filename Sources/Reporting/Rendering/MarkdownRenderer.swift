import Formats
import Foundation

/// Blocks as GitHub-flavoured Markdown, with the files that lie beside the page.
struct MarkdownRenderer {
  private(set) var text = ""
  private(set) var files: [(name: String, content: Data)] = []
  /// Where the files lie, relative to the page.
  private let pictureFolder: String

  init(_ blocks: [Block], pictureFolder: String) {
    self.pictureFolder = pictureFolder
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
      for row in rows { text += "| " + row.joined(separator: " | ") + " |\n" }
      text += "\n"
    case .chart(let name, let svg, let alternative):
      file(name, Data(svg.utf8), alternative)
    case .picture(let name, let content, let alternative): file(name, content, alternative)
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
}
