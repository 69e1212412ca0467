// Proves that a run of a model that lives elsewhere may be killed, it or its peer: nothing is left behind, and the next
// run goes on.
import Foundation
import Lineage
import Testing
import Workflow

/// A pipeline whose peer takes its time, in a folder of its own.
private final class SlowRun {
  let program: Program
  let mark = UUID().uuidString
  private static let peer = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "ExternalTests/Peers/plain_peer.py")

  /// - Parameter slow: seconds of each answer.
  init(slow: Double) throws {
    program = try Program()
    try FileManager.default.copyItem(
      at: Self.peer, to: program.folder.appending(path: "peer.py"))
    try Data(
      """
      { pipeline: "elsewhere", question: "Does it go on?", seed: 1, stages: {
        model: {
          kind: "external", files: ["peer.py"], timeout: 60, objects: [0, 1],
          command: ["python3", "peer.py", "shape=2,4,5", "conditioner={\\\"set\\\": [\\\"a\\\", \\\"b\\\"]}", "slow=\(slow)"],
        },
        probe: { kind: "probe", inputs: { denoiser: "model" }, pictures: 20, pixels: 2, sigmas: [0.5, 1, 5], steps: 2 },
      } }
      """.utf8
    ).write(to: program.folder.appending(path: "elsewhere.json5"))
  }

  func start(error: Any? = nil) throws -> Process {
    let process = Process()
    process.executableURL = Program.executable
    process.arguments = ["run", "elsewhere.json5", "--checkpoint", "0"]
    process.currentDirectoryURL = program.folder
    process.environment = ProcessInfo.processInfo.environment.merging(["LOCUS_TEST_MARK": mark]) {
      $1
    }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error ?? FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Processes that live and have the mark in their environment, but for one.
  func left(but other: pid_t = 0) -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { pid in
      pid != other
        && FileManager.default.contents(atPath: "/proc/\(pid)/environ")?
          .firstRange(of: Data("LOCUS_TEST_MARK=\(mark)".utf8)) != nil
    }
  }

  /// Waits until the probe has kept something.
  func untilKept() throws {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      if let store = try? Store.open(program.store, .readOnly, .locus),
        let keys = try? CheckpointFolder.keys(in: store), !keys.isEmpty
      {
        return
      }
      usleep(20_000)
    }
    throw CancellationError()
  }

  /// Runs again, to the end, from what was kept.
  func goesOn() throws {
    let again = try start()
    again.waitUntilExit()
    #expect(again.terminationStatus == 0)
    #expect(
      try program.value(
        "SELECT count(*) FROM event WHERE message LIKE 'probe goes on from its checkpoint%'")
        == .integer(1))
    #expect(untilNone())
  }

  func untilNone() -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
      if left().isEmpty { return true }
      usleep(20_000)
    }
    return false
  }
}

private let isLinuxWithPython: Bool = {
  #if os(Linux)
    return (try? Program.shell("python3 -c ''")) == 0
  #else
    return false
  #endif
}()

@Suite(
  "processes of models that live elsewhere", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: isLinuxWithPython, "python3 and /proc are not here"))
struct ExternalProcessTests {
  @Test(
    "a run that is stopped or killed takes its peer with it, and the next one goes on from what it kept",
    arguments: [SIGTERM, SIGKILL])
  func killed(_ signal: Int32) throws {
    let run = try SlowRun(slow: 0.02)
    let process = try run.start()
    try run.untilKept()
    #expect(!run.left(but: process.processIdentifier).isEmpty, "the peer works")
    // What is kept is whole a moment after its name is there.
    usleep(500_000)
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationStatus == (signal == SIGTERM ? 128 + SIGTERM : SIGKILL))
    #expect(run.untilNone(), "a peer is left")
    try run.goesOn()
  }

  @Test("a peer that is killed once is started anew, and the run ends as if nothing had been")
  func peerKilled() throws {
    let run = try SlowRun(slow: 0.02)
    let process = try run.start()
    try run.untilKept()
    for pid in run.left(but: process.processIdentifier) { kill(pid, SIGKILL) }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(run.untilNone())
  }

  @Test("a peer that is killed again and again is named with 69, and the next run goes on")
  func peerKilledForGood() throws {
    let run = try SlowRun(slow: 0.05)
    let said = run.program.folder.appending(path: "said")
    try Data().write(to: said)
    let process = try run.start(error: FileHandle(forWritingTo: said))
    try run.untilKept()
    while process.isRunning {
      for pid in run.left(but: process.processIdentifier) { kill(pid, SIGKILL) }
      usleep(5000)
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 69)
    let text = try String(contentsOf: said, encoding: .utf8)
    #expect(text.contains("was ended by signal 9"), "\(text)")
    try run.goesOn()
  }
}
