import Foundation

/// The built program, which lies beside the tests, as a process of its own.
enum Executable {
  struct Result {
    /// 128 + the signal's number for a process that a signal ended.
    var code: Int32
    var output: String
    var error: String
  }

  static let url = URL(filePath: CommandLine.arguments[0])
    .deletingLastPathComponent().appending(path: "locus")

  /// - Parameters:
  ///   - memory: KiB of address space that the process may have.
  ///   - environment: all of the process's environment; the tests' own if missing.
  ///   - starter: a program of the system and its first words, which starts the program with its own.
  static func run(
    _ words: [String], in folder: URL, memory: Int? = nil, environment: [String: String]? = nil,
    starter: [String] = []
  ) throws -> Result {
    let process = Process()
    process.environment = environment
    let starter =
      memory.map { ["/bin/sh", "-c", "ulimit -v \($0); exec \"$@\"", "sh"] } ?? starter
    if starter.isEmpty {
      process.executableURL = url
      process.arguments = words
    } else {
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = starter + [url.path] + words
    }
    process.currentDirectoryURL = folder
    let files = ["out", "err"].map { folder.appending(path: ".\(UUID().uuidString).\($0)") }
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    for file in files { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    process.waitUntilExit()
    let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    let signal = process.terminationReason == .uncaughtSignal ? Int32(128) : 0
    return Result(
      code: signal + process.terminationStatus, output: texts[0], error: texts[1])
  }
}

func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "locus-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
