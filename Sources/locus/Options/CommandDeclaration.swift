/// An option of a command, as help and completions need it. Without a metavar it is a flag.
struct OptionDeclaration: Sendable {
  /// With its dashes: `--only`.
  var name: String
  /// What the value is, for example `DIR`.
  var metavar: String?
  var help: String
  var repeats = false
  /// The words that are accepted, where these are few.
  var values: [String] = []
  /// What it names of a store.
  var names: StoredNames?

  static let help = OptionDeclaration(name: "--help", help: "show this help")
}

/// An argument without dashes. At most one of a command is optional or repeats, the last.
struct PositionalDeclaration: Sendable {
  var name: String
  var isOptional = false
  /// Whether it takes every word that is left.
  var repeats = false
  /// The words that are accepted, where these are few.
  var values: [String] = []
  /// What it names of a store.
  var names: StoredNames?
  var help: String
}

/// What a command says of itself.
struct CommandSummary: Sendable {
  struct Example: Sendable {
    var command: String
    var effect: String
  }
  var name: String
  var summary: String
  /// Further paragraphs of `--help`.
  var discussion = ""
  var examples: [Example]
}

/// All that parsing, `--help`, the manual and completions need to know of a command.
struct CommandDeclaration: Sendable {
  var name: String
  var summary: String
  var positionals: [PositionalDeclaration]
  var options: [OptionDeclaration]
  var discussion: String
  var examples: [CommandSummary.Example]

  init(_ about: CommandSummary, _ options: some CommandOptions) {
    name = about.name
    summary = about.summary
    discussion = about.discussion
    examples = about.examples
    positionals = options.positionals
    self.options = options.options
  }

  var allOptions: [OptionDeclaration] { options + [.help] }
}
