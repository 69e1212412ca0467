import Measures
import Testing

@testable import locus

@Suite("command line")
struct ArgumentsTests {
  enum Letter: String, CaseIterable { case a, b }

  struct Options: CommandOptions {
    @Positional("FILE", "what") var file: String
    @Positional("OTHER", "what else") var other: String?
    @Option(repeated: "--only", "STAGE", "some") var only: [String]
    @Option("--threads", "N", in: 1...4, default: 3, "count") var threads: Int
    @Option("--letter", "X", default: .b) var letter: Letter
    @Flag("--quiet", "no output") var quiet
  }

  static let command = CommandDeclaration(
    CommandSummary(
      name: "fit", summary: "Fit.", examples: [.init(command: "locus fit a", effect: "fits")]),
    Options())

  func parse(_ words: String...) throws(UsageError) -> Options {
    let options = Options()
    try options.read(Arguments(words, for: Self.command), of: Self.command.name)
    return options
  }

  @Test("options stand anywhere, with a space or an equals sign")
  func options() throws {
    let found = try parse("--only", "a", "file", "--threads=2", "--only=b=c", "--quiet")
    #expect(found.only == ["a", "b=c"])
    #expect(found.threads == 2)
    #expect(found.quiet)
    #expect(found.file == "file" && found.other == nil)
  }

  @Test("what is not given is its default, and what is given once is not there the next time")
  func defaults() throws {
    #expect(try parse("a", "b", "--quiet", "--letter", "a").other == "b")
    let found = try parse("a")
    #expect(found.only.isEmpty && found.threads == 3 && found.letter == .b && !found.quiet)
  }

  @Test("the help has range, words and default from the declaration")
  func help() {
    let text = Help.text(of: Self.command)
    #expect(text.contains("--threads N   count (default: 3)"))
    #expect(text.contains("--letter X    a or b (default: b)"))
    #expect(text.contains("--only STAGE  some (may be repeated)"))
    #expect(text.contains("Usage: locus fit FILE [OTHER] [OPTIONS]"))
  }

  @Test("after two dashes everything is an argument")
  func dashes() throws {
    func positionals(_ words: String...) throws -> [String] {
      try Arguments(words, for: Self.command).positionals
    }
    #expect(try positionals("--", "--only", "-x") == ["--only", "-x"])
    #expect(try positionals("-") == ["-"])
  }

  @Test("whoever asks for help need not have the rest right")
  func asksForHelp() throws {
    #expect(try Arguments(["-h", "--nonsense"], for: Self.command).all("--help").count == 1)
    #expect(try Bench().locus("bench", "--threads", "0", "--help").code == 0)
  }

  @Test(
    "a wrong command line is refused in words",
    arguments: [
      ([], "`locus fit` needs FILE: what; `locus help fit` says more"),
      (["a", "b", "c"], "`locus fit` does not take the argument `c`"),
      (["a", "--onyl", "b"], "no option `--onyl` (did you mean `--only`?)"),
      (["a", "--only"], "--only needs a value: --only STAGE"),
      (["a", "--quiet=1"], "--quiet takes no value"),
      (["a", "--threads", "1", "--threads", "2"], "--threads is given twice"),
    ])
  func refused(_ words: [String], _ text: String) {
    let error = #expect(throws: UsageError.self) { try Arguments(words, for: Self.command) }
    #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
  }

  @Test("numbers and choices are checked", arguments: ["0", "5", "x", "", "1.5"])
  func numbers(_ text: String) throws {
    #expect(throws: UsageError.self) { try parse("a", "--threads", text) }
    #expect(throws: UsageError.self) { try parse("a", "--letter", text) }
  }

  @Test("every command explains itself with its options and an example")
  func everyHelp() throws {
    let bench = try Bench()
    let overview = bench.locus("--help").output
    for command in CommandLineTool.commands.map({ $0.declaration }) {
      #expect(overview.contains("  \(command.name) "))
      let help = bench.locus("help", command.name)
      #expect(help.code == 0)
      #expect(help.output == bench.locus(command.name, "--help").output)
      #expect(!command.examples.isEmpty)
      for option in command.allOptions { #expect(help.output.contains(option.name)) }
      let names = command.allOptions.map(\.name)
      #expect(Set(names).count == names.count && names.allSatisfy { $0.hasPrefix("--") })
      for example in command.examples {
        #expect(example.command.hasPrefix("locus \(command.name)"))
      }
      for line in help.output.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
    }
  }

  @Test("unknown commands get a hint and 64")
  func unknown() throws {
    let bench = try Bench()
    let found = bench.locus("stauts")
    #expect(found.code == 64)
    #expect(found.error.contains("unknown command `stauts` (did you mean `status`?)"))
    #expect(bench.locus().code == 64)
    #expect(bench.locus("help", "rnu").code == 64)
    #expect(bench.locus("--version").output == "locus \(locusVersion)\n")
  }
}
