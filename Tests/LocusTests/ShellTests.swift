// Proves that shells take the completions and man readers the page, and that both say what `--help`
// says.
import Formats
import Foundation
import Measures
import Testing

@testable import locus

/// Proves that the shells take the completions and offer what is accepted, and that the manual page has
/// every command without a warning of the formatters.
@Suite("completions and the manual page", .serialized)
struct ShellTests {
  /// Runs a script in a shell, in a folder with the completions of that shell in `locus.SHELL`.
  private func shell(_ words: [String], _ script: String) throws -> String {
    try withFolder { folder in
      for shell in ["bash", "zsh", "fish"] {
        let text = try Bench().locus("completions", shell).output
        try Data(text.utf8).write(to: folder.appending(path: "locus.\(shell)"))
      }
      try Data().write(to: folder.appending(path: "my study.json5"))
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = words + [script]
      process.currentDirectoryURL = folder
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = pipe
      try process.run()
      let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(text)")
      return text
    }
  }

  @Test(
    "bash offers commands, options, words and files",
    .enabled(if: ScheduleTests.isInstalled("bash"), "bash is not installed"),
    arguments: [
      (["sched"], "schedule"), (["run", "--on"], "--only"), (["query", "--format", "j"], "json"),
      (["query", "--format", "=", "m"], "markdown"), (["run", "my"], "my study.json5"),
      (["help", "imp"], "import"), (["completions", "f"], "fish"), (["import", "w"], "weights"),
      (["run", "--threads", ""], ""),
    ])
  func bash(_ words: [String], _ offered: String) throws {
    let list = (["locus"] + words).map(Escape.shell).joined(separator: " ")
    let text = try shell(
      ["bash", "--norc", "-c"],
      """
      source ./locus.bash; COMP_WORDS=(\(list)); COMP_CWORD=\(words.count); _locus
      printf '%s\\n' "${COMPREPLY[@]}"
      """)
    #expect(text == offered + "\n")
  }

  @Test(
    "fish offers the same",
    .enabled(if: ScheduleTests.isInstalled("fish"), "fish is not installed: apt-get install fish"),
    arguments: [
      ("sched", "schedule\t"), ("run --on", "--only\t"), ("query --format j", "json\t"),
      ("run my", "my study.json5"), ("completions f", "fish"), ("import w", "weights"),
    ])
  func fish(_ line: String, _ offered: String) throws {
    let text = try shell(
      ["fish", "--no-config", "-c"], "source locus.fish; complete -C 'locus \(line)'")
    #expect(text.hasPrefix(offered), "\(text)")
    #expect(text.split(separator: "\n").count == 1, "\(text)")
  }

  @Test(
    "zsh reads them, and each command's specification is one that _arguments takes",
    .enabled(if: ScheduleTests.isInstalled("zsh"), "zsh is not installed: apt-get install zsh"))
  func zsh() throws {
    let text = try shell(
      ["zsh", "-f", "-c"],
      """
      autoload -U compinit; compinit -u -D; source ./locus.zsh
      (( $+functions[_locus] )) && print -r -- $_comps[locus]
      # What each command would hand to zsh's own function.
      _arguments() { print -r -- "$words[1] $#"; zmodload zsh/zutil; }
      for c in run query import; do words=(locus $c x); CURRENT=3; _locus; done
      """)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.first == "_locus")
    #expect(lines.count == 4 && lines[1].hasPrefix("run ") && lines[3].hasPrefix("import "))
  }

  /// A folder with a store, `p.json5`, the completions and the program itself in `bin`.
  private func withStore(_ body: (URL) throws -> Void) throws {
    try withFolder { folder in
      try Data(
        """
        { pipeline: "p", question: "q", seed: 1, stages: {
          scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 10 },
          machine: { kind: "analytic", inputs: { scenes: "scenes" }, counts: [1],
                     matrix: { labelling: ["all", "single"] } } } }
        """.utf8
      ).write(to: folder.appending(path: "p.json5"))
      let run = try Executable.run(["run", "p.json5", "--quiet"], in: folder)
      #expect(run.code == 0, "\(run.error)")
      let programs = folder.appending(path: "bin")
      try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        at: programs.appending(path: "locus"), withDestinationURL: Executable.url)
      for shell in ["bash", "zsh", "fish"] {
        try Data(try Bench().locus("completions", shell).output.utf8)
          .write(to: folder.appending(path: "locus.\(shell)"))
      }
      try body(folder)
    }
  }

  private func offers(_ words: [String], _ script: String, in folder: URL) throws -> [String] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words + [script]
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["PATH": folder.appending(path: "bin").path + ":" + path]) { $1 }
    process.currentDirectoryURL = folder
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: "\n").map(String.init)
  }

  private static let instances = ["machine[labelling=all]", "machine[labelling=single]"]

  @Test(
    "bash offers what the store and the pipeline file have names for",
    .enabled(if: ScheduleTests.isInstalled("bash"), "bash is not installed"))
  func bashNames() throws {
    try withStore { folder in
      let cases: [(String, [String])] = [
        ("show lat", ["latest"]), ("sample mac", Self.instances), ("status ", ["p"]),
        ("query k_", ["k_max"]), ("lineage machine[labelling=s", ["single]"]),
        ("sample 'machine[labelling=s", ["machine[labelling=single]"]),
        ("run p.json5 --only mach", ["machine"] + Self.instances),
        ("run p.json5 --only=sc", ["scenes"]), ("show x --store data --json", ["--json"]),
        ("show --store nowhere lat", []),
      ]
      for (line, expected) in cases {
        // As readline takes a line apart.
        let words = "locus \(line)".split(separator: " ", omittingEmptySubsequences: false)
          .flatMap { word -> [String] in
            if word.hasPrefix("'") { return [String(word)] }
            let parts = word.split(separator: "=", omittingEmptySubsequences: false)
            return parts.dropLast().flatMap { [String($0), "="] } + [String(parts[parts.count - 1])]
          }
        let list = words.map(Escape.shell).joined(separator: " ")
        let found = try offers(
          ["bash", "--norc", "-c"],
          """
          source ./locus.bash; COMP_LINE=\(Escape.shell("locus \(line)")); COMP_POINT=${#COMP_LINE}
          COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); _locus; printf '%s\n' "${COMPREPLY[@]}"
          """, in: folder)
        #expect(found == expected, "\(line)")
      }
    }
  }

  @Test(
    "fish offers the same names",
    .enabled(if: ScheduleTests.isInstalled("fish"), "fish is not installed: apt-get install fish"))
  func fishNames() throws {
    try withStore { folder in
      for (line, expected) in [
        ("show lat", ["latest"]), ("sample mac", Self.instances), ("status ", ["p"]),
        ("run p.json5 --only mach", ["machine"] + Self.instances),
      ] {
        let found = try offers(
          ["fish", "--no-config", "-c"],
          "source locus.fish; complete -C 'locus \(line)'", in: folder)
        #expect(found.map { $0.prefix { $0 != "\t" } } == expected.map { $0[...] }, "\(line)")
      }
    }
  }

  @Test(
    "zsh adds the same names",
    .enabled(if: ScheduleTests.isInstalled("zsh"), "zsh is not installed: apt-get install zsh"))
  func zshNames() throws {
    try withStore { folder in
      let found = try offers(
        ["zsh", "-f", "-c"],
        """
        autoload -U compinit; compinit -u -D; source ./locus.zsh
        compadd() { print -rl -- $found; }
        _call_program() { shift; eval "$@"; }
        program=locus
        words=(sample mac); CURRENT=2; _locus_names denoisers
        words=(run p.json5 --only mach); CURRENT=4; _locus_names stages
        """, in: folder)
      #expect(
        found == Self.instances + ["scenes", "machine"] + Self.instances, "\(found)")
    }
  }

  @Test("every command, option and example is in the manual page")
  func everything() throws {
    let page = try Bench().locus("man").output
    for command in CommandLineTool.commands.map({ $0.declaration }) {
      #expect(page.contains(".SS \"locus \(command.name)"))
      for option in command.options {
        #expect(page.contains("\\fB\(option.name.replacingOccurrences(of: "-", with: "\\-"))\\fR"))
      }
    }
    #expect(page.contains(".SH \"EXIT STATUS\"") && page.contains("LOCUS_STORE"))
    #expect(page.split(separator: "\n").allSatisfy { !$0.hasPrefix("'") })
    // A list of `--help` is one here too.
    for template in Template.allCases {
      #expect(page.contains("\n  \(template.rawValue): \(Escape.roff(template.summary))\n"))
    }
  }

  /// On a terminal of the C locale too, where man(1) has `tty-char` spell what ASCII lacks.
  @Test(
    "groff has nothing to say against the manual page",
    .enabled(
      if: ScheduleTests.isInstalled("groff"), "groff is not installed: apt-get install groff"),
    arguments: ["utf8", "ascii"])
  func groff(_ device: String) throws {
    try isAccepted(by: ["groff", "-ww", "-K", "utf8", "-mtty-char", "-man", "-T", device, "-z"])
  }

  @Test(
    "mandoc has nothing to say against the manual page",
    .enabled(
      if: ScheduleTests.isInstalled("mandoc"), "mandoc is not installed: apt-get install mandoc"))
  func mandoc() throws { try isAccepted(by: ["mandoc", "-T", "lint", "-W", "warning"]) }

  private func isAccepted(by words: [String]) throws {
    try withFolder { folder in
      let file = folder.appending(path: "locus.1")
      try Data(try Executable.run(["man"], in: folder).output.utf8).write(to: file)
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = words + [file.path]
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = pipe
      try process.run()
      let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0 && text.isEmpty, "\(words[0]): \(text)")
    }
  }
}
