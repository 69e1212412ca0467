// Proves that a run's commit tells when its checkout was not as that commit has it, and that git is asked in
// a way that changes nothing, runs nothing of the repository's and delays nobody.
import Foundation
import Testing
import Workflow

@testable import locus

@Suite(
  "What git says of a checkout", .serialized, .timeLimit(.minutes(3)),
  .enabled(if: ScheduleTests.isInstalled("git"), "git is not installed"))
struct GitTests {
  private static let pipeline = """
    { pipeline: "p", question: "q", seed: 1, stages: {
      scenes: { kind: "generate", size: 8, cells: 4, objects: [1, 1], count: 4 } } }

    """

  /// A repository with one commit of a pipeline file and another one, and what is asked in it.
  private final class Repository {
    let folder: URL

    init(_ folder: URL) throws {
      self.folder = folder
      try git("init", "-q")
      try write("p.json5", GitTests.pipeline)
      try write("notes.txt", "one\n")
      try write(".gitignore", "data/\nreports/\nignored*\n")
      try git("add", ".")
      try git("commit", "-q", "-m", "one")
    }

    func write(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: folder.appending(path: name))
    }

    @discardableResult
    func git(_ words: String...) throws -> String {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["git", "-c", "user.name=n", "-c", "user.email=e"] + words
      process.currentDirectoryURL = folder
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try process.run()
      let data = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(words)")
      return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func origin(
      _ name: String = "p.json5", _ environment: [String: String]? = nil, isWorking: Bool = true
    ) -> RunOrigin? {
      Origins(
        pipeline: folder.appending(path: name).path, program: nil,
        environment: environment ?? ProcessInfo.processInfo.environment
      ).found(isWorking: isWorking, within: .seconds(20))
    }

    var head: String { get throws { try git("rev-parse", "HEAD") } }
  }

  private func withRepository(_ body: (Repository) throws -> Void) throws {
    try withFolder { try body(Repository($0)) }
  }

  @Test("a changed file or a pipeline file without a commit marks it; what nothing reads does not")
  func states() throws {
    try withRepository { repository in
      let head = try repository.head
      func check(
        _ mark: String, _ what: String, of name: String = "p.json5", idle: String? = nil
      ) {
        #expect(repository.origin(name)?.gitCommit == head + mark, "\(what)")
        // Without work only the pipeline file itself is looked at.
        #expect(
          repository.origin(name, isWorking: false)?.gitCommit == head + (idle ?? mark), "\(what)")
      }
      check("", "as committed")
      try repository.write("p.json5", Self.pipeline)
      check("", "written again, the same")
      try repository.write("scratch.txt", "x")
      check("", "another file that git does not know")
      try repository.write("notes.txt", "two\n")
      check("-dirty", "another file of the commit", idle: "")
      try repository.git("add", "notes.txt")
      check("-dirty", "the same, staged", idle: "")
      try repository.git("reset", "-q", "--hard")
      try repository.write("p.json5", Self.pipeline + "// more\n")
      check("-dirty", "the pipeline file changed")
      try repository.git("reset", "-q", "--hard")
      for name in ["new.json5", "ignored.json5", "[p].json5"] {
        try repository.write(name, Self.pipeline)
        check("-dirty", "\(name), which no commit has", of: name)
      }
      check("", "its neighbour, which one has")
      try FileManager.default.createDirectory(
        at: repository.folder.appending(path: "sub"), withIntermediateDirectories: true)
      try repository.write("sub/p.json5", Self.pipeline)
      check("-dirty", "in a folder below", of: "sub/p.json5")
      try repository.git("add", "sub")
      try repository.git("commit", "-q", "-m", "two")
      #expect(try repository.origin("sub/p.json5")?.gitCommit == repository.head)
      // A hook of git has the place of another repository in its environment.
      var environment = ProcessInfo.processInfo.environment
      environment["GIT_DIR"] = "/nonexistent"
      environment["GIT_INDEX_FILE"] = "/nonexistent"
      #expect(try repository.origin("p.json5", environment)?.gitCommit == repository.head)
    }
  }

  @Test("git takes no lock, and runs no monitor, hook or filter of a repository")
  func harmless() throws {
    try withRepository { repository in
      let trap = repository.folder.appending(path: ".git/trap")
      try Data("#!/bin/sh\ntouch '\(trap.path).sprung'\ncat\n".utf8).write(to: trap)
      #expect(chmod(trap.path, 0o755) == 0)
      let program = "'\(trap.path)'"
      try repository.git("config", "core.fsmonitor", program)
      try repository.git("config", "filter.evil.clean", program)
      try repository.git("config", "filter.evil.process", program)
      try repository.git("config", "filter.evil.required", "true")
      let hooks = repository.folder.appending(path: ".git/hooks")
      try FileManager.default.createDirectory(at: hooks, withIntermediateDirectories: true)
      for name in ["post-index-change", "fsmonitor-watchman"] {
        try? FileManager.default.removeItem(at: hooks.appending(path: name))
        try FileManager.default.copyItem(at: trap, to: hooks.appending(path: name))
      }
      try FileManager.default.createDirectory(
        at: repository.folder.appending(path: ".git/info"), withIntermediateDirectories: true)
      try Data("* filter=evil\n".utf8)
        .write(to: repository.folder.appending(path: ".git/info/attributes"))
      // Git has to read files whose times are new.
      usleep(20_000)
      try repository.write("p.json5", Self.pipeline)
      let index = repository.folder.appending(path: ".git/index")
      let before = try Data(contentsOf: index)
      let held = repository.folder.appending(path: ".git/index.lock")
      try Data().write(to: held)
      #expect(try repository.origin()?.gitCommit == repository.head)
      #expect(try Data(contentsOf: index) == before)
      #expect(!FileManager.default.fileExists(atPath: trap.path + ".sprung"))
      try FileManager.default.removeItem(at: held)

      // What further settings would name cannot be known: git is not asked.
      try Data("[include]\n\tpath = other\n".utf8)
        .write(to: repository.folder.appending(path: ".git/config.worktree"))
      let unknown = repository.origin()
      #expect(try unknown?.gitCommit == repository.head)
      #expect(
        unknown?.notes.first
          == "whether the checkout of the pipeline file is as its commit has it is not known: its own"
          + " settings may name programs")
    }
  }

  @Test("filters are found wherever a settings file may hold them")
  func filters() throws {
    try withRepository { repository in
      for (text, expected) in [
        ("", []), ("[filter \"lfs\"]\nclean = x\n[Filter \"b c\"]\n", ["b c", "lfs"]),
        ("[core][filter \"x\"]clean = y\n", ["x"]), ("[filter.old]\n", nil),
        ("[filter \"a=b\"]\n", nil), ("[filter \"a\\\"b\"]\n", nil), ("[include]\n", nil),
        ("[includeIf \"gitdir:/\"]\n", nil), ("[INCLUDE]path=x\n", nil),
      ] as [(String, [String]?)] {
        try repository.write(".git/config", "[core]\n\tbare = false\n" + text)
        let checkout = try #require(Checkout(around: repository.folder))
        #expect(checkout.filters == expected, "\(text)")
      }
    }
  }

  @Test("runs, show, diff and the report show the mark")
  func shown() throws {
    try withRepository { repository in
      func locus(_ words: String...) throws -> String {
        let found = try Executable.run(words, in: repository.folder)
        #expect(found.code == 0, "\(found.error)")
        return found.output
      }
      let commit = try repository.head
      _ = try locus("run", "p.json5")
      #expect(try !locus("runs").contains(commit + "-dirty"))
      try repository.write("p.json5", Self.pipeline + "// a remark\n")
      // Nothing to do, and said all the same.
      _ = try locus("run", "p.json5")
      for words in [["runs"], ["runs", "--json"], ["show", "latest"]] {
        #expect(
          try Executable.run(words, in: repository.folder).output.contains(commit + "-dirty"),
          "\(words)")
      }
      let runs = try locus("query", "SELECT id FROM run ORDER BY sequence", "--format", "csv")
      let first = try #require(runs.split(separator: "\n").dropFirst().first)
      #expect(try locus("diff", String(first)).contains(commit + "-dirty"))
      let report = try String(
        contentsOf: repository.folder.appending(path: "reports/p/latest.md"), encoding: .utf8)
      #expect(report.contains("| git commit | `\(commit)-dirty` |"))
      #expect(report.contains("the commit alone does not reproduce this run"))
      _ = try locus("rebuild")
      #expect(try locus("runs").contains(commit + "-dirty"))
      #expect(try locus("verify").contains("as they were left"))
    }
  }

  @Test(
    "a git that does not answer, or is not there, holds up a run briefly and is said nothing of aloud"
  )
  func slow() throws {
    try withRepository { repository in
      let tools = repository.folder.appending(path: ".git/tools")
      try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
      let fake = tools.appending(path: "git")
      try Data("#!/bin/sh\nexec /bin/sleep 60\n".utf8).write(to: fake)
      #expect(chmod(fake.path, 0o755) == 0)
      var environment = ProcessInfo.processInfo.environment
      func run(_ path: String) throws -> Double {
        environment["PATH"] = path
        let start = ContinuousClock.now
        let found = try Executable.run(
          ["run", "p.json5", "--quiet"], in: repository.folder, environment: environment)
        #expect(found.code == 0 && found.output.isEmpty && found.error.isEmpty, "\(found)")
        return (ContinuousClock.now - start) / .seconds(1)
      }
      func last() throws -> String {
        try Executable.run(
          [
            "query", "--format", "csv",
            """
            SELECT git_commit, (SELECT min(message) FROM event WHERE run_id = r.id)
            FROM run r ORDER BY sequence DESC LIMIT 1
            """,
          ], in: repository.folder
        ).output
      }
      var commit = try repository.head
      #expect(try run(tools.path) < 20)
      #expect(try last().contains("\(commit),git did not say within 2.0 seconds "))
      // Without work, of a commit that no run was of.
      func commitAnew(_ comment: String) throws {
        try repository.write("p.json5", Self.pipeline + comment)
        try repository.git("commit", "-q", "-a", "-m", comment)
        commit = try repository.head
      }
      try commitAnew("// more")
      #expect(try run(tools.path) < 20)
      #expect(try last().contains("\(commit),git did not say within 0.25 seconds "))
      // The very same file at the very same commit: git is not asked.
      #expect(try run(tools.path) < 20)
      #expect(try last().trimmingCharacters(in: .newlines).hasSuffix("\(commit),"))
      try commitAnew("// yet more")
      #expect(try run("/nonexistent") < 20)
      #expect(try last().contains("\(commit),whether the checkout of the "))
      #expect(try last().contains("is not known: git is not installed"))
    }
  }
}
