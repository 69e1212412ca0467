import Formats
import Foundation

/// What a page is made of, whatever it is rendered to.
///
/// Words are inline Markdown and nothing more: emphasis, code spans, no links and no HTML. What comes
/// from a file goes through `Markdown.name` or `Markdown.escape`.
enum Block: Hashable {
  case heading(String, level: Int)
  case paragraph(String)
  case table(columns: [String], rows: [[String]])
  /// Becomes an SVG of this name, in the colours that its names have on the whole page.
  case chart(name: String, Chart, alternative: String)
  /// A PNG of this name, of what a stage of the run left.
  case picture(name: String, content: Data, stage: String, alternative: String)
  /// What stands between what, drawn where the page can be.
  case graph(Flowchart)
  /// Folded until the reader asks for it.
  case details(String, [Block])
  /// The statement that yields a section's numbers, to be given to `locus query` or `sqlite3`.
  case question(sql: String)
  case code(String, language: String)

  static func heading(_ title: String) -> Block { .heading(title, level: 2) }
}

extension ChartLooks {
  /// The looks of all names of a page.
  init(_ blocks: [Block]) {
    self.init()
    for block in blocks { add(block) }
  }

  private mutating func add(_ block: Block) {
    switch block {
    case .chart(_, let chart, _): add(chart.names)
    case .details(_, let blocks): for block in blocks { add(block) }
    default: break
    }
  }
}

/// A part of the report: asks the store first, and then says it in blocks without asking again.
protocol Section {
  /// A pipeline without any stage of these kinds has not asked for it, and its report does not answer.
  static var kinds: Set<String> { get }

  init(_ data: RunData) throws
  var blocks: [Block] { get }
}

extension Section {
  /// Whatever was run.
  static var kinds: Set<String> { [] }
}
