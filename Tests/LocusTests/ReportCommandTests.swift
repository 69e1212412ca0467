import Foundation
import Testing

@testable import locus

@Suite("locus report")
struct ReportCommandTests {
  private static func bench() throws -> Bench {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    return bench
  }

  @Test("--format html writes one file beside the run's own page, the same every time")
  func html() throws {
    let bench = try Self.bench()
    let markdown = bench.locus("report").output
    let found = bench.locus("report", "--format", "html")
    #expect(found.code == 0, "\(found.error)")
    #expect(found.output == markdown.replacing(".md\n", with: ".html\n"))
    let url = URL(filePath: found.output.trimmingCharacters(in: .newlines))
    let page = try String(contentsOf: url, encoding: .utf8)
    #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("<em>why?</em>"))
    #expect(bench.locus("report", "--format", "html").code == 0)
    #expect(try String(contentsOf: url, encoding: .utf8) == page)
    let folder = url.deletingLastPathComponent()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!names.contains { $0.hasPrefix(".write-") })
    // Where there is no report yet, too, and nothing but that file.
    try FileManager.default.removeItem(at: folder)
    #expect(bench.locus("report", "--format", "html").output == found.output)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path) == [url.lastPathComponent])
    let json = bench.locus("report", "--format", "html", "--json").output
    #expect(json.contains("\"report\":\"\(url.path)\""), "\(json)")
  }

  @Test("--output names the file, through a link too; what cannot be written is refused beforehand")
  func output() throws {
    let bench = try Self.bench()
    let file = bench.folder.appending(path: "sent.html")
    let found = bench.locus("report", "--format", "html", "--output", file.path)
    #expect(found.code == 0 && found.output == file.path + "\n", "\(found.error)")
    let page = try Data(contentsOf: file)
    #expect(page.starts(with: Data("<!DOCTYPE html>".utf8)))
    let link = bench.folder.appending(path: "link.html")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
    try Data("before".utf8).write(to: file)
    #expect(bench.locus("report", "--format", "html", "--output", link.path).code == 0)
    #expect(try Data(contentsOf: file) == page)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == file.path)
    let missing = bench.folder.appending(path: "none/sent.html").path
    for path in [missing, bench.folder.path] {
      let refused = bench.locus("report", "--format", "html", "--output", path)
      #expect(refused.code == 73 && refused.error.contains("\(path): cannot be written"))
    }
  }

  @Test("a Markdown report is many files, and no one name is taken for it")
  func markdownOutput() throws {
    let bench = try Self.bench()
    let file = bench.folder.appending(path: "sent.md")
    for words in [[], ["--format", "markdown"]] {
      let found = bench.locus(words: ["report", "--output", file.path] + words)
      #expect(found.code == 64 && found.error.contains("--format html"), "\(found.error)")
    }
    #expect(!FileManager.default.fileExists(atPath: file.path))
    #expect(bench.locus("report", "--format", "htm").error.contains("did you mean `html`?"))
  }
}
