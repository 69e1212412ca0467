// Proves how the program behaves as a process: signals, exit codes, a second run, and status while
// one works.
import Formats
import Foundation
import Lineage
import Measures
import Testing
import Workflow

/// The built program as a process of its own, on a pipeline that it needs many seconds for.
final class Program {
  let folder: URL
  let store: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "locus-process-\(UUID().uuidString)")
    store = folder.appending(path: "data")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(
      """
      { pipeline: "long", question: "Does it stop?", seed: 1, stages: {
        scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 16 },
        model: { kind: "train", inputs: { scenes: "scenes" }, pictures: 100000000, batch: 8,
                 network: { type: "local", width: 8, dilations: [1] } },
      } }
      """.utf8
    ).write(to: folder.appending(path: "long.json5"))
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The executable lies beside the tests.
  static let executable = URL(filePath: CommandLine.arguments[0])
    .deletingLastPathComponent().appending(path: "locus")

  /// What a shell's script ends with.
  static func shell(_ script: String, in folder: URL? = nil) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", script]
    if let folder { process.currentDirectoryURL = folder }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : -1
  }

  func start(_ words: [String], output: Any? = nil, error: Any? = nil) throws -> Process {
    let process = Process()
    process.executableURL = Self.executable
    process.arguments = words
    process.currentDirectoryURL = folder
    process.standardOutput = output ?? FileHandle.nullDevice
    process.standardError = error ?? FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Starts a short run that waits for the long one, and returns when it says so.
  func startWaiting() throws -> Process {
    let said = folder.appending(path: UUID().uuidString)
    try Data().write(to: said)
    let process = try start(
      Self.short.filter { $0 != "--quiet" } + ["--wait"], error: FileHandle(forWritingTo: said))
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
      let text = try String(contentsOf: said, encoding: .utf8)
      if text.contains("waiting for pipeline `long`") { return process }
      usleep(10_000)
    }
    process.terminate()
    throw CancellationError()
  }

  func finish(_ words: [String]) throws -> Int32 {
    let process = try start(words)
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Starts the long run and waits until its second stage is at work.
  func startLongRun() throws -> Process {
    let process = try start(["run", "long.json5"])
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
      if let store = try? Store.open(store, .readOnly, .locus),
        let found = try? store.query("SELECT 1 FROM stage WHERE name = 'model'"),
        !found.rows.isEmpty
      {
        return process
      }
      usleep(10_000)
    }
    process.terminate()
    throw CancellationError()
  }

  /// Seconds of all cores that a process has used; `nil` when it has ended.
  func computed(_ process: Process) -> Double? {
    guard
      let text = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8),
      // After the name, which may hold anything: the state is the first field, the times are the 12th
      // and 13th.
      let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 12,
      fields[0] != "Z", let user = Double(fields[11]), let system = Double(fields[12])
    else { return nil }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  func value(_ sql: String) throws -> SQLValue? {
    try Store.open(store, .readOnly, .locus).query(sql).rows.first?.first
  }

  /// How OpenLineage is told that a job of the newest run ended.
  func ends(_ job: String) throws -> [String?] {
    let file = folder.appending(path: "events-\(UUID().uuidString).jsonl")
    #expect(try finish(["export", "openlineage", "--to", file.path]) == 0)
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .map { try JSONValue.parse(Data($0.utf8)) }
      .filter { $0["job"]?["name"]?.string == job && $0["eventType"]?.string != "START" }
      .map { $0["eventType"]?.string }
  }

  static let short = ["run", "long.json5", "--set", "model.pictures=16", "--quiet"]
}

@Suite("processes", .serialized, .timeLimit(.minutes(5)))
struct ProcessTests {
  @Test(
    "a signal ends the run in order, and its code says which", arguments: [SIGINT, SIGTERM])
  func signals(_ number: Int32) throws {
    let program = try Program()
    let process = try program.startLongRun()
    let asked = program.computed(process) ?? 0
    kill(process.processIdentifier, number)
    // By what it computes, not by the clock: others are at work. The whole run would take minutes.
    var last = asked
    while let seconds = program.computed(process) {
      last = seconds
      usleep(2000)
    }
    process.waitUntilExit()
    #expect(last - asked < 2)
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 128 + number)
    #expect(try program.value("SELECT status FROM run") == .text("interrupted"))
    #expect(
      try program.value("SELECT status FROM stage WHERE name = 'model'") == .text("interrupted"))
    #expect(try program.ends("long") == ["ABORT"] && program.ends("long.model") == ["ABORT"])
    #expect(try program.ends("long.scenes") == ["COMPLETE"])
    #expect(try program.finish(Program.short) == 0)
    #expect(try program.finish(["verify"]) == 0)
  }

  @Test("a second run is turned away with 75 while the first goes on, and reading is not")
  func second() throws {
    let program = try Program()
    let process = try program.startLongRun()
    #expect(try program.finish(["run", "long.json5"]) == 75)
    #expect(try program.finish(["status"]) == 0)
    #expect(try program.finish(["query", "SELECT * FROM stage"]) == 0)
    // One that waits goes on as soon as the first has ended; one that is told to stop, at once.
    let impatient = try program.startWaiting()
    let waiting = try program.startWaiting()
    #expect(impatient.isRunning && waiting.isRunning)
    kill(impatient.processIdentifier, SIGINT)
    impatient.waitUntilExit()
    #expect(impatient.terminationStatus == 130)
    process.terminate()
    process.waitUntilExit()
    waiting.waitUntilExit()
    #expect(waiting.terminationStatus == 0)
  }

  @Test("status shows a run while it goes on: stage, how far, rate, time left and the loss")
  func live() throws {
    let program = try Program()
    let process = try program.startLongRun()
    defer { process.waitUntilExit() }
    defer { process.terminate() }
    func running() throws -> JSONValue? {
      let pipe = Pipe()
      let status = try program.start(["status", "--json"], output: pipe)
      let data = pipe.fileHandleForReading.readDataToEndOfFile()
      status.waitUntilExit()
      return try JSONValue.parse(data)["running"]
    }
    var progress: JSONValue?
    let end = ContinuousClock.now + .seconds(20)
    while progress?["work"]?["rate"]?.number == nil, ContinuousClock.now < end {
      usleep(100_000)
      progress = try running()?["progress"]
    }
    #expect(progress?["stage"] == .string("model"))
    #expect(progress?["number"] == .integer(2))
    #expect(progress?["work"]?["total"] == .integer(100_000_000))
    #expect((progress?["work"]?["rate"]?.number ?? 0) > 0)
    #expect((progress?["work"]?["secondsLeft"]?.number ?? 0) > 0)
    #expect((progress?["work"]?["metrics"]?["loss"]?.number ?? 0) > 0)
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    #expect(try running() == .null)
  }

  @Test("a killed run's lock is taken over, and told of; nothing half done is left")
  func killed() throws {
    let program = try Program()
    let process = try program.startLongRun()
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try program.finish(Program.short) == 0)
    #expect(
      try program.value(
        "SELECT count(*) FROM event WHERE level = 'warning' AND message LIKE 'took over the lock%'")
        == .integer(1))
    #expect(
      try program.value("SELECT count(*) FROM run WHERE status = 'interrupted'") == .integer(1))
    #expect(
      try FileManager.default.contentsOfDirectory(
        atPath: program.store.appending(path: "tmp").path
      ).isEmpty)
    #expect(try program.finish(["verify"]) == 0)
    #expect(try program.finish(Program.short) == 0)
    #expect(
      try program.value(
        "SELECT count(*) FROM stage WHERE status = 'reused' AND run_id = (SELECT id FROM latest_run)"
      ) == .integer(2))
  }

  @Test("a closed pipe is no failure and no trap")
  func closedPipe() throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let process = try Program().start(["help", "run"], output: pipe)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
  }

  @Test("a trained model draws pictures where it is asked to")
  func sample() throws {
    let program = try Program()
    #expect(try program.finish(Program.short) == 0)
    let words = ["sample", "model", "--at", "0.3,0.3", "--count", "2", "--steps", "2"]
    #expect(try program.finish(words) == 0)
    let first = try Data(contentsOf: program.folder.appending(path: "sample.png"))
    #expect(first.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(try program.finish(words + ["--output", "again.png"]) == 0)
    #expect(try Data(contentsOf: program.folder.appending(path: "again.png")) == first)
    // Guidance by 1 is none; by 3 at noise levels that the sampler does not visit, too.
    func drawn(_ guidance: String) throws -> Data {
      #expect(
        try program.finish(words + ["--guidance", guidance, "--output", "guided.png"]) == 0)
      return try Data(contentsOf: program.folder.appending(path: "guided.png"))
    }
    #expect(try drawn("1") == first && drawn("3,100,200") == first && drawn("3") != first)
    for odd in ["-1", "2,3", "2,5,1", "2,,", "x"] {
      #expect(try program.finish(words + ["--guidance", odd]) == 64, "\(odd)")
    }
    #expect(try program.finish(["sample", "scenes"]) == 64)
    #expect(try program.finish(["sample", "model", "--at", "2,0"]) == 64)
    #expect(try program.finish(["sample", "model", "--output", "none/x.png"]) == 73)
  }

  @Test("a trained model denoises given arrays, channels first, and refuses those that do not fit")
  func denoise() throws {
    let program = try Program()
    #expect(try program.finish(Program.short) == 0)
    func save(_ name: String, _ shape: [Int]) throws {
      let values = (0..<shape.reduce(1, *)).map { Float($0 % 7) / 7 + 0.1 }
      try NPYArray(shape: shape, elements: .float32(values)).npyData()
        .write(to: program.folder.appending(path: name))
    }
    try save("x.npy", [2, 3, 16, 16])
    try save("sigma.npy", [2])
    try save("labels.npy", [2, 8, 8])
    try save("odd.npy", [2, 3, 16, 15])
    func words(_ x: String, _ out: String) -> [String] {
      [
        "denoise", "model", "--x", x, "--sigma", "sigma.npy", "--labels", "labels.npy", "--output",
        out,
      ]
    }
    #expect(try program.finish(words("x.npy", "D.npy")) == 0)
    let d = try NPYArray(npy: Data(contentsOf: program.folder.appending(path: "D.npy")))
    #expect(d.shape == [2, 3, 16, 16])
    // At a low noise level the result is close to the input, value by value and so in its order.
    guard case .float32(let values) = d.elements else { throw CancellationError() }
    let mean = values.indices.reduce(0) { $0 + abs(values[$1] - (Float($1 % 7) / 7 + 0.1)) }
    #expect(mean / Float(values.count) < 0.1)
    #expect(try program.finish(words("odd.npy", "D.npy")) == 65)
    #expect(try program.finish(words("none.npy", "D.npy")) == 66)
    #expect(try program.finish(words("x.npy", "none/D.npy")) == 73)
    #expect(try program.finish(["denoise", "model"]) == 64)
  }
}
