// Proves that the program gets its arguments from whoever started it, wherever it was started.
import Foundation
import Testing

@Suite("Arguments of the process", .timeLimit(.minutes(2)))
struct ProgramArgumentsTests {
  private static let withoutProc = [
    "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
    "mount -t tmpfs none /proc && exec \"$@\"", "sh",
  ]

  private static let hidesProc =
    (try? withFolder { try runs(withoutProc + ["true"], in: $0) }) ?? false
  private static let hasCompiler =
    (try? withFolder { try runs(["cc", "--version"], in: $0) }) ?? false

  private static func runs(_ words: [String], in folder: URL) throws -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationReason == .exit && process.terminationStatus == 0
  }

  @Test(
    "without /proc commands do what they are told, on several threads too",
    .enabled(if: hidesProc, "user namespaces that may mount are not allowed here"))
  func noProc() throws {
    try withFolder { folder in
      // Seconds: Dispatch would look at its threads after one, and end the process.
      try Data(
        """
        { pipeline: "p", question: "q", seed: 1, stages: {
          scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 16 },
          model: { kind: "train", inputs: { scenes: "scenes" }, pictures: 6000, batch: 8,
                   network: { type: "local", width: 8, dilations: [1] } } } }
        """.utf8
      ).write(to: folder.appending(path: "p.json5"))
      func locus(_ words: String...) throws -> Executable.Result {
        try Executable.run(words, in: folder, starter: Self.withoutProc)
      }
      let version = try locus("--version")
      #expect(version.code == 0 && version.output.hasPrefix("locus "), "\(version)")
      let run = try locus("run", "p.json5")
      #expect(run.code == 0, "\(run.error)")
      let threads = try locus("run", "p.json5", "--threads", "2", "--force", "model")
      #expect(threads.code == 0, "\(threads.error)")
      let schedule = try locus("schedule", "p.json5", "--every", "6h", "--format", "crontab")
      #expect(schedule.output.contains("'\(Executable.url.path)' 'run'"), "\(schedule)")
    }
  }

  @Test(
    "a preloaded library that hides /proc from the C library hides no argument",
    .enabled(if: hasCompiler, "there is no C compiler"))
  func preloaded() throws {
    try withFolder { folder in
      try Data(
        """
        #include <stdio.h>
        FILE *fopen(const char *path, const char *mode) { return 0; }
        """.utf8
      ).write(to: folder.appending(path: "hide.c"))
      #expect(try Self.runs(["cc", "-shared", "-fPIC", "-o", "hide.so", "hide.c"], in: folder))
      let result = try Executable.run(
        ["help", "run"], in: folder,
        starter: ["LD_PRELOAD=\(folder.appending(path: "hide.so").path)"])
      #expect(result.code == 0 && result.output.contains("--threads"), "\(result)")
    }
  }

  @Test("an argument that is not UTF-8 is refused as it was given, and names no other file")
  func bytes() throws {
    try withFolder { folder in
      let found = try Executable.run(
        [], in: folder,
        starter: ["sh", "-c", "exec \"$0\" run \"$(printf 'caf\\351.json5')\""])
      #expect(found.code == 64)
      #expect(found.error.hasPrefix("locus: argument 2 is not UTF-8: caf\\xe9.json5; "), "\(found)")
    }
  }
}
