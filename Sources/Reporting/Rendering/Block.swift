import Foundation

/// What a page is made of, whatever it is rendered to.
///
/// Words are inline Markdown and nothing more: emphasis, code spans, no links and no HTML. What comes
/// from a file goes through `Markdown.name` or `Markdown.escape`.
enum Block: Hashable {
  case heading(String, level: Int)
  case paragraph(String)
  case table(columns: [String], rows: [[String]])
  /// An SVG that lies beside the page under this name.
  case chart(name: String, svg: String, alternative: String)
  /// A PNG that lies beside the page under this name.
  case picture(name: String, content: Data, alternative: String)
  /// Folded until the reader asks for it.
  case details(String, [Block])
  /// The statement that yields a section's numbers, to be given to `locus query` or `sqlite3`.
  case question(sql: String)
  case code(String, language: String)

  static func heading(_ title: String) -> Block { .heading(title, level: 2) }
}

/// A part of the report: asks the store first, and then says it in blocks without asking again.
protocol Section {
  init(_ data: RunData) throws
  var blocks: [Block] { get }
}
