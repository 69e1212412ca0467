import Foundation
import Testing

@testable import Formats

/// Proves that the programs that read a syntax read back what was escaped for it, whatever it is: a
/// quotation mark with a combining mark is no quotation mark for Swift's `Character`, and one for all else.
@Suite("Escaping")
struct EscapeTests {
  /// What names, paths and messages can be made of.
  static let hostile = [
    "plain", "it's", "'\u{301}; touch owned; '\u{301}", "\"\u{301} $(touch owned) \"\u{301}",
    "$HOME `id` \\$x \\", "%\u{301}s 100%", "a|\u{338}b|c", "`\u{301}``code```", "<\u{338}b>&amp;&",
    "]]> --> #quot; #35;", "a,\u{301}b;c", "two\nlines", "dos\r\nlines", "tab\tand \r alone",
    "\u{1B}[31mred\u{7}\u{7F}", "\u{9B}31m\u{85}", "\u{202E}gpj.exe\u{2066}", "line\u{2028}end",
    "-rf", "~", "*?[x]{a,b}!1", "_a_ __b__ ~~c~~ # d", " blank ", "日本 👩‍🔬 é e\u{301}", "\u{301}", "",
    ".TH", "'\u{301}br",
  ]

  static func isInstalled(_ program: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").contains
    {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }

  /// What a program prints when it is given a text.
  static func run(_ words: [String], input: String) throws -> String {
    let file = FileManager.default.temporaryDirectory.appending(path: "locus-\(UUID().uuidString)")
    try Data(input.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    process.standardInput = try FileHandle(forReadingFrom: file)
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(words)")
    return String(decoding: data, as: UTF8.self)
  }

  /// The bytes of each text in hexadecimal, a line each: two equal strings of Swift may differ in them.
  static func bytes(_ texts: [String]) -> [String] {
    texts.map { $0.utf8.map { String(format: "%02x", $0) }.joined() }
  }

  private func lines(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  @Test(
    "a shell reads one word back, byte for byte", arguments: ["sh", "bash", "zsh"])
  func shell(_ shell: String) throws {
    guard Self.isInstalled(shell) else { return print("\(shell) is not installed: skipped") }
    let script = Self.hostile.map {
      "printf %s \(Escape.shell($0)) | od -An -v -tx1 | tr -d ' \\n'; echo\n"
    }.joined()
    #expect(lines(try Self.run([shell], input: script)) == Self.bytes(Self.hostile))
  }

  @Test("fish reads one word back", .enabled(if: isInstalled("fish"), "fish is not installed"))
  func fish() throws {
    let script = Self.hostile.map {
      "printf %s \(Escape.fish($0)) | od -An -v -tx1 | tr -d ' \\n'; echo\n"
    }.joined()
    #expect(lines(try Self.run(["fish"], input: script)) == Self.bytes(Self.hostile))
  }

  @Test("cron hands sh what was meant")
  func cron() throws {
    // cron ends the command at a `%` and takes the backslash from before one.
    let texts = Self.hostile.filter { !$0.utf8.contains(10) }
    let script = texts.map { text -> String in
      let line = Escape.crontab("printf %s \(Escape.shell(text))")
      var command = String.UnicodeScalarView()
      for scalar in line.unicodeScalars {
        if scalar == "%" {
          guard command.last == "\\" else { return "echo ended" }
          command.removeLast()
        }
        command.append(scalar)
      }
      return "\(String(command)) | od -An -v -tx1 | tr -d ' \\n'; echo\n"
    }.joined()
    #expect(lines(try Self.run(["sh"], input: script)) == Self.bytes(texts))
  }

  static let python = ["python3", "-c"]

  @Test(
    "python3 -m json.tool accepts it and json reads it back",
    .enabled(if: isInstalled("python3"), "python3 is not installed"))
  func json() throws {
    let value = JSONValue.array(Self.hostile.map(JSONValue.string))
    _ = try Self.run(["python3", "-m", "json.tool"], input: value.prettyText())
    let read = try Self.run(
      Self.python + [
        "import json,sys\nfor t in json.load(sys.stdin): print(t.encode().hex())"
      ], input: value.canonicalText())
    #expect(lines(read) == Self.bytes(Self.hostile))
    let members = JSONValue.object(
      Dictionary(Self.hostile.map { ($0, .null) }, uniquingKeysWith: { first, _ in first }))
    #expect(try JSONValue.parse(Data(members.canonicalText().utf8)) == members)
  }

  @Test(
    "a CSV reader reads every field and record back",
    .enabled(if: isInstalled("python3"), "python3 is not installed"))
  func csv() throws {
    let program = """
      import csv,io,sys
      text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
      for row in csv.reader(text): print(*[f.encode().hex() for f in row], sep=",")
      """
    let records = Self.hostile.map { [$0, "1", $0] } + Self.hostile.map { [$0] }
    let read = try Self.run(Self.python + [program], input: records.map(Escape.csvLine).joined())
    #expect(lines(read) == records.map { Self.bytes($0).joined(separator: ",") })
  }

  @Test(
    "an XML parser reads text and attributes back; controls, which XML has not, are shown",
    .enabled(if: isInstalled("python3"), "python3 is not installed"))
  func xml() throws {
    let texts = Self.hostile.filter { text in
      !text.unicodeScalars.contains { Escape.isUnseen($0) && !"\n\r\t".unicodeScalars.contains($0) }
    }
    let program = """
      import sys, xml.etree.ElementTree as e
      for n in e.fromstring(sys.stdin.buffer.read()):
          assert n.get("a") == (n.text or ""); print((n.text or "").encode().hex())
      """
    let page = texts.map { "<t a=\"\(Escape.xml($0))\">\(Escape.xml($0))</t>" }.joined()
    let read = try Self.run(Self.python + [program], input: "<x>\(page)</x>")
    #expect(lines(read) == Self.bytes(texts))
    let shown = Escape.xml("\u{1B}[31m\u{202E}")
    #expect(shown == "\\u{1b}[31m\\u{202e}")
    let chart = LineChart(
      title: Self.hostile.joined(), xLabel: "x", yLabel: "y",
      series: [.init(name: "\"\u{301}<", points: [.init(x: 1, y: 1), .init(x: 2, y: 2)])])
    _ = try Self.run(
      Self.python + [
        "import sys, xml.etree.ElementTree as e; e.fromstring(sys.stdin.buffer.read())"
      ],
      input: chart.svg())
  }

  @Test("SQLite reads texts and names back", .enabled(if: isInstalled("sqlite3"), "no sqlite3"))
  func sql() throws {
    // Its command line takes the carriage return from the end of a line.
    let texts = Self.hostile.filter { !$0.contains("\r\n") }
    let script = texts.map {
      "WITH t(\(Escape.sqlName($0))) AS (SELECT \(Escape.sql($0))) SELECT hex(\(Escape.sqlName($0))) FROM t;\n"
    }.joined()
    let read = try Self.run(["sqlite3", ":memory:"], input: script)
    #expect(lines(read).map { $0.lowercased() } == Self.bytes(texts))
  }

  @Test("Graphviz reads labels back", .enabled(if: isInstalled("dot"), "Graphviz is not installed"))
  func dot() throws {
    let nodes = Self.hostile.map { "n [label=\(Escape.dot(lines: [$0, "kind"]))]" }
    for node in nodes { _ = try Self.run(["dot", "-Tsvg"], input: "digraph g {\n\(node)\n}\n") }
  }

  @Test(
    "groff shows the text of a page and no request of it",
    .enabled(if: isInstalled("groff"), "no groff"))
  func roff() throws {
    let texts = [".TH it's", "'br a\\b", "--set \\fBx\\fR \"q\"", "'\u{301}br"]
    let page = texts.map { Escape.roffLine(Escape.roff($0)) + "\n.br\n" }.joined()
    let shown = try Self.run(["groff", "-man", "-Tutf8", "-Kutf8"], input: ".TH T 1\n" + page)
    for text in ["it's", "a\\b", "--set \\fBx\\fR"] { #expect(shown.contains(text), "\(shown)") }
    #expect(Escape.roffArgument("a \"\u{301}b\"") == "\"a \\(dq\u{301}b\\(dq\"")
  }

  @Test("what is no letter for Swift is still escaped, in each syntax")
  func table() {
    let cases: [(String, String)] = [
      (Escape.shell("'\u{301}"), "''\\''\u{301}'"),
      (Escape.shellIfNeeded("Pipelines/a-1.json5"), "Pipelines/a-1.json5"),
      (Escape.shellIfNeeded("a;\u{301}b"), "'a;\u{301}b'"), (Escape.shellIfNeeded("-rf"), "'-rf'"),
      (Escape.shellIfNeeded(""), "''"), (Escape.crontab("%\u{301}"), "\\%\u{301}"),
      (Escape.fish("'\u{301}\\\u{301}"), "'\\'\u{301}\\\\\u{301}'"),
      (Escape.zshSpecification("]\u{301}:\u{301}"), "\\]\u{301}\\:\u{301}"),
      (Escape.systemdWord("\"\u{301}$\u{301}%\u{301}\\"), "\"\\\"\u{301}$$\u{301}%%\u{301}\\\\\""),
      (Escape.systemdWord("$x", hasVariables: false), "\"$x\""),
      (Escape.systemdPath("%\u{301}"), "%%\u{301}"),
      (Escape.markdown("|\u{301}*\u{301}<\u{338}"), "\\|\u{301}\\*\u{301}&lt;\u{338}"),
      (Escape.markdown("a_b _c_\n\u{202E}"), "a_b \\_c\\_ \\\\u{202e}"),
      (Escape.markdownCode("a`b``c"), "```a`b``c```"), (Escape.markdownCode("`"), "`` ` ``"),
      (Escape.markdownCodeCell("a|\u{338}b"), "`a¦\u{338}b`"),
      (Escape.mermaid("\"\u{301}#<\u{338}`"), "#quot;\u{301}#35;#lt;\u{338}#96;"),
      (Escape.dot(lines: ["\"\u{301}\\N&", "b"]), "\"\\\"\u{301}\\\\N&amp;\\nb\""),
      (Escape.terminal("a\n\u{1B}[2J\u{202E}\u{9B}"), "a\n\\u{1b}[2J\\u{202e}\\u{9b}"),
      (Escape.line("a\nb\u{1B}"), "a b\\u{1b}"),
      (Escape.message("\"\u{301}\u{202E}"), "\"\\\"\u{301}\\u{202e}\""),
    ]
    for (found, wanted) in cases {
      #expect(Self.bytes([found]) == Self.bytes([wanted]), "\(found)")
    }
  }

  @Test("a fence is longer than every run of backticks within")
  func fence() {
    for length in 0...8 {
      let run = String(repeating: "`", count: length) + "\u{301}"
      let block = Escape.markdownBlock("a\n\(run)\n\(run)b", language: "sql")
      let fence = block.prefix { $0 == "`" }
      #expect(fence.count == max(3, length + 1))
      #expect(block.hasSuffix("\n\(fence)"))
    }
  }
}
