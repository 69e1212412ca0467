import Formats
import Foundation
import Lineage
import Measures
import Workflow

/// One word after `locus`.
protocol Command {
  associatedtype Options: CommandOptions
  static var about: CommandSummary { get }
  /// Returns the exit code.
  static func run(_ context: CommandContext<Options>) throws -> Int32
}

extension Command {
  static var declaration: CommandDeclaration { CommandDeclaration(about, Options()) }

  /// Reads the words after the command and does what they say.
  static func perform(_ words: [String], console: Console, kinds: [StageKind]) throws -> Int32 {
    let declaration = declaration
    let arguments = try Arguments(words, for: declaration)
    if !arguments.all(OptionDeclaration.help.name).isEmpty {
      try console.write(Help.text(of: declaration))
      return 0
    }
    let options = Options()
    try options.read(arguments, of: declaration.name)
    return try run(CommandContext(options: options, console: console, kinds: kinds))
  }
}

/// What a command works with.
struct CommandContext<Options: CommandOptions> {
  var options: Options
  var console: Console
  var kinds: [StageKind]
}

extension CommandContext {
  /// Says before any work that a file which the command line names cannot be written.
  func checkWritable(_ path: String) throws {
    try naming(path) { () throws(StoreError) in try OutputFile.check(URL(filePath: path)) }
  }

  /// The same of files in a folder, which may have to be made.
  func checkWritable(folder path: String) throws {
    try naming(path) { () throws(StoreError) in
      try OutputFile.check(filesIn: URL(filePath: path, directoryHint: .isDirectory))
    }
  }

  private func naming(_ path: String, _ body: () throws(StoreError) -> Void) throws {
    do {
      try body()
    } catch .cannotWrite(_, let reason) {
      throw UsageError.cannotWrite(path, reason: reason)
    }
  }

  /// Writes a file that the command line names and prints its path, unless the file is what the path
  /// would be printed to.
  func write(_ data: Data, to path: String) throws {
    try save(data, to: path)
    if !OutputFile.isStandardOutput(URL(filePath: path)) { try console.printLine(path) }
  }

  /// Writes a file that the command line names, and says nothing.
  func save(_ data: Data, to path: String) throws {
    try naming(path) { () throws(StoreError) in
      try OutputFile.write(data, to: URL(filePath: path))
    }
  }
}

extension CommandContext where Options: StoreOptions {
  var storeFolder: URL {
    Store.objectsFolder(of: namedFolder)
  }

  /// The folder of the database, where that is another one.
  var namedFolder: URL {
    let path = options.store ?? console.environment["LOCUS_STORE"] ?? ""
    return URL(filePath: path.isEmpty ? "data" : path, directoryHint: .isDirectory)
  }

  /// The store for reading; a missing one is an error that says so.
  func openStore() throws(StoreError) -> Store {
    try Store.open(storeFolder, .readOnly, .locus)
  }

  /// The right to write to the store, in the name of a command.
  func openSession(as name: String, makesStore: Bool = false, heals: Bool = true) throws -> Session
  {
    try Session(
      storeFolder, .locus, as: name, makesStore: makesStore, heals: heals, healed: tellHealed)
  }

  func tellHealed(_ line: String) { console.tell("healed: \(line)") }
}
