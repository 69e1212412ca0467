import Formats
import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import locus

@Suite("commands")
struct CommandTests {
  @Test("run, run again, plan a change")
  func run() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    let plan = bench.locus("run", path, "--dry-run")
    #expect(plan.code == 0)
    #expect(plan.output.contains("study: 3 of 3 stages to run"))
    #expect(!FileManager.default.fileExists(atPath: bench.folder.appending(path: "data").path))

    let first = bench.locus("run", path)
    #expect(first.code == 0, "\(first.error)")
    #expect(first.output.hasPrefix(bench.folder.appending(path: "reports/study/").path))
    #expect(first.output.hasSuffix(".md\n"))
    #expect(first.error.contains("[1/3] scenes runs: never run"))
    #expect(first.error.contains("succeeded: 3 executed"))
    let second = bench.locus("run", path, "--quiet")
    #expect(second.code == 0)
    #expect(second.error.isEmpty)

    let change = bench.locus("run", path, "--dry-run", "--set", "scenes.count=4")
    #expect(change.output.contains("run       scenes              parameter `count` 3 → 4"))
    #expect(change.output.contains("an input will run: `scenes`"))
    #expect(change.output.hasSuffix("not if its inputs come out as before\n"))
  }

  @Test("faults of a file are printed as compilers print them, with 65")
  func badFile() throws {
    let bench = try Bench()
    let path = try bench.pipeline("scenes: { kind: \"genrate\", count: 3 },")
    let found = bench.locus("run", path)
    #expect(found.code == 65)
    #expect(found.error.hasPrefix("\(path):2:17: stages.scenes.kind: unknown kind"))
    #expect(bench.locus("run", "none.json5").code == 66)
    #expect(bench.locus("run", try bench.pipeline(), "--only", "baselin").code == 64)
    #expect(bench.locus("run", try bench.pipeline(), "--set", "x").code == 64)
    #expect(bench.locus("run", path, "--threads", "0").code == 64)
  }

  @Test("a failing stage fails the run, and the rest is kept")
  func failure() throws {
    let bench = try Bench()
    let path = try bench.pipeline(
      """
      scenes: { kind: "generate", count: 3 },
      bad: { kind: "train", inputs: { scenes: "scenes" }, fails: true },
      """)
    let found = bench.locus("run", path, "--quiet")
    #expect(found.code == 70)
    #expect(found.error.contains("[2/2] bad failed: no such luck"))
    #expect(found.error.split(separator: "\n").count == 1)
    let status = bench.locus("status")
    #expect(status.code == 0)
    #expect(status.output.hasPrefix("nothing is running\n"))
    #expect(status.output.contains(#/bad +failed +never run +no such luck\n/#), "\(status.output)")
    let stages = try JSONValue.parse(Data(bench.locus("status", "--json").output.utf8))["stages"]
    #expect(stages?.array?.map { $0["error"] } == [.null, .string("no such luck")])
    #expect(bench.locus("show", "latest").output.contains("bad: no such luck"))
    let report = bench.folder.appending(path: "reports/study/latest.md")
    #expect(
      try String(contentsOf: report, encoding: .utf8).contains("| `bad` | failed | no such luck |"))
  }

  @Test("a run that had nothing to do leaves the last report as it stands, and says where it is")
  func standingReport() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    let first = bench.locus("run", path).output
    #expect(bench.locus("run", path).output == first)
    #expect(bench.locus("run", path).output == first)
    // Another result, then the first one again: the latest report is not the first one's any more.
    let second = bench.locus("run", path, "--set", "scenes.count=4").output
    #expect(second != first)
    let third = bench.locus("run", path).output
    #expect(third != first && third != second)
    #expect(bench.locus("run", path).output == third)
    let latest = bench.folder.appending(path: "reports/study/latest.md")
    try FileManager.default.removeItem(at: latest)
    #expect(bench.locus("run", path).output == third)
    #expect(FileManager.default.fileExists(atPath: latest.path))
  }

  @Test("a report is written again from the store, for any run")
  func report() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let folder = bench.folder.appending(path: "reports")
    try FileManager.default.removeItem(at: folder)
    let found = bench.locus("report")
    #expect(found.code == 0, "\(found.error)")
    let path = found.output.trimmingCharacters(in: .newlines)
    #expect(FileManager.default.fileExists(atPath: path))
    #expect(bench.locus("report", "scenes").code == 64)
    #expect(bench.locus("report", "none").code == 64)
  }

  @Test("a second run is told who holds the lock, with 75; readers are not kept out")
  func locked() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    let lock = try RunLock.acquire(
      bench.folder.appending(path: "data/lock"), as: .current(pipeline: "other"))
    let found = bench.locus("run", path)
    #expect(found.code == 75)
    #expect(found.error.contains("another run holds the lock: pipeline `other`"))
    #expect(bench.locus("status").output.hasPrefix("running: pipeline `other`"))
    #expect(bench.locus("runs").code == 0)
    withExtendedLifetime(lock) {}
  }

  @Test(
    "without a store, reading says how to make one",
    arguments: [
      "status", "runs", "query", "verify",
    ])
  func noStore(_ command: String) throws {
    let found = try Bench().locus(command)
    #expect(found.code == 66)
    #expect(found.error.contains("`locus run` makes one"))
  }

  @Test("runs, status and show speak JSON")
  func json() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let runs = try JSONValue.parse(Data(bench.locus("runs", "--json").output.utf8))
    let id = try #require(runs.array?.first?["run"]?.string)
    #expect(runs.array?.first?["executed"] == .integer(3))
    let status = try JSONValue.parse(Data(bench.locus("status", "--json").output.utf8))
    #expect(status["running"] == .null)
    #expect(status["pipelines"]?.array?.first?["pipeline"] == .string("study"))
    let run = try JSONValue.parse(Data(bench.locus("show", id, "--json").output.utf8))
    #expect(run["stages"]?.array?.count == 3)
    let execution = try JSONValue.parse(
      Data(bench.locus("show", "baseline[width=8]", "--json").output.utf8))
    #expect(execution["params"]?["width"] == .integer(8))
    #expect(execution["metrics"]?.array?.first?["value"] == .number(0.5))
    let hash = try #require(execution["outputs"]?.array?.first?["sha256"]?.string)
    let artifact = bench.locus("show", String(hash.prefix(10)))
    #expect(artifact.output.contains("made by"))
    #expect(artifact.output.contains("baseline[width=8]"))
    let stage = bench.locus("show", "baseline", "--json")
    let instances = try JSONValue.parse(Data(stage.output.utf8))["instances"]?.array
    #expect(instances?.map { $0["name"]?.string } == ["baseline[width=8]", "baseline[width=16]"])
    #expect(
      bench.locus("lineage", "baseline").error.contains("baseline[width=16]; give more of it"))
    #expect(bench.locus("show", "zzz").code == 64)
    #expect(bench.locus("show", "").code == 64)
    let prefix = bench.locus("show", "2")
    #expect(prefix.code == 0 || prefix.error.contains("names more than one"))
  }

  @Test("whatever a program would read is there as JSON")
  func everyJSON() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    func json(_ words: String...) throws -> JSONValue {
      let result = bench.locus(words: words + ["--json"])
      #expect(result.code == 0, "\(result.error)")
      return try JSONValue.parse(Data(result.output.utf8))
    }
    let plan = try json("run", path, "--dry-run")
    #expect(plan["pipeline"] == .string("study"))
    #expect(plan["stages"]?.array?.first?["decision"] == .string("run"))
    #expect(plan["stages"]?.array?.first?["reasons"]?.array == [.string("never run")])
    let run = try json("run", path)
    #expect(run["executed"] == .integer(3) && run["status"] == .string("succeeded"))
    let id = try #require(run["run"]?.string)
    #expect(try json("report", id)["report"] == run["report"])
    #expect(try json("query", "SELECT 1 AS a").array?.first?["a"] == .integer(1))
    let lineage = try json("lineage", "baseline[width=8]")
    #expect(lineage["executions"]?.array?.count == 2)
    #expect(lineage["artifacts"]?.array?.last?["role"] == .string("scenes/pixels"))
    #expect(try json("verify").array == [])
    #expect(try json("rebuild")["executions"] == .integer(3))
  }

  @Test(
    "a wrong word is answered with the right one",
    arguments: [
      (["stauts"], "did you mean `status`?"),
      (["run", "p", "--onyl", "x"], "did you mean `--only`?"),
      (["query", "k_mxa"], "did you mean `k_max`?"), (["query", "SELECT * FROM runn"], "`run`?"),
      (
        ["query", "SELECT statsu FROM run"], "did you mean `status`?"
      ),
      (["query", "SELECT r.statsu FROM run r"], "did you mean `status`?"),
      (["query", "run", "--format", "jsno"], "did you mean `json`?"),
      (["show", "baselin[width=8]"], "did you mean `baseline[width=8]`?"),
      (["help", "shcedule"], "did you mean `schedule`?"),
    ])
  func didYouMean(_ words: [String], _ hint: String) throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let console = bench.locus(words: words)
    #expect(console.code == 64)
    #expect(console.error.contains(hint), "\(console.error)")
  }

  @Test("diff shows two runs side by side: what differs of stages, parameters, inputs and metrics")
  func diff() throws {
    let bench = try Bench()
    func run(_ stages: String) throws -> String {
      #expect(bench.locus("run", try bench.pipeline(stages)).code == 0)
      let runs = try JSONValue.parse(Data(bench.locus("runs", "--json").output.utf8))
      return try #require(runs.array?.first?["run"]?.string)
    }
    let first = try run(Bench.stages)
    let same = try run(Bench.stages)
    let equal = bench.locus("diff", first, same)
    #expect(equal.code == 0, "\(equal.error)")
    #expect(equal.output.hasSuffix("nothing else differs\n"))
    let second = try run(
      """
      scenes: { kind: "generate", count: 4 },
      baseline: { kind: "train", inputs: { scenes: "scenes" }, matrix: { width: [8, 32] } },
      """)
    let found = try JSONValue.parse(Data(bench.locus("diff", first, second, "--json").output.utf8))
    func rows(_ table: String, _ columns: [String]) -> [[JSONValue?]] {
      (found[table]?.array ?? []).map { row in columns.map { row[$0] } }
    }
    #expect(
      rows("stages", ["stage", "a", "b"]) == [
        [.string("baseline[width=16]"), .string("executed"), .string("—")],
        [.string("baseline[width=32]"), .string("—"), .string("executed")],
      ])
    #expect(
      rows("parameters", ["stage", "parameter", "a", "b"])
        == [[.string("scenes"), .string("count"), .string("3"), .string("4")]])
    #expect(
      rows("inputs", ["stage", "input"])
        == [[.string("baseline[width=8]"), .string("scenes/pixels")]])
    // The stage that only one run has, with its interval.
    let metrics = rows("metrics", ["stage", "metric", "a", "a_low", "b", "difference"])
    #expect(
      metrics.contains([
        .string("baseline[width=16]"), .string("accuracy"), .number(0.5), .number(0.4), .null,
        .null,
      ]))
    let text = bench.locus("diff", first, second)
    #expect(text.output.contains("accuracy"))
    #expect(text.output.contains("0.5 [0.4, 0.6]"))
    #expect(!text.output.contains("loss"))
    #expect(bench.locus("diff", first, second, "--all").output.contains("loss"))
    #expect(bench.locus("diff", first).output == text.output)
    #expect(bench.locus("diff", "scenes", second).code == 64)
    #expect(bench.locus("diff").code == 64)
    let itself = bench.locus("diff", "latest")
    #expect(itself.code == 64 && itself.error.contains("both are \(second)"), "\(itself)")
  }

  @Test("lineage leads from a result to its source, in three forms")
  func lineage() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let text = bench.locus("lineage", "baseline[width=8]").output.split(separator: "\n")
    #expect(text.count == 2)
    #expect(text.first?.hasPrefix("weights ") == true)
    #expect(text.last?.hasPrefix("  scenes/pixels ") == true)
    let mermaid = bench.locus("lineage", "baseline[width=8]", "--format", "mermaid").output
    #expect(mermaid.hasPrefix("flowchart LR\n"))
    #expect(mermaid.contains("e1 -- \"scenes/pixels\" --> e0"))
    let dot = bench.locus("lineage", "baseline[width=8]", "--format=dot").output
    #expect(dot.hasPrefix("digraph"))
    #expect(bench.locus("lineage", "latest").code == 64)
    #expect(bench.locus("lineage", "baseline[width=8]", "--format", "svg").code == 64)
  }

  @Test("queries by name and in SQL, in four forms, reading only")
  func query() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    #expect(bench.locus("query").output.contains("k-max"))
    #expect(bench.locus("query", "stages").output.contains("never run"))
    #expect(bench.locus("query", "artifact", "--format", "csv").output.hasPrefix("sha256,kind"))
    let sql = "SELECT 1 AS a, 'x,\"y\"' AS b UNION SELECT 2, 'p|q'"
    #expect(
      bench.locus("query", sql, "--format", "csv").output == "a,b\n1,\"x,\"\"y\"\"\"\n2,p|q\n")
    #expect(
      bench.locus("query", sql, "--format", "json").output
        == "[\n  {\"a\": 1, \"b\": \"x,\\\"y\\\"\"},\n  {\"a\": 2, \"b\": \"p|q\"}\n]\n")
    #expect(
      bench.locus("query", sql, "--format", "markdown").output
        == "| a | b |\n| --- | --- |\n| 1 | x,\"y\" |\n| 2 | p\\|q |\n")
    #expect(bench.locus("query", sql).output == "a  b\n-  -----\n1  x,\"y\"\n2  p|q\n")
    let unknown = bench.locus("query", "k-mxa")
    #expect(unknown.code == 64)
    #expect(unknown.error.contains("did you mean `k-max`?"))
    for bad in ["DELETE FROM run", "SELECT 1; SELECT 2", "SELEC 1", "ATTACH 'x' AS y"] {
      #expect(bench.locus("query", bad).code == 64, "\(bad)")
    }
    #expect(bench.locus("query", "runs", "--format", "xml").code == 64)
  }

  @Test("verify finds a changed object and says what rests on it")
  func verify() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    #expect(bench.locus("verify").code == 0)
    let store = try Store.open(bench.folder.appending(path: "data"), .readOnly, .locus)
    let hash = try #require(
      try store.latestExecution(pipeline: "study", stage: "scenes")?.outputs.first?.sha256)
    let url = store.objectURL(hash)
    try FileManager.default.removeItem(at: url)
    let found = bench.locus("verify")
    #expect(found.code == 1)
    #expect(found.output.contains("missing"))
    #expect(found.output.contains("damages: scenes, baseline[width=8]"))
    let plan = bench.locus("run", try bench.pipeline(), "--dry-run")
    #expect(plan.output.contains("artifact `pixels` missing"))
    let healing = bench.locus("run", try bench.pipeline())
    #expect(healing.code == 0 && healing.error.contains("healed: "))
    #expect(healing.error.contains("1 executed, 2 reused"), "\(healing.error)")
    #expect(bench.locus("verify").code == 0)
  }

  @Test("gc says what it would free, frees it, and keeps what is kept")
  func collect() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    #expect(bench.locus("run", try bench.pipeline(), "--set", "scenes.count=4").code == 0)
    let plan = bench.locus("gc", "--keep", "last=1", "--dry-run")
    #expect(plan.output.contains("would remove 1 runs, 3 executions, 1 objects and 0 left-overs"))
    #expect(bench.locus("runs", "--json").output.split(separator: "\n").count == 4)
    let done = bench.locus("gc", "--keep", "last=1", "--json")
    #expect(done.code == 0 && done.output.contains("\"removed\": true"))
    #expect(bench.locus("verify").code == 0)
    #expect(
      bench.locus("run", try bench.pipeline(), "--dry-run", "--set", "scenes.count=4").output
        .contains("0 of 3 stages to run"))
    for rule in ["last=0", "since=yesterday", "pipeline=", "all", "pipeline=stdy"] {
      #expect(bench.locus("gc", "--keep", rule).code == 64, "\(rule)")
    }
  }

  @Test("a reader that goes away ends a listing quietly")
  func closedPipe() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let found = bench.locus("runs", write: { _ in throw Console.ClosedPipe() })
    #expect(found.code == 0)
    #expect(found.error.isEmpty)
  }

  @Test("the commit is read from git's files, loose, packed and in a linked tree")
  func commit() throws {
    let bench = try Bench()
    let hash = String(repeating: "ab", count: 20)
    func write(_ path: String, _ text: String) throws {
      let url = bench.folder.appending(path: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    func commit(around path: String) -> String? {
      Checkout(around: bench.folder.appending(path: path))?.commit
    }
    #expect(commit(around: "none") == nil)
    try write("repo/.git/HEAD", "ref: refs/heads/main\n")
    try write("repo/.git/packed-refs", "# pack-refs\n\(hash) refs/heads/main\n")
    try write("repo/sub/file", "")
    #expect(commit(around: "repo/sub") == hash)
    let other = String(repeating: "cd", count: 20)
    try write("repo/.git/refs/heads/main", "\(other)\n")
    #expect(commit(around: "repo") == other)
    try write("tree/.git", "gitdir: ../repo/.git/worktrees/tree\n")
    try write("repo/.git/worktrees/tree/HEAD", "ref: refs/heads/main\n")
    try write("repo/.git/worktrees/tree/commondir", "../..\n")
    #expect(commit(around: "tree") == other)
  }

  @Test("README describes every command")
  func readme() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    for command in CommandLineTool.commands.map({ $0.declaration.name }) {
      #expect(readme.contains("locus \(command)") || readme.contains("| \(command)"), "\(command)")
    }
  }

  @Test("bench gives the keys of the reference's own benchmark, and refuses what no network has")
  func bench() throws {
    let bench = try Bench()
    let result = bench.locus(
      "bench", "--size", "8", "--width", "4", "--batch", "2", "--rounds", "1", "--threads", "1",
      "--json")
    #expect(result.code == 0)
    let value = try JSONValue.parse(Data(result.output.utf8))
    for key in [
      "train_images_per_second", "denoise_images_per_second", "sgemm_gflops", "peak_rss_mib",
    ] {
      #expect((value[key]?.number ?? 0) > 0, "\(key)")
    }
    #expect(value["network"]?.string == "unet" && value["batch"]?.integer == 2)
    #expect(bench.locus("bench", "--width", "10").code == 64)
    #expect(bench.locus("bench", "--network", "gan").code == 64)
  }
}
