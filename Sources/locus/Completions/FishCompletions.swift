/// Lines for fish's `complete`.
enum FishCompletions {
  static func script(_ commands: [CommandDeclaration]) -> String {
    var lines = [
      "# Completions of locus for fish; made by `locus completions fish`.", "complete -c locus -f",
    ]
    for (name, help) in CommandDeclaration.words(commands) {
      lines.append(
        "complete -c locus -n __fish_use_subcommand -a \(name) -d \(quoted(help))")
      lines.append(
        "complete -c locus -n '__fish_seen_subcommand_from help' -a \(name) -d \(quoted(help))")
    }
    for command in commands {
      let condition = "complete -c locus -n '__fish_seen_subcommand_from \(command.name)'"
      for positional in command.positionals {
        switch positional.completedValue {
        case .words(let words):
          lines.append("\(condition) -a \(quoted(words.joined(separator: " ")))")
        case .files: lines.append("\(condition) -F")
        case .folders: lines.append("\(condition) -a '(__fish_complete_directories)'")
        case .nothing: break
        }
      }
      for option in command.allOptions {
        let value =
          switch option.completedValue {
          case nil: ""
          case .words(let words): " -x -a \(quoted(words.joined(separator: " ")))"
          case .files: " -r -F"
          case .folders: " -x -a '(__fish_complete_directories)'"
          case .nothing: " -x"
          }
        lines.append(
          "\(condition) -l \(option.name.dropFirst(2)) -d \(quoted(option.help))\(value)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// In single quotation marks fish knows two escapes.
  private static func quoted(_ text: String) -> String {
    let escaped = text.replacingOccurrences(of: "\\", with: "\\\\")
      .replacingOccurrences(of: "'", with: "\\'")
    return "'\(escaped)'"
  }
}
