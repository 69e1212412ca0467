import Workflow

/// From words to an exit code.
enum CommandLineTool {
  static var commands: [any Command.Type] {
    [
      RunCommand.self, StatusCommand.self, CancelCommand.self, RunsCommand.self, ShowCommand.self,
      DiffCommand.self,
      CompareCommand.self,
      LineageCommand.self, QueryCommand.self, MetricsCommand.self, VerifyCommand.self,
      RebuildCommand.self, MergeCommand.self, CollectCommand.self, ReportCommand.self,
      BlindCommand.self, ImportCommand.self, ExportCommand.self,
      SampleCommand.self, DenoiseCommand.self, BenchCommand.self, ScheduleCommand.self,
      NoteCommand.self, InitCommand.self, GraphCommand.self, NamesCommand.self,
      CompletionsCommand.self, InstallCommand.self,
      ManCommand.self, SchemaCommand.self, ExecuteCommand.self,
    ]
  }

  static func run(
    _ words: @autoclosure () throws -> [String], console: Console, kinds: [StageKind]
  ) -> Int32 {
    do {
      return try dispatch(words(), console: console, kinds: kinds)
    } catch is Console.ClosedPipe {
      // `locus runs | head` has got what it wanted.
      return 0
    } catch {
      console.tell(text(of: error))
      return exitCode(of: error)
    }
  }

  /// What people see of an error. Problems of a file begin with its name, one a line, as compilers print
  /// them.
  static func text(of error: any Error) -> String {
    if case WorkflowError.invalid = error { return message(of: error) }
    return "locus: \(message(of: error))"
  }

  private static func dispatch(
    _ words: [String], console: Console, kinds: [StageKind]
  ) throws -> Int32 {
    guard let word = words.first else {
      throw UsageError.noCommand(known: commands.map { $0.about.name })
    }
    switch word {
    case "--version":
      try console.printLine("locus \(locusVersion)")
      return 0
    case "--help", "-h", "help":
      guard let name = words.dropFirst().first else {
        try console.write(Help.overview(of: commands.map { $0.about }, kinds))
        return 0
      }
      if let kind = kinds.first(where: { $0.name == name }) {
        // `import` is a command and a kind.
        let about = command(name).map { Help.text(of: $0.declaration) }
        try console.write(
          (about.map { $0 + "\n" } ?? "") + KindHelp.text(of: kind, among: kinds))
        return 0
      }
      guard let command = command(name) else {
        throw UsageError.unknownTopic(
          name, commands: commands.map { $0.about.name }, kinds: kinds.map(\.name))
      }
      try console.write(Help.text(of: command.declaration))
      return 0
    default:
      guard let command = command(word) else {
        throw UsageError.unknownCommand(word, known: commands.map { $0.about.name })
      }
      return try command.perform(Array(words.dropFirst()), console: console, kinds: kinds)
    }
  }

  private static func command(_ name: String) -> (any Command.Type)? {
    commands.first { $0.about.name == name }
  }
}
