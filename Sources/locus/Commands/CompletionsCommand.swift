/// `locus completions`: what a shell offers after a tabulator, from the same declarations as `--help`.
enum CompletionsCommand: Command {
  enum Shell: String, CaseIterable { case bash, zsh, fish }

  struct Options: CommandOptions {
    @Positional("SHELL", placeholder: .bash) var shell: Shell
  }

  static let about = CommandSummary(
    name: "completions", summary: "Print completions of commands and options for a shell.",
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

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let commands = CommandLineTool.commands.map { $0.declaration }
    switch context.options.shell {
    case .bash: try context.console.write(BashCompletions.script(commands))
    case .zsh: try context.console.write(ZshCompletions.script(commands))
    case .fish: try context.console.write(FishCompletions.script(commands))
    }
    return 0
  }
}
