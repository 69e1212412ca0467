/// The words after a command, taken apart; what they mean is for the command's options to say.
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
    if positionals.count > declared.count, declared.last?.repeats != true {
      throw .unexpectedArgument(positionals[declared.count], command: command.name)
    }
    let required = declared.filter { !$0.isOptional }
    if positionals.count < required.count {
      let missing = required[positionals.count]
      throw .missingArgument(missing.name, help: missing.help, command: command.name)
    }
  }

  /// What was given for an option, in order; an empty word for a flag.
  func all(_ option: String) -> [String] { values[option] ?? [] }
}
