// Proves that stages in child processes give the bytes of a run in one process, whoever is killed on the way, and
// that the database may lie apart from the objects.
import Foundation
import Lineage
import Measures
import Testing
import Workflow

/// A pipeline of seconds whose trainings last, on a fast machine too, some seconds beyond their first checkpoint.
struct JobBench {
  static let text = """
    { pipeline: "jobs", question: "q", seed: 1, stages: {
      scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 64 },
      model: { kind: "train", inputs: { scenes: "scenes" }, matrix: { labelling: ["all", "single"] },
               network: { type: "local", width: 8, dilations: [1] }, pictures: 32000, batch: 8 },
      world: { kind: "theory", family: "copied-color", cells: [1, 2], sigmas: [1] },
    } }
    """
  let folder: URL

  init(_ folder: URL) throws {
    self.folder = folder
    try Data(Self.text.utf8).write(to: folder.appending(path: "p.json5"))
  }

  func words(_ store: String, _ more: [String] = []) -> [String] {
    ["run", "p.json5", "--store", store, "--checkpoint", "1"] + more
  }

  func run(_ store: String, _ more: [String] = []) throws -> Executable.Result {
    try Executable.run(words(store, more), in: folder)
  }

  /// Starts a run that is to be hit.
  func start(_ store: String, _ more: [String] = []) throws -> Process {
    let process = Process()
    process.executableURL = Executable.url
    process.arguments = words(store, more)
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// What a store's results are: every success with its outputs, and every metric.
  func results(_ store: String) throws -> [[SQLValue]] {
    let store = try Store.open(
      Store.objectsFolder(of: folder.appending(path: store)), .readOnly, .locus)
    return try store.query(
      """
      SELECT e.key, o.role, o.sha256 FROM execution e JOIN execution_output o ON o.execution_id = e.id
      WHERE e.status = 'succeeded' ORDER BY 1, 2
      """
    ).rows
      + store.query(
        """
        SELECT e.key, m.name, m.value FROM execution e JOIN metric m ON m.execution_id = e.id
        WHERE e.status = 'succeeded' ORDER BY e.key, m.name, m.rowid
        """
      ).rows
  }

  func events(_ store: String) throws -> [String] {
    let store = try Store.open(
      Store.objectsFolder(of: folder.appending(path: store)), .readOnly, .locus)
    return try store.query("SELECT message FROM event ORDER BY rowid").rows.compactMap {
      $0.first?.text
    }
  }

  func verify(_ store: String) throws -> Executable.Result {
    try Executable.run(["verify", "--store", store], in: folder)
  }

  /// What an undisturbed run in one process gives; computed once for all tests.
  private static let undisturbed = Result {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let found = try bench.run("one")
      guard found.code == 0 else { throw Late("the undisturbed run: \(found)") }
      return try bench.results("one")
    }
  }

  /// A store has what an undisturbed run gives, and is clean.
  func expectSame(_ store: String = "two", _ place: SourceLocation = #_sourceLocation) throws {
    let (found, expected) = (try results(store), try Self.undisturbed.get())
    #expect(!expected.isEmpty && found == expected, sourceLocation: place)
    let verified = try verify(store)
    #expect(verified.code == 0, "\(verified)", sourceLocation: place)
  }

  struct Late: Error {
    var what: String
    init(_ what: String) { self.what = what }
  }

  /// Waits for what comes in seconds, and on a machine that is busy in minutes.
  static func wait(
    for what: String, atMost limit: Duration = .seconds(240), until isSo: () throws -> Bool
  ) throws {
    let end = ContinuousClock.now + limit
    while try !isSo() {
      if ContinuousClock.now > end { throw Late(what) }
      usleep(5000)
    }
  }

  /// Waits for a checkpoint in a store.
  func waitForCheckpoint(_ store: String) throws {
    let place = folder.appending(path: "\(store)/checkpoints")
    try Self.wait(for: "a checkpoint in \(store)") {
      let keys = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
      return keys.contains {
        FileManager.default.fileExists(atPath: place.appending(path: "\($0)/manifest.json").path)
      }
    }
  }

  /// Processes that execute orders of a store.
  func workers(_ store: String) -> [pid_t] {
    let mark = folder.appending(path: "\(store)/orders").resolvingSymlinksInPath().path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { pid in
      let line = (try? Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline"))) ?? Data()
      let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      return words.contains("execute") && words.contains { $0.hasPrefix(mark) }
    }
  }
}

@Suite("jobs as processes", .serialized, .timeLimit(.minutes(10)))
struct JobProcessTests {
  @Test("several stages at once give the bytes of one after the other, and a clean store")
  func same() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let found = try bench.run("two", ["--jobs", "2", "--threads", "2"])
      #expect(found.code == 0, "\(found.error)")
      #expect(found.error.contains("] model[labelling=all] is process "))
      try bench.expectSame()
      #expect(try bench.run("two", ["--jobs", "2"]).error.contains("4 reused"))
    }
  }

  @Test("a child that is killed is started again from its checkpoint")
  func child() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let process = try bench.start("two", ["--jobs", "2"])
      try bench.waitForCheckpoint("two")
      let hit = bench.workers("two")
      #expect(!hit.isEmpty)
      for pid in hit { kill(pid, SIGKILL) }
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let events = try bench.events("two")
      #expect(
        events.contains { $0.contains("was ended by signal 9; submitted again, 1 of 3") },
        "\(events)")
      #expect(events.contains { $0.contains("goes on from its checkpoint") }, "\(events)")
      try bench.expectSame()
    }
  }

  @Test("children of a killed run end with a checkpoint, and the next run goes on from there")
  func controller() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let process = try bench.start("two", ["--jobs", "2"])
      try bench.waitForCheckpoint("two")
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      try JobBench.wait(for: "the end of the children") { bench.workers("two").isEmpty }
      let found = try bench.run("two", ["--jobs", "2"])
      #expect(found.code == 0, "\(found.error)")
      try bench.expectSame()
    }
  }

  @Test("asked to end, a run has its children keep checkpoints and end, and says 130")
  func interrupted() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let process = try bench.start("two", ["--jobs", "2"])
      try bench.waitForCheckpoint("two")
      kill(process.processIdentifier, SIGINT)
      process.waitUntilExit()
      #expect(process.terminationStatus == 130)
      #expect(bench.workers("two").isEmpty)
      #expect(try bench.run("two").code == 0)
      #expect(try bench.verify("two").code == 0)
    }
  }

  @Test("the database may lie apart from objects and receipts, and is found from either place")
  func split() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let found = try bench.run("here", ["--objects", "shared", "--jobs", "2"])
      #expect(found.code == 0, "\(found.error)")
      func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
          atPath: bench.folder.appending(path: folder).path)
      }
      #expect(try names("here").contains("locus.sqlite") && !names("here").contains("objects"))
      #expect(try !names("shared").contains("locus.sqlite") && names("shared").contains("objects"))
      try bench.expectSame("here")
      for store in ["here", "shared"] {
        for words in [["verify"], ["rebuild"], ["status"]] {
          #expect(try Executable.run(words + ["--store", store], in: folder).code == 0)
        }
      }
      #expect(try bench.run("here").error.contains("4 reused"))
      #expect(try bench.run("other", ["--objects", "shared"]).code == 64)
    }
  }
}
