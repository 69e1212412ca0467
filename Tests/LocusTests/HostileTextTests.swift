import Formats
import Foundation
import Testing

@testable import Workflow
@testable import locus

/// Proves that no value of a store and no word of the command line becomes a command of the terminal or
/// markup of the page that it is shown on.
@Suite("Hostile text")
struct HostileTextTests {
  static let bad = "\u{1B}]0;x\u{7}\u{9B}2J\u{7F}\u{202E}a|\u{338}b\\|c\n<i>`\"\u{301},"

  private func hasUnseen(_ text: String) -> Bool {
    text.unicodeScalars.contains {
      $0.value < 32 && $0 != "\n" || (127..<160).contains($0.value) || $0 == "\u{202E}"
    }
  }

  @Test("tables for people have a line a row and no control, in their heads too")
  func table() {
    let table = TextTable(columns: [Self.bad, "b"], rows: [[.string(Self.bad), .integer(1)]])
    for format in [TextTable.Format.table, .markdown] {
      let text = table.text(format)
      #expect(!hasUnseen(text), "\(text)")
      #expect(text.split(separator: "\n").count == 3)
    }
    // The cell's own bars are escaped, with the backslash before one.
    let row = table.text(.markdown).split(separator: "\n")[2]
    var bars = 0
    var isEscaped = false
    for scalar in row.unicodeScalars {
      if scalar == "|", !isEscaped { bars += 1 }
      isEscaped = scalar == "\\" && !isEscaped
    }
    #expect(bars == 3, "\(row)")
    #expect(table.text(.markdown).contains("&lt;i&gt;"))
  }

  @Test("tables for programs hold the value itself")
  func programs() throws {
    let table = TextTable(columns: ["a"], rows: [[.string(Self.bad)]])
    let value = try JSONValue.parse(Data(table.text(.json).utf8))
    guard case .array(let rows) = value, case .string(let text)? = rows.first?["a"] else {
      Issue.record("no rows")
      return
    }
    #expect(Array(text.utf8) == Array(Self.bad.utf8))
    #expect(table.text(.csv).utf8.elementsEqual("a\n\(Escape.csvLine([Self.bad]))".utf8))
  }

  @Test("errors and sheets show what a word or value holds, and obey nothing of it")
  func errors() throws {
    let bench = try Bench()
    let path = try bench.pipeline(
      "\"s\u{1B}[2J\": { kind: \"\u{1B}[2J\", \"\u{9B}x\u{202E}\": 1 },")
    for words in [
      [Self.bad], ["run", Self.bad], ["run", path], ["query", Self.bad], ["show", Self.bad],
      ["run", path, "--only", Self.bad], ["run", path, "--set", Self.bad],
    ] {
      let found = bench.locus(words: words)
      #expect(found.code != 0 && !found.error.isEmpty)
      #expect(!hasUnseen(found.error), "\(words)")
    }
    var sheet = Sheet()
    sheet.fields = [("name", .string(Self.bad))]
    // In every row the same, and not.
    sheet.add(
      "rows",
      TextTable(
        columns: ["a", Self.bad, "b"],
        rows: (1...3).map { [.string("\(Self.bad)\($0)"), .string(Self.bad), .string(Self.bad)] }))
    for width in [nil, 20, 300] as [Int?] {
      let console = Console(
        write: { _ in }, writeError: { _ in }, isTerminal: false, width: { 80 },
        outputWidth: { width }, environment: [:])
      #expect(!hasUnseen(sheet.text(for: console)), "\(width ?? 0)")
    }
  }

  @Test("a holder of the lock and a run's progress are shown on a line each")
  func status() throws {
    let progress = RunProgress(
      pipeline: "p", stage: Self.bad, number: 1, count: 1, startedAt: "", at: "", work: nil)
    let written = Written()
    let console = Console(
      write: { text in written.add(text) }, writeError: { _ in }, isTerminal: false, width: { 80 },
      environment: [:])
    try console.showLine(ProgressPrinter.text(of: progress))
    #expect(!hasUnseen(written.text))
    #expect(written.text.split(separator: "\n").count == 1)
  }
}

private final class Written: @unchecked Sendable {
  private let lock = NSLock()
  private var parts = ""
  func add(_ text: String) { lock.withLock { parts += text } }
  var text: String { lock.withLock { parts } }
}
