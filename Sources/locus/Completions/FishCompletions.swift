import Formats

/// Lines for fish's `complete`.
enum FishCompletions {
  static func script(_ commands: [CommandDeclaration]) -> String {
    var lines = [
      "# Completions of locus for fish; made by `locus completions fish`.", namesFunction,
      "complete -c locus -f",
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
        case .names(let names):
          lines.append("\(condition) -a '(__locus_names \(names.rawValue))'")
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
          case .names(let names): " -x -a '(__locus_names \(names.rawValue))'"
          case .nothing: " -x"
          }
        lines.append(
          "\(condition) -l \(option.name.dropFirst(2)) -d \(Escape.fish(option.help))\(value)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What `locus names` prints, from the store and the pipeline file of the line so far.
  private static let namesFunction = """
    function __locus_names
      set -l words (commandline -opc)
      set -l arguments
      set -l place 3
      while test $place -le (count $words)
        set -l word $words[$place]
        if test "$word" = --store; and test $place -lt (count $words)
          set arguments $arguments --store $words[(math $place + 1)]
        else if string match -q -- '--store=*' $word
          set arguments $arguments $word
        else if test "$argv[1]" = stages; and test "$words[2]" = run; and test -f $word
          set arguments $arguments $word
        end
        set place (math $place + 1)
      end
      $words[1] names $argv[1] $arguments 2>/dev/null
    end
    """
}
