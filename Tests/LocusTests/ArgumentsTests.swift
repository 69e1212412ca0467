import Measures
import Testing

@testable import locus

@Suite("command line")
struct ArgumentsTests {
  static let command = CommandDeclaration(
    name: "fit", summary: "Fit.",
    positionals: [
      PositionalDeclaration(name: "FILE", help: "what"),
      PositionalDeclaration(name: "OTHER", isOptional: true, help: "what else"),
    ],
    options: [
      OptionDeclaration("--only", "STAGE", repeats: true, help: "some"),
      OptionDeclaration("--threads", "N", help: "count"),
      OptionDeclaration("--quiet", help: "no output"),
    ],
    examples: [.init(command: "locus fit a", effect: "fits")])

  func parse(_ words: String...) throws(UsageError) -> Arguments {
    try Arguments(words, for: Self.command)
  }

  @Test("options stand anywhere, with a space or an equals sign")
  func options() throws {
    let found = try parse("--only", "a", "file", "--threads=2", "--only=b=c", "--quiet")
    #expect(found.all("--only") == ["a", "b=c"])
    #expect(try found.integer("--threads", in: 1...4) == 2)
    #expect(found.has("--quiet"))
    #expect(found.positionals == ["file"])
  }

  @Test("after two dashes everything is an argument")
  func dashes() throws {
    #expect(try parse("--", "--only", "-x").positionals == ["--only", "-x"])
    #expect(try parse("-").positionals == ["-"])
  }

  @Test("whoever asks for help need not have the rest right")
  func help() throws {
    #expect(try parse("-h", "--nonsense").has("--help"))
  }

  @Test(
    "a wrong command line is refused in words",
    arguments: [
      ([], "`locus fit` needs FILE"),
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
    let found = try parse("a", "--threads", text)
    #expect(throws: UsageError.self) { try found.integer("--threads", in: 1...4) }
    #expect(throws: UsageError.self) { try found.choice("--threads", among: ["a", "b"]) }
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
