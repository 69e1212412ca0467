/// `locus completions`: what a shell offers after a tabulator, from the same declarations as `--help`.
enum CompletionsCommand: Command {
  static let declaration = CommandDeclaration(
    name: "completions", summary: "Print completions of commands and options for a shell.",
    positionals: [
      PositionalDeclaration(name: "SHELL", values: shells, help: "bash, zsh or fish")
    ],
    examples: [
      .init(
        command: "locus completions bash > ~/.local/share/bash-completion/completions/locus",
        effect: "for bash, from the next shell on"),
      .init(
        command: "locus completions zsh > ~/.zfunc/_locus",
        effect: "for zsh; ~/.zfunc must be in fpath before compinit"),
      .init(
        command: "locus completions fish > ~/.config/fish/completions/locus.fish",
        effect: "for fish"),
    ])

  private static let shells = ["bash", "zsh", "fish"]

  static func run(_ context: CommandContext) throws -> Int32 {
    let commands = CommandLineTool.commands.map { $0.declaration }
    let shell = context.arguments.positional(0) ?? ""
    switch shell {
    case "bash": try context.console.write(BashCompletions.script(commands))
    case "zsh": try context.console.write(ZshCompletions.script(commands))
    case "fish": try context.console.write(FishCompletions.script(commands))
    default:
      throw UsageError.badValue(
        shell, option: "completions", accepted: shells.joined(separator: ", "))
    }
    return 0
  }
}

/// What can stand in the place of an argument.
enum CompletedValue {
  case words([String])
  case files
  case folders
  case nothing

  init(metavar: String, values: [String]) {
    if !values.isEmpty {
      self = .words(values)
    } else {
      switch metavar {
      case "FILE", "PIPELINE": self = .files
      case "DIR": self = .folders
      default: self = .nothing
      }
    }
  }
}

extension OptionDeclaration {
  /// `nil` for a flag.
  var completedValue: CompletedValue? {
    metavar.map { CompletedValue(metavar: $0, values: values) }
  }
}

extension PositionalDeclaration {
  var completedValue: CompletedValue { CompletedValue(metavar: name, values: values) }
}

extension CommandDeclaration {
  static func words(_ commands: [CommandDeclaration]) -> [(name: String, help: String)] {
    commands.map { ($0.name, $0.summary) } + [("help", "Explain a command.")]
  }
}

/// In single quotation marks, for any of the three shells and for sh.
func shellQuoted(_ text: String) -> String {
  "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
}
