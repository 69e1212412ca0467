import Formats

/// A function for zsh's completion system.
enum ZshCompletions {
  static func script(_ commands: [CommandDeclaration]) -> String {
    let names = CommandDeclaration.words(commands).map {
      "    \(Escape.shell("\($0.name):\($0.help)"))\n"
    }
    let cases = commands.map { command in
      let positionals = command.positionals.enumerated().map { index, positional in
        specification(
          "\(positional.repeats ? "*" : "\(index + 1)")\(positional.isOptional ? "::" : ":")\(Escape.zshSpecification(positional.name))",
          positional.completedValue)
      }
      let options = command.allOptions.map { option in
        let name = "\(option.repeats ? "*" : "")\(option.name)"
        guard let metavar = option.metavar, let value = option.completedValue else {
          return Escape.shell("\(name)[\(Escape.zshSpecification(option.help))]")
        }
        return specification(
          "\(name)=[\(Escape.zshSpecification(option.help))]:\(Escape.zshSpecification(metavar))",
          value)
      }
      return "    \(command.name)) _arguments -s -S \\\n"
        + (positionals + options).map { "      \($0)" }.joined(separator: " \\\n") + " ;;\n"
    }
    return """
      #compdef locus
      # Completions of locus for zsh; made by `locus completions zsh`.
      # Offers what `locus names` prints, from the store and the pipeline file of the line so far.
      _locus_names() {
        local -a arguments found
        local place
        for (( place = 2; place < CURRENT; place++ )); do
          if [[ $words[place] == --store ]]; then
            arguments+=(--store $words[place+1])
          elif [[ $words[place] == --store=* ]]; then
            arguments+=($words[place])
          elif [[ $1 == stages && $words[1] == run && -f ${(Q)words[place]} ]]; then
            arguments+=($words[place])
          fi
        done
        found=(${(f)"$(_call_program names $program names $1 $arguments 2>/dev/null)"})
        compadd -a found
      }
      _locus() {
        local -a commands
        commands=(
      \(names.joined()))
        if (( CURRENT == 2 )); then
          _describe -t commands 'command' commands
          return
        fi
        local program=$words[1] command=$words[2]
        # What follows sees its own words only.
        shift words
        (( CURRENT-- ))
        case $command in
          help) _describe -t commands 'command' commands ;;
      \(cases.joined())  esac
      }
      # Sourced or called as a function of fpath.
      if [[ $funcstack[1] == _locus ]]; then _locus "$@"; else compdef _locus locus; fi

      """
  }

  private static func specification(_ head: String, _ value: CompletedValue) -> String {
    let action =
      switch value {
      case .words(let words): "(\(words.joined(separator: " ")))"
      case .files: "_files"
      case .folders: "_files -/"
      case .names(let names): " _locus_names \(names.rawValue)"
      case .nothing: " "
      }
    return Escape.shell("\(head):\(action)")
  }
}
