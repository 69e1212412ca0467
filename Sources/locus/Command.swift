import Formats
import Foundation
import Lineage
import Measures
import Workflow

/// One word after `locus`.
protocol Command {
  static var declaration: CommandDeclaration { get }
  /// Returns the exit code.
  static func run(_ context: CommandContext) throws -> Int32
}

/// What a command works with.
struct CommandContext {
  var arguments: Arguments
  var console: Console
  var kinds: [StageKind]

  var storeFolder: URL {
    let path = arguments["--store"] ?? console.environment["LOCUS_STORE"] ?? ""
    return URL(filePath: path.isEmpty ? "data" : path, directoryHint: .isDirectory)
  }

  func makeStoreFolder() throws(UsageError) {
    do {
      try FileManager.default.createDirectory(at: storeFolder, withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(storeFolder.path, reason: message(of: error))
    }
  }

  /// The store for reading; a missing one is an error that says so.
  func openStore() throws(StoreError) -> Store {
    try Store.open(storeFolder, .readOnly, .locus)
  }

  var lockURL: URL { storeFolder.appending(path: "lock") }

  /// A result as a table for people or, with `--json`, as JSON.
  func show(_ table: TextTable) throws {
    try console.write(table.text(arguments.has("--json") ? .json : .table))
  }
}

/// A file that the command line names.
func readFile(_ path: String) throws(UsageError) -> Data {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
    throw .missingFile(path, reason: "there is no such file")
  }
  if isFolder.boolValue { throw .missingFile(path, reason: "this is a folder") }
  do {
    return try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
  } catch {
    throw .missingFile(path, reason: message(of: error))
  }
}

/// From words to an exit code.
enum CommandLineTool {
  static var commands: [any Command.Type] {
    [
      RunCommand.self, StatusCommand.self, RunsCommand.self, ShowCommand.self, DiffCommand.self,
      LineageCommand.self, QueryCommand.self, MetricsCommand.self, VerifyCommand.self, RebuildCommand.self,
      CollectCommand.self, ReportCommand.self, ImportCommand.self, SampleCommand.self,
      DenoiseCommand.self, BenchCommand.self, ScheduleCommand.self, CompletionsCommand.self,
      ManCommand.self,
    ]
  }

  static func run(_ words: [String], console: Console, kinds: [StageKind]) -> Int32 {
    do {
      return try dispatch(words, console: console, kinds: kinds)
    } catch is Console.ClosedPipe {
      // `locus runs | head` has got what it wanted.
      return 0
    } catch {
      let text = message(of: error)
      // Problems of a file begin with its name, one a line, as compilers print them.
      if case WorkflowError.invalid = error {
        console.writeError(text + "\n")
      } else {
        console.writeError("locus: \(text)\n")
      }
      return exitCode(of: error)
    }
  }

  private static func dispatch(
    _ words: [String], console: Console, kinds: [StageKind]
  ) throws -> Int32 {
    let declarations = commands.map { $0.declaration }
    guard let word = words.first else {
      throw UsageError.noCommand(known: declarations.map(\.name))
    }
    switch word {
    case "--version":
      try console.printLine("locus \(locusVersion)")
      return 0
    case "--help", "-h", "help":
      guard let name = words.dropFirst().first else {
        try console.write(Help.overview(of: declarations))
        return 0
      }
      try console.write(Help.text(of: command(name).declaration))
      return 0
    default:
      let command = try command(word)
      let arguments = try Arguments(Array(words.dropFirst()), for: command.declaration)
      if arguments.has("--help") {
        try console.write(Help.text(of: command.declaration))
        return 0
      }
      return try command.run(
        CommandContext(arguments: arguments, console: console, kinds: kinds))
    }
  }

  private static func command(_ name: String) throws(UsageError) -> any Command.Type {
    guard let found = commands.first(where: { $0.declaration.name == name }) else {
      throw .unknownCommand(name, known: commands.map { $0.declaration.name })
    }
    return found
  }
}
