import Formats

/// What is wrong with a command line, or with what it names. All wording is here.
enum UsageError: CategorizedError, Hashable, CustomStringConvertible {
  case notText(String, place: Int)
  case noCommand(known: [String])
  case unknownCommand(String, known: [String])
  case unknownTopic(String, commands: [String], kinds: [String])
  case unknownOption(String, command: String, known: [String])
  case missingValue(option: String, metavar: String)
  case unexpectedValue(option: String)
  case optionTwice(String)
  case missingArgument(String, help: String, command: String)
  case unexpectedArgument(String, command: String)
  case badArgument(String, name: String, command: String, known: [String], remedy: String?)
  case badValue(String, option: String, accepted: String)
  case unknownQuery(String, known: [String])
  case noDenoiser(String)
  /// A word that leads to no picture set.
  case noPictures(String)
  /// A denoiser that no weights make.
  case noWeights(String, reason: String)
  case noRun(String)
  case noPipeline(String, known: [String])
  case unknownReference(String, known: [String] = [])
  case ambiguousReference(String, candidates: [String])
  case cannotWrite(String, reason: String)
  case badFile(String, reason: String)
  case missingFile(String, reason: String)

  var description: String {
    switch self {
    case .notText(let shown, let place):
      "argument \(place) is not UTF-8: \(shown); rename the file, or link to it under another name"
    case .noCommand(let known):
      "no command; `locus --help` explains them: \(known.joined(separator: ", "))"
    case .unknownCommand(let word, let known):
      "unknown command `\(word)`\(hint(word, known)); commands: \(known.joined(separator: ", "))"
    case .unknownTopic(let word, let commands, let kinds):
      "there is no command and no kind of stage `\(word)`\(hint(word, commands + kinds));"
        + " commands: \(commands.joined(separator: ", ")); kinds: \(kinds.joined(separator: ", "))"
    case .unknownOption(let word, let command, let known):
      "`locus \(command)` has no option `\(word)`\(hint(word, known));"
        + " options: \(known.joined(separator: ", "))"
    case .missingValue(let option, let metavar): "\(option) needs a value: \(option) \(metavar)"
    case .unexpectedValue(let option): "\(option) takes no value"
    case .optionTwice(let option): "\(option) is given twice"
    case .missingArgument(let name, let help, let command):
      "`locus \(command)` needs \(name): \(help); `locus help \(command)` says more"
    case .unexpectedArgument(let word, let command):
      "`locus \(command)` does not take the argument `\(word)`"
    case .badArgument(let word, let name, let command, let known, let remedy):
      "`locus \(command)` has no \(name) `\(word)`\(hint(word, known));"
        + " accepted: \(known.joined(separator: ", "))\(remedy.map { "; \($0)" } ?? "")"
    case .badValue(let value, let option, let accepted):
      "\(option) \(value): accepted: \(accepted)"
    case .unknownQuery(let word, let known):
      "there is no query, view or table `\(word)`\(hint(word, known));"
        + " `locus query` lists them, and SQL is accepted too"
    case .noDenoiser(let word):
      "`\(word)` is no denoiser; accepted: an instance of train, analytic, intervene, import or external, or a"
        + " hash of weights"
    case .noPictures(let word):
      "`\(word)` is no picture set; accepted: an instance of generate, import-clevr, import-positions or"
        + " import-arrays, or a hash of its manifest"
    case .noWeights(let word, let reason):
      "`\(word)` has no weights of its own: \(reason)"
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
    case .notText, .noCommand, .unknownCommand, .unknownTopic, .unknownOption, .missingValue,
      .unexpectedValue,
      .optionTwice, .missingArgument, .unexpectedArgument, .badArgument, .badValue, .unknownQuery,
      .noDenoiser, .noPictures,
      .noWeights, .noRun, .noPipeline, .unknownReference, .ambiguousReference:
      .usage
    }
  }

  private func hint(_ word: String, _ known: [String]) -> String {
    closestMatch(word, in: known).map { " (did you mean `\($0)`?)" } ?? ""
  }
}
