import Formats

/// Lines for fish's `complete`.
enum FishCompletions {
  static func script(_ commands: [CommandDeclaration]) -> String {
    var lines = [
      "# Completions of locus for fish; made by `locus completions fish`.", "complete -c locus -f",
    ]
    for (name, help) in CommandDeclaration.words(commands) {
      lines.append(
        "complete -c locus -n __fish_use_subcommand -a \(name) -d \(Escape.fish(help))")
      lines.append(
        "complete -c locus -n '__fish_seen_subcommand_from help' -a \(name) -d \(Escape.fish(help))"
      )
    }
    for command in commands {
      let condition = "complete -c locus -n '__fish_seen_subcommand_from \(command.name)'"
      for positional in command.positionals {
        switch positional.completedValue {
        case .words(let words):
          lines.append("\(condition) -a \(Escape.fish(words.joined(separator: " ")))")
        case .files: lines.append("\(condition) -F")
        case .folders: lines.append("\(condition) -a '(__fish_complete_directories)'")
        case .nothing: break
        }
      }
      for option in command.allOptions {
        let value =
          switch option.completedValue {
          case nil: ""
          case .words(let words): " -x -a \(Escape.fish(words.joined(separator: " ")))"
          case .files: " -r -F"
          case .folders: " -x -a '(__fish_complete_directories)'"
          case .nothing: " -x"
          }
        lines.append(
          "\(condition) -l \(option.name.dropFirst(2)) -d \(Escape.fish(option.help))\(value)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
