import Formats
import Foundation
import Testing

@testable import Workflow

@Suite("diagnostics")
struct DiagnosticsTests {
  @Test("a problem has its place, its path, what was found and what is accepted")
  func problem() {
    let fault = PipelineFault.wrongType(found: "3.5", accepted: "an integer from 1 to 64")
    var problem = PipelineProblem(
      position: SourcePosition(line: 4, column: 9), path: "stages.t.width", fault: fault)
    #expect(
      problem.text(file: "a.json5")
        == "a.json5:4:9: stages.t.width: found 3.5; accepted: an integer from 1 to 64")
    problem.path = ""
    problem.override = "t.width=3.5"
    #expect(
      problem.text(file: "a.json5")
        == "--set t.width=3.5: found 3.5; accepted: an integer from 1 to 64")
  }

  static let holder = LockHolder(
    host: "node7", pid: 42, pipeline: "study", since: "2026-01-01T00:00:00Z")

  @Test(
    "every error has its words and its exit code",
    arguments: [
      (WorkflowError.missingFile("a.json5"), "a.json5: there is no such file", 66),
      (.isFolder("a"), "a: this is a folder; a pipeline file (JSON5) is accepted", 66),
      (.unreadable("a", reason: "Permission denied"), "a: cannot be read: Permission denied", 66),
      (.invalid(file: "a", problems: []), "", 65),
      (
        .badOverride("x", reason: "there is no `=`"),
        "--set x: there is no `=`; accepted: seed=VALUE, scale=VALUE, replicate.KEY=VALUE, executor.KEY=VALUE or STAGE.PARAMETER=VALUE,"
          + " for example"
          + " --set baseline.network.width=32", 64
      ),
      (
        .badSelection(option: "--only", name: "baselin", known: ["baseline", "scenes"]),
        "--only baselin: there is no such stage or instance (did you mean `baseline`?);"
          + " stages: `baseline`, `scenes`", 64
      ),
      (
        .locked(.named(holder), path: "data/lock"),
        "data/lock: another run holds the lock: pipeline `study`, process 42 on node7,"
          + " since 2026-01-01T00:00:00Z; wait for it (`locus run --wait`) or take another store"
          + " (--store DIR)", 75
      ),
      (
        .locked(.unnamed, path: "data/lock"),
        "data/lock: the lock is held by another process that has not said who it is", 75
      ),
      (
        .locked(.successor(of: holder), path: "data/lock"),
        "data/lock: the lock is held by another process that has not said who it is; the last that"
          + " did has ended as far as can be seen from here: pipeline `study`, process 42 on node7,"
          + " since 2026-01-01T00:00:00Z", 75
      ),
      (
        .cannotLock("data/lock", reason: "Read-only file system"),
        "data/lock: the lock cannot be taken: Read-only file system", 73
      ),
      (
        .noOutput(stage: "t", role: "weights", path: "/tmp/w"),
        "stage `t` promised the output `weights` but left no file at /tmp/w;"
          + " this is a fault of Locus", 70
      ),
      (
        .roleTwice(stage: "t", role: "weights"),
        "stage `t` gave the output `weights` twice; this is a fault of Locus", 70
      ),
    ] as [(WorkflowError, String, Int32)])
  func errors(_ error: WorkflowError, _ text: String, _ code: Int32) {
    #expect(error.description == text)
    #expect(error.exitCode == code)
    #expect(exitCode(of: error) == code)
  }

  @Test(
    "errors from elsewhere get a fitting exit code",
    arguments: [
      (CocoaError(.fileReadNoSuchFile) as any Error, ExitCode.missingInput),
      (CocoaError(.fileReadNoPermission), ExitCode.missingInput),
      (CocoaError(.fileWriteOutOfSpace), ExitCode.inputOutput),
      (POSIXError(.EIO), ExitCode.inputOutput), (POSIXError(.ENOSPC), ExitCode.inputOutput),
      (CocoaError(.fileReadCorruptFile), ExitCode.badData),
      (CancellationError(), ExitCode.bug),
    ])
  func foreign(_ error: any Error, _ code: Int32) { #expect(exitCode(of: error) == code) }

  @Test(
    "faults tell what is accepted, with a hint where one is near",
    arguments: [
      (PipelineFault.empty, "the file is empty; an object with"),
      (.notUTF8, "the bytes are not UTF-8"),
      (.tooLarge(limit: 4 << 20), "larger than 4 MiB"),
      (.unknownKey("widht", accepted: ["width"]), "(did you mean `width`?); accepted: `width`"),
      (.unknownKind("trian", known: ["train"]), "(did you mean `train`?)"),
      (.missingKey(accepted: "text"), "missing; accepted: text"),
      (.badName("a b"), "the name \"a b\" cannot be used; accepted: 1 to 64"),
      (.cycle(["a", "b", "a"]), "a ← b ← a"),
      (.unknownStage("scene", known: ["scenes"]), "(did you mean `scenes`?)"),
      (.notAnAxis("x", stage: "t", axes: []), "it has one instance only"),
      (.nothingSelected("t[a=1]"), "\"t[a=1]\": it is excluded"),
      (.axisInsideAxis("network.width", "network"), "inside axis `network`"),
      (.tooManyStages(limit: 4096), "more than 4096 stages"),
    ])
  func faults(_ fault: PipelineFault, _ part: String) {
    #expect(fault.message.contains(part), "\(fault.message)")
  }

  @Test("text from outside cannot break a line or flood it")
  func quotation() {
    #expect(Escape.message("a\nb\u{1B}[2J\"") == "\"a\\nb\\u{1b}[2J\\\"\"")
    #expect(Escape.message(String(repeating: "x", count: 100)).count == 63)
  }

  @Test(
    "types say what they accept",
    arguments: [
      (ParameterType.bool, "true or false"), (.text, "text"),
      (.integer(1...64), "an integer from 1 to 64"),
      (.integer(0...Int.max), "an integer of at least 0"),
      (.number(0...0.5), "a number from 0 to 0.5"),
      (.number(-Double.greatestFiniteMagnitude...1), "a number of at most 1"),
      (.choice(["a", "b"]), "\"a\", \"b\""),
      (.list(.bool, count: 2...2), "a list of 2, each true or false"),
      (.list(.bool, count: 1...8), "a list (1 to 8 long), each true or false"),
      (
        .variant(tag: "type", cases: ["unet": [], "local": []]),
        "an object whose `type` is one of \"local\", \"unet\""
      ),
    ])
  func types(_ type: ParameterType, _ text: String) { #expect(accepted(type) == text) }

  @Test(
    "a plan's reasons are to the field",
    arguments: [
      (PlanReason.unchanged, "unchanged"), (.forced, "forced"), (.neverRun, "never run"),
      (.neverFinished, "never finished"),
      (.kindChanged(old: "train", new: "judge"), "kind `train` → `judge`"),
      (.version(kind: "train", old: 3, new: 4), "kind `train` version 3 → 4"),
      (.version(kind: "train", old: nil, new: 4), "kind `train` has the new version 4"),
      (
        .parameter(path: "network.width", old: "16", new: "32"),
        "parameter `network.width` 16 → 32"
      ),
      (.parameter(path: "balance", old: nil, new: "4"), "parameter `balance` (none) → 4"),
      (.seed(old: "1", new: "2"), "seed 1 → 2"),
      (.inputContent(role: "scenes"), "input `scenes` has other content"),
      (.inputAdded(role: "scenes"), "input `scenes` is new"),
      (.inputRemoved(role: "scenes"), "input `scenes` is gone"),
      (.artifactMissing(role: "weights"), "artifact `weights` missing"),
      (.inputsRun(["a"]), "an input will run: `a`"),
      (.inputsRun(["a", "b", "c", "d", "e"]), "inputs will run: `a`, `b`, `c` and 2 more"),
    ])
  func reasons(_ reason: PlanReason, _ text: String) { #expect(reason.text == text) }
}
