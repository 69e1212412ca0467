// Proves that cron and systemd accept what `schedule` prints, and that what it prints runs in an
// empty environment.
import Formats
import Foundation
import Measures
import Testing

@testable import locus

/// Proves that what `locus schedule` prints is what cron and systemd take, that it runs in an empty
/// environment from any folder, and that such a run says nothing of a success and one line of a failure.
@Suite("schedule", .serialized)
struct ScheduleTests {
  static func isInstalled(_ program: String) -> Bool {
    ["/usr/bin", "/bin", "/usr/sbin"].contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }

  /// A folder whose name is as bad as a name can be, with a pipeline of a moment.
  private func withStudy<T>(count: Int = 4, _ body: (URL) throws -> T) throws -> T {
    try withFolder { folder in
      // A mark with a combining accent is one `Character`, and still a mark for a shell.
      let place = folder.appending(
        path: "it's 50% \"so\" $HOME `x` '\u{301}; touch owned; '\u{301} %\u{301} \"\u{301} \\n \\")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      try Data(
        """
        { pipeline: "tiny", question: "q", seed: 1, stages: {
          scenes: { kind: "generate", size: 8, cells: 4, objects: [1, 1], count: \(count) } } }
        """.utf8
      ).write(to: place.appending(path: "p.json5"))
      return try body(place)
    }
  }

  private func schedule(_ folder: URL, _ words: String...) throws -> String {
    let found = try Executable.run(["schedule", "p.json5"] + words, in: folder)
    #expect(found.code == 0, "\(found.error)")
    return found.output
  }

  /// Runs a program of the system; what it said, with its code.
  private func system(_ words: [String], in folder: URL, environment: [String: String]? = nil)
    throws -> (code: Int32, text: String)
  {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    process.currentDirectoryURL = folder
    if let environment { process.environment = environment }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  @Test("the line runs as cron runs it: silent on success, one line without colours on failure")
  func cron() throws {
    try withStudy { folder in
      let line = try schedule(folder, "--every", "6h", "--format", "crontab")
      #expect(line.hasPrefix("0 */6 * * * "))
      #expect(line.contains("nice -n 10 '\(Executable.url.resolvingSymlinksInPath().path)' 'run' "))
      #expect(line.split(separator: "\n").count == 1)
      // Unescaped as cron does it, then handed to sh, with what cron leaves of the environment.
      let command = line.dropFirst("0 */6 * * * ".count)
        .replacingOccurrences(of: "\\%", with: "%", options: .literal)
      let elsewhere = FileManager.default.temporaryDirectory
      let environment = ["HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"]
      func run() throws -> (code: Int32, text: String) {
        try system(["/bin/sh", "-c", command], in: elsewhere, environment: environment)
      }
      let log = folder.appending(path: "locus-tiny.log")
      let first = try run()
      #expect(first.code == 0 && first.text.isEmpty, "\(first)")
      #expect(try Data(contentsOf: log).isEmpty)
      #expect(
        FileManager.default.fileExists(
          atPath: folder.appending(path: "reports/tiny/latest.md").path))
      let rows = try Executable.run(
        ["query", "SELECT trigger, status FROM run", "--format", "csv"], in: folder)
      #expect(rows.output == "trigger,status\nschedule,succeeded\n")

      // Nothing can be laid out: 64 objects at CLEVR's distance.
      try Data(
        """
        { pipeline: "tiny", question: "q", seed: 1, stages: {
          scenes: { kind: "generate", size: 8, cells: 4, objects: [64, 64], count: 1 } } }
        """.utf8
      ).write(to: folder.appending(path: "p.json5"))
      let second = try run()
      #expect(second.code != 0 && second.text.isEmpty)
      let told = try String(contentsOf: log, encoding: .utf8)
      #expect(told.split(separator: "\n").count == 1, "\(told)")
      #expect(told.contains("failed: 1 failed; [1/1] scenes failed: 64 objects"))
      #expect(!told.contains("\u{1B}"))

      // What keeps a run from beginning is told with its date too, a line each.
      try Data("{ pipeline: \"tiny\", stages: { a: { kind: \"generat\" }, b: 3 } }".utf8)
        .write(to: folder.appending(path: "p.json5"))
      #expect(try run().code == 65)
      try FileManager.default.removeItem(at: folder.appending(path: "p.json5"))
      #expect(try run().code == 66)
      let lines = try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
      #expect(lines.count > 3)
      for line in lines {
        #expect(line.prefixMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /#) != nil, "\(line)")
      }
    }
  }

  @Test(
    "crontab accepts the line",
    .enabled(if: isInstalled("crontab"), "crontab is not installed: apt-get install cron"),
    arguments: [["--every", "15m"], ["--every", "1d"], ["--at", "03:00"]])
  func crontab(_ words: [String]) throws {
    try withStudy { folder in
      let line = try Executable.run(
        ["schedule", "p.json5", "--format", "crontab"] + words, in: folder
      ).output
      let file = folder.appending(path: "tab")
      try Data(line.utf8).write(to: file)
      // Only the syntax is looked at; nothing is installed. A path of 100 bytes is cut off.
      let found = try system(["crontab", "-n", file.lastPathComponent], in: folder)
      #expect(found.code == 0, "\(found.text)")
    }
  }

  @Test(
    "systemd accepts the service and the timer",
    .enabled(
      if: isInstalled("systemd-analyze"),
      "systemd-analyze is not installed: apt-get install systemd"
    ))
  func systemd() throws {
    try withStudy { folder in
      let units = folder.deletingLastPathComponent()
      let value = try JSONValue.parse(
        Data(try schedule(folder, "--at", "23:59", "--threads", "2", "--json").utf8))
      for unit in ["service", "timer"] {
        let name = try #require(value["\(unit)_name"]?.string)
        try Data((value[unit]?.string ?? "").utf8).write(to: units.appending(path: name))
      }
      let found = try system(
        ["systemd-analyze", "verify", "locus-tiny.service", "locus-tiny.timer"], in: units)
      #expect(found.code == 0 && found.text.isEmpty, "\(found.text)")
      let calendar = try system(["systemd-analyze", "calendar", "*-*-* 23:59:00"], in: units)
      #expect(calendar.code == 0)
      #expect(value["service"]?.string?.contains("SuccessExitStatus=75") == true)
      #expect(value["service"]?.string?.contains("\nNice=10\n") == true)
      #expect(value["service"]?.string?.contains("\"--threads\" \"2\"") == true)
      #expect(value["timer"]?.string?.contains("OnCalendar=*-*-* 23:59:00") == true)
    }
  }

  @Test("a user's timer is told with what lets it run while nobody is logged in")
  func lingering() throws {
    try withStudy { folder in
      let text = try schedule(folder, "--every", "6h")
      #expect(text.contains("systemctl --user enable --now locus-tiny.timer\n"))
      #expect(text.hasSuffix("while you are logged out: loginctl enable-linger\n"), "\(text)")
    }
  }

  @Test("what a scheduled run could not write to is refused before it is scheduled")
  func unwritable() throws {
    try withStudy { folder in
      for (words, said) in [
        (["--log", "none/x.log"], "none/x.log: cannot be written: No such file"),
        (["--log", ".."], "cannot be written: Is a directory"),
        (["--reports", "p.json5"], "p.json5: cannot be written: Not a directory"),
      ] {
        let found = try Executable.run(
          ["schedule", "p.json5", "--every", "6h"] + words, in: folder)
        #expect(found.code == 73 && found.output.isEmpty, "\(words): \(found)")
        #expect(found.error.contains(said), "\(found.error)")
      }
    }
  }

  @Test("a path that no line can hold is refused, wherever it comes from")
  func lines() throws {
    try withStudy { folder in
      for (words, environment) in [
        (["--log", "a\nb"], [:]), (["--log", "a\\"], [:]), (["--log", "a "], [:]),
        (["--reports", "a\u{7F}"], [:]), ([], ["LD_LIBRARY_PATH": "/x\n* * * * * touch owned"]),
      ] as [([String], [String: String])] {
        var all = ProcessInfo.processInfo.environment
        all.merge(environment) { $1 }
        let found = try Executable.run(
          ["schedule", "p.json5", "--every", "6h"] + words, in: folder, environment: all)
        #expect(found.code == 64 && found.output.isEmpty, "\(words): \(found)")
        #expect(found.error.split(separator: "\n").count == 1)
      }
    }
  }

  @Test("times that cron or systemd cannot express evenly are refused, and so are bad files")
  func refused() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    for words in [
      ["--every", "7h"], ["--every", "90m"], ["--every", "h"], ["--every", "-6h"], ["--every", ""],
      ["--at", "24:00"], ["--at", "3"], ["--at", "03:60"], ["--at", "+3:00", "--every", "6h"], [],
    ] {
      let error = #expect(throws: UsageError.self) {
        try ScheduleCommand.perform([path] + words, console: .standard(), kinds: Bench.kinds)
      }
      #expect(error?.exitCode == 64, "\(words)")
    }
    #expect(bench.locus("schedule", "none.json5", "--every", "6h").code == 66)
    let broken = try bench.pipeline("scenes: { kind: \"genrate\" },")
    #expect(bench.locus("schedule", broken, "--every", "6h").code == 65)
  }
}
