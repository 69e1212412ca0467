// Proves on a Slurm of its own (`Tests/slurm`) that a pipeline gives there what it gives here, whoever is hit.
import Foundation
import Testing
import Workflow

@Suite(
  "Slurm", .serialized, .timeLimit(.minutes(10)),
  .enabled(
    if: ProcessInfo.processInfo.environment["LOCUS_TEST_SLURM"] != nil,
    "no Slurm for tests: `Tests/slurm start FOLDER`, then SLURM_CONF=FOLDER/slurm.conf LOCUS_TEST_SLURM=1"
  ))
struct SlurmTests {
  private static let slurm = ["--executor", "slurm"]

  private func ask(_ words: [String], in folder: URL) throws -> Executable.Result {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Executable.Result(
      code: process.terminationStatus, output: String(decoding: data, as: UTF8.self), error: "")
  }

  /// Numbers of the jobs at work.
  private func running(_ folder: URL) throws -> [String] {
    try ask(["squeue", "--noheader", "--me", "--states=running", "--format=%i"], in: folder).output
      .split(whereSeparator: \.isWhitespace).map(String.init)
  }

  @Test("a pipeline gives the same bytes on Slurm, and says which jobs made them")
  func same() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let found = try bench.run("two", Self.slurm)
      #expect(found.code == 0, "\(found.error)")
      #expect(try bench.events("two").contains { $0.contains("scenes ran as Slurm job ") })
      try bench.expectSame()
      #expect(
        try FileManager.default.contentsOfDirectory(
          atPath: folder.appending(path: "two/orders").path
        ).filter { $0 != "batches" } == [])
    }
  }

  @Test("a controller that is killed is followed by one that takes its jobs up")
  func controller() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let process = try bench.start("two", Self.slurm)
      try bench.waitForCheckpoint("two")
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let status = try Executable.run(["status", "--store", "two"], in: folder)
      let before = Set(try running(folder))
      // What is still at work now was so when it was asked for.
      #expect(status.output.contains("running") || before.isEmpty, "\(status)")
      let found = try bench.run("two", Self.slurm)
      #expect(found.code == 0, "\(found.error)")
      // Whether they are taken up or deliver before the new controller looks: it is these that give the results.
      let events = try bench.events("two")
      for job in before {
        #expect(events.contains { $0.contains("ran as Slurm job \(job) on ") }, "\(events)")
      }
      try bench.expectSame()
    }
  }

  @Test("a job that is cancelled by hand is submitted again, and goes on from its checkpoint")
  func cancelledByHand() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let process = try bench.start("two", Self.slurm)
      try bench.waitForCheckpoint("two")
      let jobs = try running(folder)
      #expect(!jobs.isEmpty)
      _ = try ask(["scancel"] + jobs, in: folder)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let events = try bench.events("two")
      #expect(events.contains { $0.contains("submitted again, 1 of 3") }, "\(events)")
      try bench.expectSame()
    }
  }

  @Test(
    "Ctrl-C leaves jobs at work and says so; `locus cancel` ends them, and nobody submits them again"
  )
  func left() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let said = folder.appending(path: "said")
      try Data().write(to: said)
      let process = Process()
      process.executableURL = Executable.url
      process.arguments = bench.words("two", Self.slurm + ["--set", "model.pictures=10000000"])
      process.currentDirectoryURL = folder
      process.standardError = try FileHandle(forWritingTo: said)
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      try bench.waitForCheckpoint("two")
      kill(process.processIdentifier, SIGINT)
      process.waitUntilExit()
      #expect(process.terminationStatus == 130)
      let text = try String(contentsOf: said, encoding: .utf8)
      #expect(text.contains("on: the same command takes"), "\(text)")
      #expect(try !running(folder).isEmpty)
      let cancelled = try Executable.run(["cancel", "--store", "two"], in: folder)
      #expect(cancelled.code == 0 && cancelled.output.contains("cancelled model"), "\(cancelled)")
      try JobBench.wait(for: "the end of the jobs") { try running(folder).isEmpty }
      #expect(try bench.run("two").code == 0)
    }
  }

  @Test("what Slurm refuses fails its stage with Slurm's words, and nothing waits for it")
  func refused() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let found = try bench.run("two", Self.slurm + ["--set", "scenes.executor.partition=nowhere"])
      #expect(found.code == 69, "\(found)")
      #expect(found.error.contains("the scheduler refuses stage `scenes`"), "\(found.error)")
      #expect(found.error.contains("1 executed, 1 failed, 2 skipped"), "\(found.error)")
    }
  }

  @Test(
    "before its time limit a job keeps a checkpoint and queues itself again, without a controller")
  func timeLimit() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      let process = try bench.start("two", Self.slurm)
      try bench.waitForCheckpoint("two")
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let jobs = try running(folder)
      #expect(!jobs.isEmpty)
      // As Slurm does it a minute before the limit.
      _ = try ask(["scancel", "--signal=TERM", "--batch"] + jobs, in: folder)
      // Slurm has what is queued again wait for two minutes: a node refuses a job that starts in the second in
      // which it ended there ("Job credential revoked").
      var waiting = Set(jobs)
      try JobBench.wait(for: "jobs that queue themselves again") {
        for job in waiting {
          let state = try ask(["squeue", "--noheader", "--jobs=\(job)", "--format=%r"], in: folder)
          if state.output.contains("BeginTime") {
            _ = try ask(["scontrol", "update", "JobId=\(job)", "StartTime=now+3"], in: folder)
            waiting.remove(job)
          } else if !state.output.contains("None") {
            waiting.remove(job)
          }
        }
        usleep(200_000)
        return waiting.isEmpty
      }
      let found = try bench.run("two", Self.slurm + ["--set", "executor.time=90"])
      #expect(found.code == 0, "\(found.error)")
      #expect(!found.error.contains("submitted again"), "\(found.error)")
      let events = try bench.events("two")
      #expect(events.contains { $0.contains("goes on from its checkpoint") }, "\(events)")
      try bench.expectSame()
    }
  }

  @Test("nodes of several kinds are named beforehand, unless the pipeline names one")
  func nodes() throws {
    try withFolder { folder in
      let bench = try JobBench(folder)
      func features(_ name: String) throws {
        _ = try ask(
          [
            "scontrol", "update", "NodeName=n2", "AvailableFeatures=\(name)",
            "ActiveFeatures=\(name)",
          ],
          in: folder)
      }
      #expect(try !bench.run("two", Self.slurm + ["--dry-run"]).error.contains("several kinds"))
      try features("other")
      defer { try? features("plain") }
      let found = try bench.run("two", Self.slurm + ["--dry-run"])
      #expect(
        found.error.contains("nodes are of several kinds: 1 with other, 1 with plain"), "\(found)")
      let named = try bench.run(
        "two", Self.slurm + ["--dry-run", "--set", "executor.constraint=plain"])
      #expect(!named.error.contains("several kinds"))
      #expect(try !bench.run("two", ["--dry-run"]).error.contains("several kinds"))
    }
  }
}
