import Foundation
import Lineage
import Workflow

/// `locus install`: this very program on the PATH, with completions and the manual page.
enum InstallCommand: Command {
  struct Options: CommandOptions {
    @Option("--prefix", "DIR", shown: "~/.local", "where bin and share are") var prefix: String?
  }

  static let about = CommandSummary(
    name: "install", summary: "Copy this program, its completions and its manual page in place.",
    discussion: """
      Writes DIR/bin/locus, the completions of bash, zsh and fish and the manual page in DIR/share, and
      says so where DIR/bin is not in PATH. Built with `--static-swift-stdlib`, the program needs no
      Swift where it goes, but SQLite.
      """,
    examples: [
      .init(command: "locus install", effect: "for oneself, in ~/.local"),
      .init(command: "locus install --prefix /usr/local", effect: "for everybody, as root"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let home = context.console.environment["HOME"] ?? ""
    guard let prefix = context.options.prefix ?? (home.isEmpty ? nil : home + "/.local") else {
      throw UsageError.badValue(
        "nothing", option: "--prefix", accepted: "a folder; HOME is not set")
    }
    guard let program = context.console.program?.resolvingSymlinksInPath() else {
      throw UsageError.missingFile("locus", reason: "where this program lies is not known")
    }
    let folder = URL(filePath: prefix, directoryHint: .isDirectory).standardizedFileURL
    for (path, content) in try files(program, context.kinds) {
      let url = folder.appending(path: path)
      let isProgram = path == programPath
      // The file that runs, under whatever name, is not written over itself.
      if isProgram, url.resolvingSymlinksInPath() == program { continue }
      try OutputFile.makeFolder(url.deletingLastPathComponent())
      try OutputFile.write(content, to: url, mode: isProgram ? 0o755 : 0o644)
      try context.console.printLine(url.path)
    }
    let place = folder.appending(path: "bin").path
    let known = (context.console.environment["PATH"] ?? "").split(separator: ":").map {
      URL(filePath: String($0), directoryHint: .isDirectory).standardizedFileURL.path
    }
    if !known.contains(place) {
      context.console.tell(
        "\(place) is not in PATH; put it there with: export PATH=\"\(place):$PATH\"")
    }
    return 0
  }

  private static let programPath = "bin/locus"

  private static func files(_ program: URL, _ kinds: [StageKind]) throws -> [(
    path: String, content: Data
  )] {
    let commands = CommandLineTool.commands.map { $0.declaration }
    func data(_ text: String) -> Data { Data(text.utf8) }
    return [
      (programPath, try readFile(program.path)),
      ("share/bash-completion/completions/locus", data(BashCompletions.script(commands))),
      ("share/zsh/site-functions/_locus", data(ZshCompletions.script(commands))),
      ("share/fish/vendor_completions.d/locus.fish", data(FishCompletions.script(commands))),
      ("share/man/man1/locus.1", data(ManCommand.page(commands, kinds))),
    ]
  }
}
