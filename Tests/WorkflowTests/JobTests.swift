// Proves that stages as jobs give what stages in this process do, and that nothing is done but what a receipt and
// its objects show: whatever is lost is ordered anew, and what an earlier controller ordered is taken up.
import Formats
import Foundation
import Lineage
import Measures
import Synchronization
import Testing

@testable import Workflow

/// What a job does instead of its work.
private enum Mishap {
  /// It is gone, without a receipt.
  case vanishes
  case writesAnotherObject
  case writesDamagedReceipt
  case writesReceiptOfOtherSettings
  case writesReceiptOfOtherInputs
  case writesReceiptOfAPath
}

/// Executes orders as they are submitted, in this process, but for mishaps.
private final class Desk: Sendable {
  struct State {
    var mishaps: [String: [Mishap]] = [:]
    var submitted: [PlacedOrder] = []
    var found: [String: String] = [:]
    var most = 0
  }
  let state = Mutex(State())
  let kinds: [StageKind]
  init(_ kinds: [StageKind], mishaps: [String: [Mishap]] = [:]) {
    self.kinds = kinds
    state.withLock { $0.mishaps = mishaps }
  }
  var stages: [String] { state.withLock { $0.submitted.map(\.stage) } }
}

private struct HereExecutor: Executor {
  let desk: Desk
  var noun: String { "task" }
  func shown(_ job: String) -> String { job }
  var outlives: Bool { true }
  var patience: Duration { .zero }
  func pause(unchangedFor time: Duration) -> Duration { .milliseconds(1) }
  func find(_ order: PlacedOrder) throws -> String? {
    desk.state.withLock { $0.found[order.stage] }
  }
  func poll(_ jobs: [String]) throws -> [String: JobState]? { [:] }
  func ending(of job: String) throws -> JobEnding? { JobEnding(reason: "NODE_FAIL", node: "n7") }
  func cancel(_ jobs: [String]) throws {}
  func news(of nodes: [String: String], isDue: Bool) -> [String] { [] }
  func condition(of node: String) -> String? { nil }

  func submit(_ orders: [PlacedOrder]) throws -> [Submission] {
    try orders.map { order in
      let mishap = desk.state.withLock { state -> Mishap? in
        state.submitted.append(order)
        guard let list = state.mishaps[order.stage], !list.isEmpty else { return nil }
        return state.mishaps[order.stage]?.removeFirst()
      }
      if case .vanishes? = mishap { return .submitted(job: "\(order.stage)-\(order.attempt)") }
      _ = try OrderExecution(
        orderAt: order.url, kinds: desk.kinds, cancellation: Cancellation(), job: "7", host: "n1",
        tell: { _ in }
      ).run()
      let folder = order.url.deletingLastPathComponent()
      let receipt = folder.appending(path: "receipt-\(order.attempt).json")
      switch mishap {
      case .writesAnotherObject:
        let outputs = folder.appending(path: "outputs")
        for name in try FileManager.default.contentsOfDirectory(atPath: outputs.path) {
          let url = outputs.appending(path: name)
          let size = try Data(contentsOf: url).count
          try FileManager.default.removeItem(at: url)
          try Data(repeating: 7, count: size).write(to: url)
        }
      case .writesDamagedReceipt:
        var data = try Data(contentsOf: receipt)
        data[data.count / 2] ^= 1
        try data.write(to: receipt)
      case .writesReceiptOfOtherSettings: try forge(order) { $0.seed += 1 }
      case .writesReceiptOfOtherInputs: try forge(order) { $0.inputs = [] }
      case .writesReceiptOfAPath:
        try forge(order) {
          for place in $0.outputs.indices { $0.outputs[place].sha256 = "../../../locus.sqlite" }
          for place in $0.artifacts.indices { $0.artifacts[place].sha256 = "../../../locus.sqlite" }
        }
      case .vanishes, nil: break
      }
      return .submitted(job: "\(order.stage)-\(order.attempt)")
    }
  }

  private func forge(_ order: PlacedOrder, _ change: (inout ExecutionRecord) -> Void) throws {
    let store = order.url.deletingLastPathComponent().deletingLastPathComponent()
    let orders = OrderFolder(store: store.deletingLastPathComponent(), key: order.key)
    var delivery = try #require(try orders.delivery(order.attempt))
    change(&delivery.record)
    _ = try orders.deliver(delivery, files: [])
  }
}

@Suite("jobs")
struct JobTests {
  private static let fan = """
    s: { kind: 'generate', count: 3 },
    t: { kind: 'train', inputs: { scenes: 's' }, matrix: { labelling: ['all', 'single'] } },
    e: { kind: 'evaluate', inputs: { denoiser: 't' } },
    c: { kind: 'compare', inputs: { evaluations: 'e' } },
    """

  private func settings(_ desk: Desk, limit: Int = 100) -> RunSettings {
    RunSettings(
      threads: 2, locusVersion: "test",
      jobs: JobSettings(limit: limit, threads: 1) { _ in HereExecutor(desk: desk) })
  }

  private func outputs(_ bench: RunnerBench) throws -> [[SQLValue]] {
    try bench.store.query(
      """
      SELECT e.key, o.role, o.sha256 FROM execution e JOIN execution_output o ON o.execution_id = e.id
      WHERE e.status = 'succeeded' ORDER BY 1, 2
      """
    ).rows
  }

  private func events(_ bench: RunnerBench) throws -> [String] {
    try bench.store.query("SELECT message FROM event WHERE level = 'warning' ORDER BY rowid").rows
      .compactMap { $0.first?.text }
  }

  @Test("give the same keys and the same bytes, in whatever order, and leave a clean store")
  func same() throws {
    let (here, there) = (try RunnerBench(), try RunnerBench())
    try here.run(here.plan(Self.fan))
    let desk = Desk(Fake.kinds(calls: there.calls))
    let summary = try there.run(there.plan(Self.fan), settings: settings(desk))
    #expect(summary.status == .succeeded && summary.executed == 6)
    #expect(try outputs(here) == outputs(there))
    #expect(there.calls.all == here.calls.all)
    #expect(
      try Store.verify(there.folder, .locus, isRunning: { false }, progress: { _, _ in }) == [])
    #expect(try OrderFolder.keys(in: there.folder).isEmpty)
    #expect(try there.run(there.plan(Self.fan), settings: settings(desk)).reused == 6)
    #expect(desk.stages.count == 6)
  }

  @Test("a stage is ordered once its inputs are in the store, and equal stages once")
  func once() throws {
    let bench = try RunnerBench()
    let desk = Desk(Fake.kinds(calls: bench.calls))
    let summary = try bench.run(
      bench.plan(
        """
        a: { kind: 'generate', count: 3 }, b: { kind: 'generate', count: 3 },
        t: { kind: 'train', inputs: { scenes: 'b' } },
        """), settings: settings(desk, limit: 2))
    #expect(summary.executed == 2 && summary.reused == 1)
    #expect(desk.stages == ["a", "t"])
  }

  @Test(
    "what is lost, or cannot be believed, is ordered anew and said so",
    arguments: [
      (Mishap.vanishes, "task t[labelling=all]-1 on n7: NODE_FAIL"),
      (.writesAnotherObject, "its result cannot be believed"),
      (.writesDamagedReceipt, "its receipt"),
      (.writesReceiptOfOtherSettings, "it is of other settings"),
      (.writesReceiptOfOtherInputs, "it is of other inputs"),
      (.writesReceiptOfAPath, "names what is no hash"),
    ])
  private func lost(_ mishap: Mishap, _ words: String) throws {
    let (here, there) = (try RunnerBench(), try RunnerBench())
    try here.run(here.plan(Self.fan))
    let desk = Desk(Fake.kinds(), mishaps: ["t[labelling=all]": [mishap]])
    let summary = try there.run(there.plan(Self.fan), settings: settings(desk))
    #expect(summary.status == .succeeded)
    #expect(try outputs(here) == outputs(there))
    #expect(desk.stages.filter { $0 == "t[labelling=all]" }.count == 2)
    let said = try events(there)
    #expect(said.count == 1 && said[0].contains(words), "\(said)")
    #expect(said[0].hasSuffix("submitted again, 1 of 3"))
    let rows = try there.store.query(
      "SELECT attempt, error FROM execution WHERE status = 'interrupted'"
    ).rows
    #expect(rows.count == 1 && rows[0][0] == .integer(1), "\(rows)")
    #expect(rows.first?[1].text?.hasPrefix("lost: ") == true, "\(rows)")
  }

  @Test("lost too often, a stage fails, what needs it is skipped, and the rest goes on")
  func often() throws {
    let bench = try RunnerBench()
    let desk = Desk(
      Fake.kinds(), mishaps: ["t[labelling=all]": [.vanishes, .vanishes, .vanishes]])
    let plan = try bench.plan(Self.fan, overrides: ["t.executor.retries=1"])
    let summary = try bench.run(plan, settings: settings(desk))
    #expect(summary.failed == 1 && summary.skipped == 2 && summary.executed == 3)
    #expect(summary.exitCode == 69)
    let error = try bench.store.query("SELECT error FROM execution WHERE status = 'failed'").rows
    #expect(error.first?.first?.text?.contains("was lost 2 times") == true)
    #expect(try bench.run(bench.plan(Self.fan), settings: settings(desk)).executed == 3)
  }

  @Test("an error of the stage itself is told as in this process, and not tried again")
  func failure() throws {
    struct Broken: CategorizedError, CustomStringConvertible {
      var category: ErrorCategory { .data }
      var description: String { "the scenes are no scenes" }
    }
    var kind = Fake.generate()
    kind.run = { _ in throw Broken() }
    let bench = try RunnerBench()
    let desk = Desk([kind])
    let summary = try bench.run(
      bench.plan("s: { kind: 'generate', count: 3 }", kinds: [kind]), settings: settings(desk))
    #expect(summary.failed == 1 && summary.exitCode == 65 && desk.stages.count == 1)
    #expect(
      try bench.store.query("SELECT error FROM execution").rows == [
        [.text("the scenes are no scenes")]
      ])
  }

  @Test(
    "a controller that comes after a killed one takes up jobs and results, and submits nothing twice"
  )
  func reattached() throws {
    let bench = try RunnerBench()
    let plan = try bench.plan(
      "s: { kind: 'generate', count: 3 }, r: { kind: 'generate', count: 4 }")
    // The first controller is stopped as soon as both are submitted: one has delivered, one has not.
    let desk = Desk(Fake.kinds(calls: bench.calls), mishaps: ["r": [.vanishes]])
    let cancellation = Cancellation()
    let first = try bench.run(plan, cancellation: cancellation, settings: settings(desk)) { event in
      if case .noted(let step, let text) = event, step.name == "r", text.hasPrefix("is task") {
        cancellation.request(signal: SIGTERM)
      }
    }
    #expect(first.status == .interrupted || first.status == .succeeded)
    desk.state.withLock { $0.found["r"] = "r-1" }
    let second = try bench.run(
      bench.plan("s: { kind: 'generate', count: 3 }"), settings: settings(desk))
    #expect(second.reused + second.executed == 1)
    #expect(desk.stages.filter { $0 == "s" }.count == 1)
    #expect(bench.calls.all["generate"].map { $0 <= 2 } == true)
  }

  @Test("settings of the executor are no part of a key, and a stage's stand over the pipeline's")
  func options() throws {
    let text = pipeline(
      """
      a: { kind: 'generate', count: 3, executor: { time: '10', retries: 0 } },
      b: { kind: 'generate', count: 3 },
      """
    ).replacingOccurrences(
      of: "stages:",
      with:
        "executor: { type: 'slurm', partition: 'main', time: '1:00', extra: ['--nice'] }, stages:")
    let read = try parse(text)
    #expect(read.executor.type == .slurm)
    let (a, b) = (read.instances[0], read.instances[1])
    #expect(a.parameters == b.parameters)
    #expect((a.executor.time, a.executor.partition, a.executor.retries) == ("10", "main", 0))
    #expect((b.executor.time, b.executor.extra, b.executor.retries) == ("1:00", ["--nice"], 3))
    #expect(
      problems(text.replacingOccurrences(of: "partition:", with: "partion:")).first?
        .contains("executor.partion: unknown key `partion`, did you mean") == true
        || problems(text.replacingOccurrences(of: "partition:", with: "partion:")).first?
          .contains("did you mean `partition`") == true
    )
  }

  @Test("an order for another version of a kind, or at another place, is refused")
  func orders() throws {
    let bench = try RunnerBench()
    let desk = Desk(Fake.kinds(), mishaps: ["s": [.vanishes]])
    let plan = try bench.plan(
      "s: { kind: 'generate', count: 3 }", overrides: ["s.executor.retries=0"])
    _ = try bench.run(plan, settings: settings(desk))
    let order = try #require(desk.state.withLock { $0.submitted.first })
    func execute(_ url: URL, _ kinds: [StageKind]) throws -> OrderExecution.End {
      try OrderExecution(
        orderAt: url, kinds: kinds, cancellation: Cancellation(), job: nil, tell: { _ in }
      ).run()
    }
    #expect(throws: WorkflowError.self) { try execute(order.url, [Fake.generate(version: 2)]) }
    let elsewhere = bench.folder.appending(path: "order-1.json")
    try FileManager.default.copyItem(at: order.url, to: elsewhere)
    #expect(throws: (any Error).self) { try execute(elsewhere, Fake.kinds()) }
    let orders = OrderFolder(store: bench.store.folder, key: order.key)
    let whole = try orders.order(order.attempt)
    for change: (inout WorkOrder) -> Void in [
      { $0.kind = "nowhere" }, { $0.folder = "/elsewhere" }, { $0.attempt = 7 },
      { $0.key = "../" + $0.key },
    ] {
      var changed = whole
      change(&changed)
      // What it says of itself is not where it lies.
      try FileManager.default.removeItem(at: order.url)
      try OrderFolder(store: bench.store.folder, key: order.key).place(changed)
      let place = orders.orderURL(changed.attempt)
      if changed.attempt != order.attempt {
        try FileManager.default.moveItem(at: place, to: order.url)
      }
      #expect(throws: WorkflowError.self) { try execute(order.url, Fake.kinds()) }
    }
    for text in ["", "{}", String(repeating: "[", count: 1 << 20)] {
      try FileManager.default.removeItem(at: order.url)
      try Data(text.utf8).write(to: order.url)
      #expect(throws: StoreError.self) { try execute(order.url, Fake.kinds()) }
    }
    try orders.place(whole)
    var other = Fake.generate()
    other.instructions = "another"
    #expect(try execute(order.url, [other]).exitCode == 69)
    #expect(try execute(order.url, Fake.kinds()).exitCode == 0)
  }
}

@Suite("Slurm's answers")
struct SlurmAnswerTests {
  @Test("the queue is told by jobs and tasks of Locus alone")
  func queue() {
    let found = Slurm.queue(
      """
      17|0|RUNNING|n1|1:02:03|2026-11-27T11:59:22|None|locus-a
      17|1-2,5%3|PENDING||UNLIMITED|N/A|Priority|locus-a
      19|N/A|RUNNING|n2|UNLIMITED|N/A|None|locus-b
      20|N/A|RUNNING|n2|UNLIMITED|N/A|None|somebody's
      21|N/A|COMPLETED|n2|UNLIMITED|N/A|None|locus-c
      22|N/A|PENDING||UNLIMITED|N/A|launch failed requeued held|locus-d
      """)
    #expect(
      found == [
        "17_0 locus-a": .running(
          node: "n1", timeLeft: "1:02:03", since: "2026-11-27T11:59:22"),
        "17_1 locus-a": .queued(reason: "Priority"), "17_2 locus-a": .queued(reason: "Priority"),
        "17_5 locus-a": .queued(reason: "Priority"),
        "19 locus-b": .running(node: "n2", timeLeft: nil),
        "22 locus-d": .stuck(reason: "launch failed requeued held"),
      ])
  }

  @Test("a job that is known to run has not ended, and no state is taken for a success")
  func endings() {
    func ending(_ text: String) -> JobEnding? {
      Slurm.ending("JobId=2 JobName=locus-a " + text, name: "locus-a")
    }
    #expect(ending("JobState=RUNNING NodeList=n1") == nil)
    #expect(ending("JobState=PENDING") == nil)
    #expect(ending("") == nil)
    // A scheduler that lost its state gives numbers again.
    #expect(
      Slurm.ending("JobId=2 JobName=locus-b JobState=RUNNING", name: "locus-a")
        == JobEnding(reason: "vanished"))
    #expect(
      ending("JobState=NODE_FAIL ExitCode=0:0 NodeList=n1")
        == JobEnding(reason: "NODE_FAIL", node: "n1"))
    #expect(
      ending("JobState=FAILED ExitCode=1:0 NodeList=(null)")
        == JobEnding(reason: "FAILED (exit code 1:0)", node: nil))
  }

  @Test(
    "where there is accounting its states are told apart, and what is at work has not ended",
    arguments: [
      ("COMPLETED|n1|0:0\n", JobEnding(reason: "COMPLETED (exit code 0:0)", node: "n1")),
      ("FAILED|n1|1:0\n", JobEnding(reason: "FAILED (exit code 1:0)", node: "n1")),
      ("CANCELLED by 1000|n1|0:15\n", JobEnding(reason: "CANCELLED", node: "n1")),
      ("CANCELLED by 0|None assigned|0:0\n", JobEnding(reason: "CANCELLED", node: nil)),
      ("NODE_FAIL|n2|1:0\n", JobEnding(reason: "NODE_FAIL", node: "n2")),
      ("TIMEOUT|n2|0:0\n", JobEnding(reason: "TIMEOUT", node: "n2")),
      ("OUT_OF_MEMORY|n2|0:125\n", JobEnding(reason: "OUT_OF_MEMORY", node: "n2")),
      ("PREEMPTED|n2|0:0\n", JobEnding(reason: "PREEMPTED", node: "n2")),
      (
        "NODE_FAIL|n2|1:0\nCOMPLETED|n1|0:0\n",
        JobEnding(reason: "COMPLETED (exit code 0:0)", node: "n1")
      ),
      ("RUNNING|n1|0:0\n", nil), ("PENDING|None assigned|0:0\n", nil),
      ("REQUEUED|n1|0:0\n", nil), ("UNKNOWN|n1|0:0\n", nil), ("", nil), ("rubbish", nil),
    ])
  func accounting(_ text: String, _ ending: JobEnding?) {
    #expect(Slurm.accounted(text) == ending)
  }

  @Test("a node's state, the reason for it and the start of its slurmd are read")
  func node() {
    let found = Slurm.nodes(
      """
      NodeName=n1 Arch=x86_64 State=IDLE BootTime=2026-11-26T17:09:51 SlurmdStartTime=2026-11-27T11:59:21
      NodeName=n2 State=DOWN*+DRAIN SlurmdStartTime=None Reason=Not responding [slurm@2026-11-27T12:03:01]
      NodeName=n3 State=MIXED+COMPLETING SlurmdStartTime=2026-11-27T11:59:22
      """)
    #expect(
      found == [
        "n1": .init(start: "2026-11-27T11:59:21", trouble: nil),
        "n2": .init(start: nil, trouble: "DOWN+DRAIN (Not responding)"),
        "n3": .init(start: "2026-11-27T11:59:22", trouble: nil),
      ])
  }

  @Test("a program that hangs is ended, and has given no answer")
  func hanging() {
    let begun = ContinuousClock.now
    let answer = Program.run(
      ["sh", "-c", "echo 1; sleep 600"], environment: ProcessInfo.processInfo.environment,
      limit: .milliseconds(300))
    #expect(answer?.code == 137 && ContinuousClock.now - begun < .seconds(300))
  }

  @Test("nodes are counted once each, by their features")
  func nodes() {
    #expect(
      Slurm.nodeKinds("n1|avx512|2:1:1\nn1|avx512|2:1:1\nn2|avx2|2:1:1\nn3|(null)|2:1:1\n")
        == ["avx512": 1, "avx2": 1, "no features": 1])
  }

  @Test("what Slurm says in passing is asked again, what it refuses is not")
  func passing() {
    #expect(
      Slurm.isPassing(
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)"
      ))
    #expect(!Slurm.isPassing("sbatch: error: invalid partition specified: nowhere"))
  }
}
