/// What can stand in the place of an argument.
enum CompletedValue {
  case words([String])
  /// What `locus names` prints.
  case names(StoredNames)
  case files
  case folders
  case nothing

  init(metavar: String, values: [String], names: StoredNames?) {
    if !values.isEmpty {
      self = .words(values)
    } else if let names {
      self = .names(names)
    } else {
      switch metavar {
      case "FILE", "PIPELINE", "DIR|FILE": self = .files
      case "DIR": self = .folders
      default: self = .nothing
      }
    }
  }
}

extension OptionDeclaration {
  /// `nil` for a flag.
  var completedValue: CompletedValue? {
    metavar.map { CompletedValue(metavar: $0, values: values, names: names) }
  }
}

extension PositionalDeclaration {
  var completedValue: CompletedValue { CompletedValue(metavar: name, values: values, names: names) }
}

extension CommandDeclaration {
  static func words(_ commands: [CommandDeclaration]) -> [(name: String, help: String)] {
    commands.map { ($0.name, $0.summary) } + [("help", "Explain a command.")]
  }
}
