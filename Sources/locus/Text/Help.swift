import Workflow

/// The texts of `--help`.
enum Help {
  static func overview(of commands: [CommandSummary], _ kinds: [StageKind]) -> String {
    let width = commands.map(\.name.count).max() ?? 0
    let lines = commands.map { "  \(padded($0.name, width))  \($0.summary)" }
    return """
      Locus: does a conditional diffusion model compose, and does locality make it?

      Usage: locus COMMAND [ARGUMENTS]

      Commands:
      \(lines.joined(separator: "\n"))

      Kinds of stages in a pipeline file:
      \(KindHelp.list(kinds))
      `locus help COMMAND` or `locus help KIND` explains one. `locus --version` tells the version.

      Exit codes: 0 success, 1 verify found faults, 64 usage, 65 bad data, 66 missing input,
      69 a library or an instruction is missing, 70 a fault of Locus, 73 and 74 input or
      output, 75 another run holds the lock, 130 and 143 interrupted.

      """
  }

  /// By sysexits.h.
  static let exitCodes: [(code: String, meaning: String)] = [
    ("0", "success"), ("1", "`verify` found faults"), ("64", "usage"), ("65", "bad data"),
    ("66", "missing input"),
    ("69", "a library that `bench` needs, or instructions of the processor, are missing"),
    ("70", "a fault of Locus"), ("73", "a file that cannot be made"),
    ("74", "input or output"), ("75", "another run holds the lock"), ("130", "interrupted"),
    ("143", "terminated"),
  ]

  static let environment: [(name: String, meaning: String)] = [
    ("LOCUS_STORE", "the store, where --store names none (default: data)"),
    ("TERM", "with the value dumb, progress is printed as plain lines"),
  ]

  /// The line `locus run PIPELINE [OPTIONS]`.
  static func usage(of command: CommandDeclaration) -> String {
    var usage = "locus \(command.name)"
    for positional in command.positionals {
      let name = positional.name + (positional.repeats ? "…" : "")
      usage += positional.isOptional ? " [\(name)]" : " \(name)"
    }
    return command.options.isEmpty ? usage : usage + " [OPTIONS]"
  }

  static func text(of command: CommandDeclaration) -> String {
    var sections = [command.summary, "Usage: \(usage(of: command))"]
    if !command.discussion.isEmpty { sections.append(command.discussion) }
    if !command.positionals.isEmpty {
      let rows = command.positionals.map { ($0.name, $0.help) }
      sections.append("Arguments:\n\(table(rows))")
    }
    let rows = command.allOptions.map { option in
      (
        option.metavar.map { "\(option.name) \($0)" } ?? option.name,
        option.help + (option.repeats ? " (may be repeated)" : "")
      )
    }
    sections.append("Options:\n\(table(rows))")
    let examples = command.examples.map { "  \($0.command)\n      \($0.effect)" }
    sections.append("Examples:\n\(examples.joined(separator: "\n"))")
    return sections.joined(separator: "\n\n") + "\n"
  }

  private static func table(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { "  \(padded($0.0, width))  \($0.1)" }.joined(separator: "\n")
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
