import Formats
import Workflow

/// `locus man`: the manual page, from the same declarations as `--help`.
enum ManCommand: Command {
  typealias Options = NoOptions

  static let about = CommandSummary(
    name: "man", summary: "Print the manual page, in the format of man(7).",
    examples: [
      .init(command: "locus man | man -l -", effect: "read it"),
      .init(
        command: "locus man > /usr/local/share/man/man1/locus.1", effect: "have it for `man locus`"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    try context.console.write(
      page(CommandLineTool.commands.map { $0.declaration }, context.kinds))
    return 0
  }

  static func page(_ commands: [CommandDeclaration], _ kinds: [StageKind]) -> String {
    var page = Roff()
    page.raw(".TH LOCUS 1 \"\(locusDate)\" \"locus \(locusVersion)\" \"User Commands\"")
    page.macro("SH", ["NAME"])
    page.raw("locus \\- do conditional diffusion models compose because their scores are local")
    page.macro("SH", ["SYNOPSIS"])
    page.raw("\\fBlocus\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]")
    page.macro("SH", ["DESCRIPTION"])
    page.text(
      "Runs studies of conditional diffusion models from pipeline files and keeps every result, "
        + "with all that it came from, in one store. What has been done is not done again.")
    page.macro("SH", ["COMMANDS"])
    for command in commands { add(command, to: &page) }
    page.macro("SH", ["KINDS OF STAGES"])
    for kind in kinds {
      page.macro("SS", [kind.name])
      page.text(kind.summary)
      page.block(KindHelp.details(of: kind, among: kinds))
    }
    page.macro("SH", ["EXIT STATUS"])
    for (code, meaning) in Help.exitCodes { page.item(Roff.bold(code), meaning) }
    page.macro("SH", ["ENVIRONMENT"])
    for (name, meaning) in Help.environment { page.item(Roff.bold(name), meaning) }
    page.macro("SH", ["FILES"])
    for (path, meaning) in [
      ("data/locus.sqlite", "the index of all results, for sqlite3(1) too"),
      ("data/objects, data/receipts", "the results and what is known of them: the truth"),
      ("reports/PIPELINE/latest.md", "the report of the latest whole run"),
    ] { page.item(Roff.italic(path), meaning) }
    return page.source
  }

  private static func add(_ command: CommandDeclaration, to page: inout Roff) {
    page.macro("SS", [Help.usage(of: command)])
    page.text(command.summary)
    if !command.discussion.isEmpty {
      page.paragraphs(command.discussion)
    }
    for positional in command.positionals {
      page.item(Roff.italic(positional.name), positional.help)
    }
    for option in command.options {
      page.item(
        Roff.bold(option.name) + (option.metavar.map { " " + Roff.italic($0) } ?? ""),
        option.help + (option.repeats ? " (may be repeated)" : ""))
    }
    for example in command.examples {
      page.macro("PP")
      page.text(example.effect + ":")
      page.block(example.command)
    }
  }
}

/// Text in the format of man(7).
private struct Roff {
  private(set) var source = ""

  static func bold(_ text: String) -> String { "\\fB\(Escape.roff(text))\\fR" }
  static func italic(_ text: String) -> String { "\\fI\(Escape.roff(text))\\fR" }

  mutating func macro(_ name: String, _ arguments: [String] = []) {
    source += ([".\(name)"] + arguments.map(Escape.roffArgument)).joined(separator: " ") + "\n"
  }

  mutating func raw(_ line: String) { source += line + "\n" }

  /// A paragraph, in lines of at most 80 bytes that the reader's program fills anew.
  mutating func text(_ text: String) {
    var line = ""
    for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      let word = Escape.roff(String(word))
      if !line.isEmpty, line.utf8.count + word.utf8.count > 76 {
        add(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    add(line)
  }

  /// Paragraphs that empty lines part; lines that are indented are a list and stand as they are.
  mutating func paragraphs(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var rest = lines[...]
    macro("PP")
    while let first = rest.first {
      let isList = first.hasPrefix("  ")
      let end =
        rest.firstIndex { $0.isEmpty || $0.hasPrefix("  ") != isList } ?? rest.endIndex
      let part = rest[rest.startIndex..<end].joined(separator: "\n")
      rest = rest[end...]
      if part.isEmpty {
        rest.removeFirst()
        macro("PP")
      } else if isList {
        block(part)
      } else {
        self.text(part)
      }
    }
  }

  private mutating func add(_ line: String) { source += Escape.roffLine(line) + "\n" }

  mutating func item(_ title: String, _ body: String) {
    macro("TP")
    raw(title)
    text(body)
  }

  /// As it stands, indented.
  mutating func block(_ text: String) {
    macro("RS", ["4"])
    macro("nf")
    for line in Escape.roff(text).split(separator: "\n") { add(String(line)) }
    macro("fi")
    macro("RE")
  }
}
