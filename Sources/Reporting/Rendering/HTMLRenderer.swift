import Formats
import Foundation

/// Blocks as one HTML file that needs nothing beside it: pictures are inside, and there is no script and
/// nothing to fetch. It is XML as well, so that any tool reads it.
struct HTMLRenderer {
  private var body = ""
  private let title: String
  private let pictures: PagePictures
  /// Sections by their number, for the list of contents.
  private var sections: [String] = []

  init(_ blocks: [Block], title: String, signature: RunSignature? = nil) {
    self.title = title
    pictures = PagePictures(blocks, signature)
    for block in blocks { add(block) }
  }

  var text: String {
    """
    <!DOCTYPE html>
    <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"/>
    <meta name="color-scheme" content="light dark"/>
    <title>\(Escape.xml(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    \(body)</main>
    <nav>
    <ol>
    \(contents)</ol>
    </nav>
    </body>
    </html>

    """
  }

  private var contents: String {
    sections.enumerated().map { index, words in
      "<li><a href=\"#section-\(index + 1)\">\(words)</a></li>\n"
    }.joined()
  }

  private mutating func add(_ block: Block) {
    switch block {
    case .heading(let title, let level): heading(InlineHTML.render(title), level)
    case .paragraph(let words): body += "<p>\(InlineHTML.render(words))</p>\n"
    case .table(let columns, let rows):
      table(columns.map(InlineHTML.render), rows.map { $0.map(InlineHTML.render) })
    case .chart(_, let chart, let alternative):
      picture(pictures.svg(chart), "image/svg+xml", alternative)
    case .picture(_, let content, let stage, let alternative):
      picture(pictures.png(content, stage: stage), "image/png", alternative)
    case .graph(let graph):
      // Where nothing draws arrows, a table says what each box reads.
      let table = (graph.nodes.count > Self.mostBoxes ? graph.collapsed : graph).table
      self.table(table.columns.map(Escape.xml), table.rows.map { $0.map(Escape.xml) })
    case .details(let summary, let blocks):
      body += "<details>\n<summary>\(Escape.xml(summary))</summary>\n"
      for block in blocks { add(block) }
      body += "</details>\n"
    case .question(let sql):
      body += "<details class=\"query\">\n<summary>Query</summary>\n"
      code(sql)
      body += "</details>\n"
    case .code(let content, _): code(content)
    }
  }

  /// Beyond, the instances of a stage are one row.
  private static let mostBoxes = 200

  private mutating func heading(_ words: String, _ level: Int) {
    if level == 2 { sections.append(words) }
    let id = level == 2 ? " id=\"section-\(sections.count)\"" : ""
    body += "<h\(level)\(id)>\(words)</h\(level)>\n"
  }

  /// Scrolls within itself where it is wider than the page.
  private mutating func table(_ columns: [String], _ rows: [[String]]) {
    func row(_ cells: [String], _ element: String) -> String {
      "<tr>" + cells.map { "<\(element)>\($0)</\(element)>" }.joined() + "</tr>\n"
    }
    body += "<div class=\"wide\"><table>\n<thead>\n" + row(columns, "th")
    body += "</thead>\n<tbody>\n" + rows.map { row($0, "td") }.joined()
    body += "</tbody>\n</table></div>\n"
  }

  private mutating func picture(_ content: Data, _ type: String, _ alternative: String) {
    body +=
      "<div class=\"wide\"><img alt=\"\(Escape.xml(alternative))\" "
      + "src=\"data:\(type);base64,\(content.base64EncodedString())\"/></div>\n"
  }

  private mutating func code(_ content: String) {
    body += "<pre><code>\(Escape.xmlLines(content))</code></pre>\n"
  }

  private static let style = """
    :root { color-scheme: light dark; --text: #24292f; --quiet: #59636e; --page: #ffffff;
      --shade: #f6f8fa; --edge: #d0d7de; --link: #0969da; }
    @media (prefers-color-scheme: dark) {
      :root { --text: #d0d7de; --quiet: #9198a1; --page: #0d1117; --shade: #161b22;
        --edge: #30363d; --link: #4493f8; }
    }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 1rem; max-width: 78rem; background: var(--page);
      color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial,
      sans-serif; }
    main { min-width: 0; }
    h1, h2, h3, h4 { line-height: 1.25; margin: 1.6em 0 0.6em; overflow-wrap: anywhere; }
    h1 { margin-top: 0.2em; }
    h1, h2 { padding-bottom: 0.3em; border-bottom: 1px solid var(--edge); }
    p, summary { overflow-wrap: anywhere; max-width: 50rem; }
    a { color: var(--link); }
    code { font: 0.85em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
      background: var(--shade); padding: 0.15em 0.35em; border-radius: 4px; }
    pre { padding: 0.8rem; background: var(--shade); border-radius: 6px; white-space: pre-wrap;
      overflow-wrap: anywhere; }
    pre code { padding: 0; background: none; }
    details { margin: 0.8em 0; }
    summary { cursor: pointer; }
    .query > summary { color: var(--quiet); font-size: 0.85em; }
    .wide { overflow-x: auto; margin: 0.8em 0; }
    table { border-collapse: collapse; font-size: 0.9em; font-variant-numeric: tabular-nums; }
    th, td { border: 1px solid var(--edge); padding: 0.3em 0.6em; text-align: left;
      vertical-align: top; }
    thead { background: var(--shade); }
    tbody tr:nth-child(even) { background: var(--shade); }
    img { display: block; min-width: min(34rem, 100%); max-width: 100%; height: auto; }
    nav { font-size: 0.9em; border-top: 1px solid var(--edge); margin-top: 2em; }
    @media (max-width: 30rem) { img { min-width: 32rem; } }
    @media (min-width: 75rem) {
      body { display: grid; grid-template-columns: minmax(0, 1fr) 13rem; gap: 2rem; }
      nav { border: 0; margin: 0; position: sticky; top: 1rem; align-self: start; }
    }
    """
}
