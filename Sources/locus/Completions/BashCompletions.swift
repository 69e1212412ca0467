import Formats

/// A function for bash's `complete`.
enum BashCompletions {
  static func script(_ commands: [CommandDeclaration]) -> String {
    let names = CommandDeclaration.words(commands).map(\.name)
    var values = ""
    var words = ""
    for command in commands {
      for option in command.allOptions {
        guard let value = option.completedValue else { continue }
        values += "    \(command.name):\(option.name)) \(reply(value)) return ;;\n"
      }
      words +=
        "    \(command.name)) options=\(Escape.shell(command.allOptions.map(\.name).joined(separator: " ")))"
      let places = command.positionals.map { reply($0.completedValue) }.filter { $0 != ":;" }
      words +=
        (places.isEmpty ? "" : "; [[ $current != -* ]] && \(places.joined(separator: " "))")
        + " ;;\n"
    }
    return """
      # Completions of locus for bash; made by `locus completions bash`.
      # Offers what `locus names` prints, from the store and the pipeline file of the line so far.
      _locus_names() {
        local typed=${COMP_LINE:0:COMP_POINT} arguments=() name place
        typed=${typed##*[[:space:]]}
        for (( place = 2; place < COMP_CWORD; place++ )); do
          name=${COMP_WORDS[place]}
          if [[ $name == --store ]]; then
            name=${COMP_WORDS[place + 1]}
            [[ $name == = ]] && name=${COMP_WORDS[place + 2]}
            arguments+=(--store "$name")
          elif [[ $1 == stages && ${COMP_WORDS[1]} == run && -f $name ]]; then
            arguments+=("$name")
          fi
        done
        # Of a name with = bash hands over, and replaces, what comes after the last.
        [[ $typed == --*=* ]] && typed=${typed#*=}
        typed=${typed#[\\'\\"]}
        local last=${current#[\\'\\"]}
        local before=${typed%"$last"}
        while IFS= read -r name; do
          [[ $name == "$typed"* ]] && COMPREPLY+=("${name#"$before"}")
        done < <("${COMP_WORDS[0]}" names "$1" "${arguments[@]}" 2>/dev/null)
      }
      _locus() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} options=
        COMPREPLY=()
        if (( COMP_CWORD == 1 )); then
          COMPREPLY=($(compgen -W '\(names.joined(separator: " ")) --help --version' -- "$current"))
          return
        fi
        # bash takes --option=value apart.
        [[ $current == = ]] && current=
        [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD-2]}
        case ${COMP_WORDS[1]}:$previous in
      \(values)  esac
        case ${COMP_WORDS[1]} in
          help) options='\(names.joined(separator: " "))' ;;
      \(words)  esac
        if [[ $current == -* || ${#COMPREPLY[@]} -eq 0 ]]; then
          COMPREPLY+=($(compgen -W "$options" -- "$current"))
        fi
      }
      complete -o filenames -F _locus locus

      """
  }

  private static func reply(_ value: CompletedValue) -> String {
    switch value {
    case .words(let words):
      "COMPREPLY+=($(compgen -W \(Escape.shell(words.joined(separator: " "))) -- \"$current\"));"
    // A line a name, so that names with blanks stay whole.
    case .files: "mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$current\");"
    case .folders: "mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -d -- \"$current\");"
    case .names(let names): "_locus_names \(names.rawValue);"
    case .nothing: ":;"
    }
  }
}
