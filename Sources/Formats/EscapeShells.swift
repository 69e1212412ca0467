// What shells, cron and systemd read.

extension Escape {
  /// One word of sh, bash and zsh: in single quotation marks.
  package static func shell(_ text: String) -> String {
    "'" + replacing(text) { $0 == "'" ? "'\\''" : nil } + "'"
  }

  /// A word of a command that is shown to people: without quotation marks where it needs none.
  package static func shellIfNeeded(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy {
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "_./-+,:@".utf8.contains($0)
    }
    return isPlain && !text.isEmpty && !text.hasPrefix("-") ? text : shell(text)
  }

  /// As `shellIfNeeded`, and the name of an option as it is.
  package static func shellWord(_ word: String) -> String {
    let isOption =
      word.hasPrefix("--") && word.utf8.count > 2
      && word.utf8.allSatisfy {
        $0 == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
      }
    return isOption ? word : shellIfNeeded(word)
  }

  /// The command of a crontab line: `%` ends it unless it is escaped, in quotation marks too.
  package static func crontab(_ command: String) -> String {
    replacing(command) { $0 == "%" ? "\\%" : nil }
  }

  /// One word of fish: in its single quotation marks there are two escapes.
  package static func fish(_ text: String) -> String {
    "'" + replacing(text) { $0 == "\\" || $0 == "'" ? "\\\($0)" : nil } + "'"
  }

  /// A text within a specification of zsh's `_arguments`.
  package static func zshSpecification(_ text: String) -> String {
    replacing(text) { "[]:\\".unicodeScalars.contains($0) ? "\\\($0)" : nil }
  }

  /// One word of systemd's `ExecStart` or `Environment`: `%` begins a specifier, `$` a variable of
  /// `ExecStart`.
  ///
  /// - Parameter hasVariables: not in `Environment`, nor in the path of the program.
  package static func systemdWord(_ word: String, hasVariables: Bool = true) -> String {
    let text = replacing(word) { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case "%": "%%"
      case "$" where hasVariables: "$$"
      default: nil
      }
    }
    return "\"\(text)\""
  }

  /// The rest of a line of a systemd unit that is a path, without quotation marks.
  package static func systemdPath(_ path: String) -> String {
    replacing(path) { $0 == "%" ? "%%" : nil }
  }

  /// Whether a text can stand in a line of a crontab or of a unit at all.
  package static func fitsLine(_ text: String) -> Bool {
    !text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }
  }
}
