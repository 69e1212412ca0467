import Foundation
import Testing

/// Programs that answer as those of Slurm 22.05 do and start jobs as processes of this machine, for what a real
/// Slurm does not do on request: accounting, another clock, answers that make no sense.
struct StandInSlurm {
  let folder: URL

  init(_ parent: URL) throws {
    folder = parent.appending(path: "slurm")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["sbatch", "squeue", "scontrol", "sacct", "scancel", "sinfo"] {
      let url = folder.appending(path: name)
      try Data(Self.script.utf8).write(to: url)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
    }
  }

  func environment(_ more: [String: String] = [:]) -> [String: String] {
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = folder.path + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    environment["STAND_IN"] = folder.path
    environment["SLURM_CONF"] = nil
    return environment.merging(more) { $1 }
  }

  /// What sbatch does: `slow`, `rubbish`, or nothing unusual.
  func set(_ mode: String) throws {
    try Data(mode.utf8).write(to: folder.appending(path: "mode"))
  }

  /// What sacct says of every job.
  func account(_ line: String) throws {
    try Data((line + "\n").utf8).write(to: folder.appending(path: "accounts"))
  }

  /// When slurmctld says that it was started, in seconds since 1970.
  func boot(_ seconds: Int) throws {
    try Data("\(seconds)".utf8).write(to: folder.appending(path: "boot"))
  }

  /// How often sbatch was asked.
  var submissions: Int {
    ((try? String(contentsOf: folder.appending(path: "asked"), encoding: .utf8)) ?? "")
      .split(separator: "\n").count
  }

  private static let script = #"""
    #!/bin/sh
    moment() { date -d "@$1" +%Y-%m-%dT%H:%M:%S; }
    alive() { grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null; }
    touch "$STAND_IN/jobs"
    case "${0##*/}" in
    scontrol)
      case "$1 $2" in
      "show config")
        echo "AccountingStorageType   = accounting_storage/slurmdbd"
        echo "BOOT_TIME               = $(moment "$(cat "$STAND_IN/boot" 2>/dev/null || echo 1700000000)")"
        echo "MaxArraySize            = 1001" ;;
      *)
        echo "slurm_load_jobs error: Invalid job id specified" >&2
        exit 1 ;;
      esac ;;
    sbatch)
      echo x >>"$STAND_IN/asked"
      case "$(cat "$STAND_IN/mode" 2>/dev/null)" in
      slow) sleep 2 ;;
      rubbish)
        echo "Welcome to the cluster!"
        exit 0 ;;
      esac
      tasks=N/A
      for word; do
        case "$word" in
        --job-name=*) name=${word#*=} ;;
        --array=0-*) tasks=$(seq 0 "${word##*-}") ;;
        esac
        script=$word
      done
      number=$(($(cat "$STAND_IN/last" 2>/dev/null || echo 0) + 1))
      echo "$number" >"$STAND_IN/last"
      for task in $tasks; do
        export SLURM_JOB_ID="$number"
        [ "$task" = N/A ] || export SLURM_ARRAY_JOB_ID="$number" SLURM_ARRAY_TASK_ID="$task"
        setsid sh "$script" </dev/null >/dev/null 2>&1 &
        echo "$number|$task|$!|$name" >>"$STAND_IN/jobs"
      done
      echo "$number" ;;
    squeue)
      wanted=
      for word; do
        case "$word" in --name=*) wanted=${word#*=} ;; esac
      done
      while IFS='|' read -r number task process name; do
        if [ -n "$wanted" ]; then
          [ "$name" != "$wanted" ] || echo "$number"
        elif alive "$process"; then
          echo "$number|$task|RUNNING|n7|UNLIMITED|$(moment 1700000100)|None|$name"
        fi
      done <"$STAND_IN/jobs" ;;
    sacct)
      case "$*" in
      *--format=State*) cat "$STAND_IN/accounts" 2>/dev/null || true ;;
      esac ;;
    scancel)
      for word; do last=$word; done
      while IFS='|' read -r number task process name; do
        [ "$number" != "${last%%_*}" ] || kill "$process" 2>/dev/null
      done <"$STAND_IN/jobs" ;;
    esac
    exit 0
    """#
}

/// Proves what is done about answers that a real Slurm does not give on request.
@Suite("Slurm's programs, by stand-ins", .timeLimit(.minutes(10)))
struct StandInSlurmTests {
  private static let quick = """
    { pipeline: "q", question: "q", seed: 1, stages: {
      scenes: { kind: "generate", size: 8, cells: 4, objects: [1, 1], count: 2, matrix: { seed: [1, 2] } },
    } }
    """
  /// With a stage that is at work until it is ended.
  private static let long = """
    { pipeline: "l", question: "q", seed: 1, stages: {
      scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 8 },
      model: { kind: "train", inputs: { scenes: "scenes" }, pictures: 50000000, batch: 8,
               network: { type: "local", width: 8, dilations: [1] } },
    } }
    """

  private struct Bench {
    let jobs: JobBench
    let slurm: StandInSlurm

    init(_ folder: URL, _ pipeline: String) throws {
      jobs = try JobBench(folder)
      slurm = try StandInSlurm(folder)
      try Data(pipeline.utf8).write(to: folder.appending(path: "p.json5"))
    }

    func locus(_ words: [String], _ more: [String: String] = [:]) throws -> Executable.Result {
      try Executable.run(words, in: jobs.folder, environment: slurm.environment(more))
    }

    func run(_ store: String, _ more: [String: String] = [:]) throws -> Executable.Result {
      try locus(jobs.words(store, ["--executor", "slurm"]), more)
    }

    func start(_ store: String) throws -> Process {
      let process = Process()
      process.executableURL = Executable.url
      process.arguments = jobs.words(store, ["--executor", "slurm"])
      process.currentDirectoryURL = jobs.folder
      process.environment = slurm.environment()
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      return process
    }

    /// Whatever a test leaves at work.
    func clean() {
      _ = try? locus(["cancel", "--store", "two"])
      for store in ["two", "moved"] {
        for pid in jobs.workers(store) { kill(pid, SIGKILL) }
      }
    }
  }

  private func with(_ pipeline: String, _ body: (Bench) throws -> Void) throws {
    try withFolder { folder in
      let bench = try Bench(folder, pipeline)
      defer { bench.clean() }
      try body(bench)
    }
  }

  @Test("another clock and another language change nothing and are taken for no incident")
  func clock() throws {
    try with(Self.quick) { bench in
      let found = try bench.run("two", ["TZ": "Pacific/Auckland", "LC_ALL": "tr_TR.UTF-8"])
      #expect(found.code == 0, "\(found)")
      let again = try bench.run("two", ["TZ": "America/New_York"])
      #expect(again.code == 0 && again.error.contains("2 reused"), "\(again)")
      let events = try bench.jobs.events("two")
      #expect(!events.contains { $0.contains("anew") }, "\(events)")
      #expect(bench.slurm.submissions == 1)
    }
  }

  @Test("an sbatch that says yes and gives no number is asked three times, not for ever")
  func rubbish() throws {
    try with(Self.quick) { bench in
      try bench.slurm.set("rubbish")
      let found = try bench.run("two")
      #expect(found.code == 69, "\(found)")
      #expect(found.error.contains("gave no number of a job and printed: Welcome"), "\(found)")
      #expect(bench.slurm.submissions == 3)
      try bench.slurm.set("")
      #expect(try bench.run("two").code == 0)
    }
  }

  @Test(
    "where there is accounting, it says how a lost job ended",
    arguments: [
      ("NODE_FAIL|n7|1:0", "on n7: NODE_FAIL; submitted again"),
      ("OUT_OF_MEMORY|n7|0:125", "on n7: OUT_OF_MEMORY (`executor.memory` gives it more);"),
    ])
  func accounting(_ line: String, _ words: String) throws {
    try with(Self.long) { bench in
      try bench.slurm.account(line)
      let process = try bench.start("two")
      defer { process.waitUntilExit() }
      defer { kill(process.processIdentifier, SIGINT) }
      try bench.jobs.waitForCheckpoint("two")
      for pid in bench.jobs.workers("two") { kill(pid, SIGKILL) }
      try JobBench.wait(for: "an event that names the loss") {
        try bench.jobs.events("two").contains { $0.contains("lost: Slurm job 2 \(words)") }
      }
    }
  }

  @Test("a run that computes by itself says which jobs are at work on the same, and leaves them")
  func atWork() throws {
    try with(Self.long) { bench in
      let process = try bench.start("two")
      try bench.jobs.waitForCheckpoint("two")
      let second = try bench.run("two")
      #expect(second.code == 75 && second.error.contains("holds the lock"), "\(second)")
      kill(process.processIdentifier, SIGINT)
      process.waitUntilExit()
      #expect(process.terminationStatus == 130)
      for more in [[], ["--executor", "local", "--jobs", "2"]] {
        let found = try bench.locus(bench.jobs.words("two", more))
        #expect(found.code == 75, "\(found)")
        #expect(found.error.contains("Slurm is at work on model as job 2"), "\(found)")
        #expect(found.error.contains("--executor slurm"), "\(found)")
      }
      #expect(!bench.jobs.workers("two").isEmpty)
      let other = try bench.locus(
        bench.jobs.words("two", ["--set", "model.pictures=64"]))
      #expect(other.code == 0, "\(other)")
      #expect(try bench.locus(["cancel", "--store", "two"]).output.contains("cancelled model"))
    }
  }

  @Test(
    "a run that takes up jobs says so if slurmctld was started since, and that the one before was killed"
  )
  func incidents() throws {
    try with(Self.long) { bench in
      let process = try bench.start("two")
      try bench.jobs.waitForCheckpoint("two")
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      try bench.slurm.boot(Int(Date().timeIntervalSince1970) + 60)
      let next = try bench.start("two")
      defer { next.waitUntilExit() }
      defer { kill(next.processIdentifier, SIGINT) }
      for words in [
        "took over the lock", ", before this one, ended without a word",
        "(slurmctld) was started anew at",
      ] {
        try JobBench.wait(for: "an event: \(words)") {
          try bench.jobs.events("two").contains { $0.contains(words) }
        }
      }
      #expect(bench.slurm.submissions == 2)
    }
  }

  @Test("an attempt that had ended before its controller could say so is named by the next one")
  func ended() throws {
    try with(Self.long) { bench in
      let process = try bench.start("two")
      try bench.jobs.waitForCheckpoint("two")
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(try bench.locus(["cancel", "--store", "two"]).code == 0)
      let next = try bench.start("two")
      defer { next.waitUntilExit() }
      defer { kill(next.processIdentifier, SIGINT) }
      try JobBench.wait(for: "an event that names it") {
        try bench.jobs.events("two").contains {
          $0.contains("model: attempt 1, Slurm job 2, had ended") && $0.contains("; ordered anew")
        }
      }
    }
  }

  @Test("jobs of a store that was moved are cancelled, and ordered anew where it is now")
  func moved() throws {
    try with(Self.long) { bench in
      let process = try bench.start("two")
      try bench.jobs.waitForCheckpoint("two")
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let old = bench.jobs.workers("two")
      #expect(old.count == 1)
      func url(_ name: String) -> URL { bench.jobs.folder.appending(path: name) }
      try FileManager.default.moveItem(at: url("two"), to: url("moved"))
      let next = try bench.start("moved")
      defer { next.waitUntilExit() }
      defer { kill(next.processIdentifier, SIGINT) }
      try JobBench.wait(for: "a job in the new place") { !bench.jobs.workers("moved").isEmpty }
      try JobBench.wait(for: "the end of the job in the old place") {
        bench.jobs.workers("two").isEmpty
      }
      let events = try bench.jobs.events("moved")
      #expect(events.contains { $0.contains("from where the store was moved; Slurm job 2") })
      #expect(!FileManager.default.fileExists(atPath: url("two/locus.sqlite").path))
    }
  }

  @Test("jobs that are being submitted are cancelled too")
  func cancelling() throws {
    try with(Self.long) { bench in
      try bench.slurm.set("slow")
      let process = try bench.start("two")
      let batches = bench.jobs.folder.appending(path: "two/orders/batches")
      func count() -> Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: batches.path)) ?? [])
          .count { $0.hasSuffix(".json") }
      }
      // The second batch is that of the training.
      try JobBench.wait(for: "the second batch") { count() == 2 }
      let found = try bench.locus(["cancel", "--store", "two"])
      #expect(found.output.contains("cancelled model, job 2"), "\(found)")
      process.waitUntilExit()
      #expect(process.terminationStatus == 69)
      #expect(try bench.jobs.events("two").contains { $0.contains("was cancelled by") })
    }
  }
}
