import Formats
import Workflow

/// An option of a command. Without a metavar it is a flag.
struct OptionDeclaration: Sendable {
  /// With its dashes: `--only`.
  var name: String
  /// What the value is, for example `DIR`.
  var metavar: String?
  var help: String
  var repeats = false
  /// The words that are accepted, where these are few.
  var values: [String]

  init(
    _ name: String, _ metavar: String? = nil, repeats: Bool = false, values: [String] = [],
    help: String
  ) {
    self.name = name
    self.metavar = metavar
    self.repeats = repeats
    self.values = values
    self.help = help
  }
}

/// An argument without dashes. At most one of a command is optional, the last.
struct PositionalDeclaration: Sendable {
  var name: String
  var isOptional = false
  /// The words that are accepted, where these are few.
  var values: [String] = []
  var help: String
}

/// All that parsing and `--help` need to know of a command.
struct CommandDeclaration: Sendable {
  struct Example: Sendable {
    var command: String
    var effect: String
  }
  var name: String
  var summary: String
  var positionals: [PositionalDeclaration] = []
  var options: [OptionDeclaration] = []
  /// Further paragraphs of `--help`.
  var discussion = ""
  var examples: [Example]

  static let help = OptionDeclaration("--help", help: "show this help")
  static let store = OptionDeclaration(
    "--store", "DIR", help: "the store (default: $LOCUS_STORE, or data)")
  static let json = OptionDeclaration("--json", help: "print JSON for programs")

  var allOptions: [OptionDeclaration] { options + [Self.help] }
}

/// What is wrong with a command line, or with what it names. All wording is here.
enum UsageError: CategorizedError, Hashable, CustomStringConvertible {
  case noCommand(known: [String])
  case unknownCommand(String, known: [String])
  case unknownOption(String, command: String, known: [String])
  case missingValue(option: String, metavar: String)
  case unexpectedValue(option: String)
  case optionTwice(String)
  case missingArgument(String, command: String)
  case unexpectedArgument(String, command: String)
  case badValue(String, option: String, accepted: String)
  case unknownQuery(String, known: [String])
  case noDenoiser(String)
  case noRun(String)
  case noPipeline(String, known: [String])
  case unknownReference(String, known: [String] = [])
  case ambiguousReference(String, candidates: [String])
  case cannotWrite(String, reason: String)
  case badFile(String, reason: String)
  case missingFile(String, reason: String)

  var description: String {
    switch self {
    case .noCommand(let known): "no command; commands: \(known.joined(separator: ", "))"
    case .unknownCommand(let word, let known):
      "unknown command `\(word)`\(hint(word, known)); commands: \(known.joined(separator: ", "))"
    case .unknownOption(let word, let command, let known):
      "`locus \(command)` has no option `\(word)`\(hint(word, known));"
        + " options: \(known.joined(separator: ", "))"
    case .missingValue(let option, let metavar): "\(option) needs a value: \(option) \(metavar)"
    case .unexpectedValue(let option): "\(option) takes no value"
    case .optionTwice(let option): "\(option) is given twice"
    case .missingArgument(let name, let command): "`locus \(command)` needs \(name)"
    case .unexpectedArgument(let word, let command):
      "`locus \(command)` does not take the argument `\(word)`"
    case .badValue(let value, let option, let accepted):
      "\(option) \(value): accepted: \(accepted)"
    case .unknownQuery(let word, let known):
      "there is no query, view or table `\(word)`\(hint(word, known));"
        + " `locus query` lists them, and SQL is accepted too"
    case .noDenoiser(let word):
      "`\(word)` is no denoiser; accepted: an instance of train, analytic, intervene or import, or a"
        + " hash of weights"
    case .noRun(let word): "`\(word)` is no run; `locus runs` lists them"
    case .noPipeline(let word, let known):
      "no pipeline `\(word)` has run in this store\(hint(word, known));"
        + " known: \(known.isEmpty ? "none" : known.joined(separator: ", "))"
    case .unknownReference(let word, let known):
      "`\(word)` names no run, execution, artifact or instance in this store\(hint(word, known));"
        + " `locus runs` lists runs"
    case .ambiguousReference(let word, let candidates):
      "`\(word)` names more than one: \(candidates.joined(separator: ", ")); give more of it"
    case .cannotWrite(let path, let reason): "\(path): cannot be written: \(reason)"
    case .badFile(let path, let reason): "\(path): \(reason)"
    case .missingFile(let path, let reason): "\(path): cannot be read: \(reason)"
    }
  }

  var category: ErrorCategory {
    switch self {
    case .cannotWrite: .cannotCreate
    case .badFile: .data
    case .missingFile: .missing
    case .noCommand, .unknownCommand, .unknownOption, .missingValue, .unexpectedValue, .optionTwice,
      .missingArgument, .unexpectedArgument, .badValue, .unknownQuery, .noDenoiser, .noRun,
      .noPipeline, .unknownReference, .ambiguousReference:
      .usage
    }
  }

  private func hint(_ word: String, _ known: [String]) -> String {
    closestMatch(word, in: known).map { " (did you mean `\($0)`?)" } ?? ""
  }
}

/// The arguments of one command, taken apart.
struct Arguments: Sendable, Hashable {
  private(set) var values: [String: [String]] = [:]
  private(set) var positionals: [String] = []

  /// `--option value`, `--option=value`; after `--` everything is an argument. `--help` ends the
  /// reading: whoever asks for help need not have the rest right.
  init(_ words: [String], for command: CommandDeclaration) throws(UsageError) {
    var words = words[...]
    while let word = words.popFirst() {
      if word == "--" {
        positionals += words
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        positionals.append(word)
        continue
      }
      let sides = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = sides[0] == "-h" ? "--help" : String(sides[0])
      guard let option = command.allOptions.first(where: { $0.name == name }) else {
        throw .unknownOption(
          name, command: command.name, known: command.allOptions.map(\.name))
      }
      var value = ""
      if let metavar = option.metavar {
        guard let given = sides.count == 2 ? String(sides[1]) : words.popFirst() else {
          throw .missingValue(option: name, metavar: metavar)
        }
        value = given
      } else if sides.count == 2 {
        throw .unexpectedValue(option: name)
      }
      if values[name] != nil && !option.repeats { throw .optionTwice(name) }
      values[name, default: []].append(value)
      if name == "--help" { return }
    }
    let declared = command.positionals
    if positionals.count > declared.count {
      throw .unexpectedArgument(positionals[declared.count], command: command.name)
    }
    let required = declared.filter { !$0.isOptional }
    if positionals.count < required.count {
      throw .missingArgument(required[positionals.count].name, command: command.name)
    }
  }

  func has(_ option: String) -> Bool { values[option] != nil }
  func all(_ option: String) -> [String] { values[option] ?? [] }
  subscript(option: String) -> String? { values[option]?.first }

  func positional(_ index: Int) -> String? {
    positionals.indices.contains(index) ? positionals[index] : nil
  }

  func integer(_ option: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
    guard let text = self[option] else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw .badValue(
        text, option: option,
        accepted: "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func choice(_ option: String, among words: [String]) throws(UsageError) -> String? {
    guard let text = self[option] else { return nil }
    guard words.contains(text) else {
      let hint = closestMatch(text, in: words).map { " (did you mean `\($0)`?)" } ?? ""
      throw .badValue(text, option: option, accepted: words.joined(separator: ", ") + hint)
    }
    return text
  }
}
