import Formats
import Foundation
import Lineage
import Testing

@testable import Reporting

@Suite("HTML report")
struct HTMLTests {
  private static func study() throws -> ReportFixture {
    let fixture = try ReportFixture.study()
    try fixture.theory()
    try fixture.machines()
    return fixture
  }

  @Test(
    "inline Markdown becomes what it means, and what is none stays as it reads",
    arguments: [
      ("a *b* **c *d* e** f", "a <em>b</em> <strong>c <em>d</em> e</strong> f"),
      ("2 * 3 * 4, a** b", "2 * 3 * 4, a** b"), ("*open", "*open"), ("**a *b**", "**a <em>b</em>*"),
      ("***a***", "<strong><em>a</em></strong>"),
      ("K_max \\_a\\_ \\*b\\* \\", "K_max _a_ *b* \\"),
      ("`a*b*\\_ &lt; <i>`", "<code>a*b*\\_ &amp;lt; &lt;i&gt;</code>"),
      ("`` ` `` and ```", "<code>`</code> and ```"),
      ("&lt;b&gt; &amp;amp; <b> & \"", "&lt;b&gt; &amp;amp; &lt;b&gt; &amp; &quot;"),
      ("see [a *b*](x.md), [c] (d)", "see a <em>b</em>, [c] (d)"),
      ("[a\\]b](javascript:1)", "a]b"), ("[", "["), ("", ""),
      ("`m[a=1,b=2]`", "<code>m[<wbr/>a=1,<wbr/>b=2]</code>"),
    ])
  func inline(_ words: String, _ html: String) {
    #expect(InlineHTML.render(words) == html)
  }

  /// What names, values and messages can be made of.
  private static let hostile = [
    "</title></style><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "*a* **b** _c_",
    "`` ` ```", "`\u{301}<b>", "[x](http://evil)", "![x](y)", "a|b", "\\", "\\*", "&lt;b&gt;",
    "\"' onload='", "\u{1B}[31m\u{202E}", "--> ]]> <!--", "\u{FFFF}\u{FFFE}", "\u{301}*", " ", "",
  ]

  @Test("hostile text is text, whether it was escaped or quoted as a name", arguments: hostile)
  func hostileText(_ text: String) throws {
    #expect(InlineHTML.render(Markdown.escape(text)) == Escape.xml(Escape.line(text)))
    let code = InlineHTML.render(Markdown.name(text)).replacing("<wbr/>", with: "")
    let quoted = Escape.line(text.replacing("|", with: "¦"))
    let isBlank = quoted.allSatisfy { $0 == " " }
    #expect(isBlank || code == "<code>\(Escape.xml(quoted))</code>")
    let page = HTMLRenderer(
      [
        .heading(Markdown.name(text)), .paragraph(Markdown.escape(text)),
        .table(columns: [Markdown.escape(text)], rows: [[Markdown.name(text)]]),
        .details(text, [.question(sql: text), .code(text, language: text)]),
        .picture(name: text, content: Data(text.utf8), stage: text, alternative: text),
        .graph(
          Flowchart(
            prefix: "s", nodes: [.init(names: [text], group: text, kind: text)], arrows: [])),
      ], title: text
    ).text
    #expect(try Self.elements(page).filter { ["script", "b", "i"].contains($0) }.isEmpty)
    #expect(try Self.elements(page).count { $0 == "img" } == 1)
    #expect(!page.unicodeScalars.contains("\u{202E}") && !page.unicodeScalars.contains("\u{1B}"))
  }

  struct Malformed: Error { var place: Substring }

  /// The elements of a page in which each begins and ends as XML asks, and every `<` and `&` is markup.
  private static func elements(_ page: String) throws -> [String] {
    var rest = page.dropFirst("<!DOCTYPE html>".count)[...]
    #expect(page.hasPrefix("<!DOCTYPE html>\n<html "))
    var open: [String] = []
    var all: [String] = []
    while let start = rest.utf8.firstIndex(where: { "<&".utf8.contains($0) }) {
      rest = rest[start...]
      if let found = rest.prefixMatch(of: #/&(?:amp|lt|gt|quot|#39|#10|#13|#9);/#) {
        rest = rest[found.range.upperBound...]
      } else if let found = rest.prefixMatch(of: #/<\/([a-z0-9]+)>/#) {
        if open.popLast() != String(found.1) { throw Malformed(place: rest.prefix(80)) }
        rest = rest[found.range.upperBound...]
      } else if let found = rest.prefixMatch(
        of: #/<([a-z0-9]+)(?: [a-z-]+="[^"<]*")*(\/?)>/#.matchingSemantics(.unicodeScalar))
      {
        all.append(String(found.1))
        if found.2.isEmpty { open.append(String(found.1)) }
        rest = rest[found.range.upperBound...]
      } else {
        throw Malformed(place: rest.prefix(80))
      }
    }
    if !open.isEmpty { throw Malformed(place: "at the end") }
    return all
  }

  @Test("one file holds every picture of the report, and asks for nothing else")
  func pictures() throws {
    let fixture = try Self.study()
    let data = try fixture.data
    let blocks = try Report.sections.flatMap { try $0.init(data).blocks }
    let files = MarkdownRenderer(blocks, pictureFolder: "p").files
    let page = HTMLRenderer(blocks, title: "t").text
    let inside = page.matches(of: #/src="data:image\/(?:png|svg\+xml);base64,([^"]+)"/#).map {
      Data(base64Encoded: String($0.1))
    }
    #expect(files.count > 10 && inside == files.map(\.content))
    let elements = try Self.elements(page)
    #expect(elements.count { $0 == "img" } == files.count)
    #expect(Set(elements).isDisjoint(with: ["script", "link", "iframe", "object", "base", "form"]))
    let led = page.matches(of: #/(?:src|href|content|url)\s*[=(]"?([^")]{0,12})/#).map(\.1)
    #expect(
      led.allSatisfy {
        ["data:image/", "#section-", "width=device", "default-src", "light dark"]
          .contains(where: $0.hasPrefix)
      }, "\(Set(led))")
    #expect(
      page.contains("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\""))
    #expect(!page.contains("url(") && !page.contains("@import"))
    let ids = page.matches(of: #/ id="([^"]+)"/#).map { String($0.1) }
    #expect(ids.count > 8 && Set(ids).count == ids.count)
    for id in ids { #expect(page.contains("href=\"#\(id)\"")) }
  }

  @Test("it says what the Markdown page says, lineage as a table of what each stage reads")
  func same() throws {
    let data = try Self.study().data
    let blocks = try Report.sections.flatMap { try $0.init(data).blocks }
    let page = HTMLRenderer(blocks, title: "t").text
    var paragraphs = 0
    for block in blocks {
      if case .paragraph(let words) = block {
        paragraphs += 1
        #expect(page.contains("<p>\(InlineHTML.render(words))</p>"))
      }
    }
    #expect(paragraphs > 20)
    #expect(!page.contains("flowchart LR"))
    #expect(
      page.contains(
        "<tr><td>single_evaluated</td><td>1</td><td>evaluate</td>"
          + "<td>judge, baseline[labelling=single]</td></tr>"))
  }

  @Test("it lies beside the run's own page unless somebody says where, the same every time")
  func place() throws {
    let fixture = try Self.study()
    let folder = fixture.folder.appending(path: "reports")
    let page = try Report.write(store: fixture.store, runID: fixture.run, into: folder)
    let html = try Report.html(store: fixture.store, runID: fixture.run, folder: folder)
    #expect(html.url.path == page.deletingPathExtension().path + ".html")
    #expect(
      try html.content
        == Report.html(store: fixture.store, runID: fixture.run, folder: folder).content)
    #expect(!FileManager.default.fileExists(atPath: html.url.path))
    #expect(
      String(decoding: html.content, as: UTF8.self).contains(
        "<title>study, run \(fixture.run)</title>"))
  }
}
