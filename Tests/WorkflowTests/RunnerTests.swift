import Formats
import Foundation
import Lineage
import Measures
import Synchronization
import Testing

@testable import Workflow

private typealias Bench = RunnerBench
private let chain = RunnerBench.chain

/// Executed, reused, failed, skipped.
private func counts(_ summary: RunSummary) -> [Int] {
  [summary.executed, summary.reused, summary.failed, summary.skipped]
}

/// What the calling thread has computed, in seconds.
private func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

@Suite("plan and run")
struct RunnerTests {
  @Test("a pipeline runs once; the second run reuses everything, quickly")
  func reuse() throws {
    let bench = try Bench()
    let first = try bench.run(bench.plan(chain))
    #expect(first.status == .succeeded)
    #expect(first.executed == 4)
    #expect(bench.calls.total == 4)
    var quickest = Double.infinity
    // Other tests are at work: this thread's own time, and of some runs the quickest.
    for _ in 0..<10 {
      let start = threadSeconds()
      let again = try bench.plan(chain)
      let second = try bench.run(again)
      quickest = min(quickest, threadSeconds() - start)
      #expect(again.steps.map(\.reason) == Array(repeating: "unchanged", count: 4))
      #expect(second.reused == 4)
      #expect(second.executed == 0)
    }
    #expect(quickest < 0.1)
    #expect(bench.calls.total == 4)
  }

  @Test("comments, order, names and written-out defaults change nothing")
  func irrelevant() throws {
    let bench = try Bench()
    try bench.run(bench.plan(chain))
    let other = try bench.plan(
      """
      // Another order, other names, defaults written out.
      compared: { inputs: { evaluations: 'evaluated' }, kind: 'compare' },
      evaluated: { kind: 'evaluate', layouts: 4.0, inputs: { denoiser: 'trained' } },
      trained: { kind: 'train', network: { width: 16, attention: false, type: 'unet' },
                 labelling: 'all', inputs: { scenes: 'scenes' }, seed: 1 },
      scenes: { gap: 0, kind: 'generate', count: 3, objects: [1, 3] },
      """)
    #expect(other.steps.allSatisfy { !$0.runs })
  }

  @Test("gathered inputs give one key in any order")
  func gatheredOrder() throws {
    let bench = try Bench()
    let stages = """
      s: { kind: 'generate', count: 3 },
      t: { kind: 'train', inputs: { scenes: 's' }, matrix: { labelling: ['all', 'single'] } },
      e: { kind: 'evaluate', inputs: { denoiser: 't' } },
      """
    try bench.run(bench.plan(stages + "c: { kind: 'compare', inputs: { evaluations: 'e' } }"))
    let turned = try bench.plan(
      stages
        + "c: { kind: 'compare', inputs: { evaluations: ['e[labelling=single]', 'e[labelling=all]'] } }"
    )
    #expect(turned.steps.allSatisfy { !$0.runs })
  }

  @Test("a changed parameter is named with both values, and what follows waits for it")
  func parameterChanged() throws {
    let bench = try Bench()
    try bench.run(bench.plan(chain))
    let changed = try bench.plan(chain, overrides: ["t.network.width=32"])
    #expect(
      changed.steps.map(\.reason) == [
        "unchanged", "parameter `network.width` 16 → 32", "an input will run: `t`",
        "an input will run: `e`",
      ])
    #expect(changed.steps[1].decision == .run)
    #expect(changed.steps[2].decision == .runUnlessInputsAreEqual)
    let events = Mutex<[String]>([])
    try bench.run(changed) { event in
      if case .started(let step, let reason) = event {
        events.withLock { $0.append("\(step.name): \(reason)") }
      }
    }
    #expect(
      events.withLock { $0 } == [
        "t: parameter `network.width` 16 → 32", "e: input `denoiser` has other content",
        "c: input `evaluations` has other content",
      ])
    // And back: the earlier results are still there.
    #expect(try bench.plan(chain).steps.allSatisfy { !$0.runs })
  }

  @Test("a stage whose inputs come out equal is reused after all")
  func earlyCutoff() throws {
    let bench = try Bench()
    try bench.run(bench.plan(chain))
    // A new version of a kind that gives the same bytes.
    let kinds = [Fake.generate(version: 2, calls: bench.calls)] + Fake.kinds().dropFirst()
    let raised = try bench.plan(chain, kinds: kinds)
    #expect(raised.steps[0].reason == "kind `generate` version 1 → 2")
    #expect(raised.steps[1].reason == "an input will run: `s`")
    let summary = try bench.run(raised)
    #expect(summary.executed == 1)
    #expect(summary.reused == 3)
  }

  @Test("seed, forced, never run, missing artifact: each has its words")
  func reasons() throws {
    let bench = try Bench()
    #expect(try bench.plan(chain).steps[0].reason == "never run")
    #expect(try bench.plan(chain).steps[1].reason == "never run")
    try bench.run(bench.plan(chain))
    #expect(try bench.plan(chain, seed: "2").steps[0].reason == "seed 1 → 2")
    let forced = try bench.plan(chain, force: ["t"])
    #expect(forced.steps.map(\.runs) == [false, true, true, true])
    #expect(forced.steps[1].reason == "forced")
    let summary = try bench.run(forced)
    #expect(summary.executed == 1)
    #expect(summary.reused == 3)
    let weights = try #require(
      try bench.store.latestExecution(pipeline: "p", stage: "t")?.outputs.first)
    try FileManager.default.removeItem(at: bench.store.objectURL(weights.sha256))
    let missing = try bench.plan(chain)
    #expect(missing.steps[1].reason == "artifact `weights` missing")
    try bench.run(missing)
    #expect(try bench.store.hasObject(weights.sha256))
  }

  @Test("only brings up to date what was named and what it needs")
  func only() throws {
    let bench = try Bench()
    let stages = """
      s: { kind: 'generate', count: 3 },
      t: { kind: 'train', inputs: { scenes: 's' }, matrix: { labelling: ['all', 'single'] } },
      e: { kind: 'evaluate', inputs: { denoiser: 't' } },
      """
    let one = try bench.plan(stages, only: ["t[labelling=single]"])
    #expect(one.steps.map(\.instance.name) == ["s", "t[labelling=single]"])
    let stage = try bench.plan(stages, only: ["t"])
    #expect(stage.steps.count == 3)
    let both = try bench.plan(stages, only: ["s"], force: ["t[labelling=all]"])
    #expect(both.steps.map(\.instance.name) == ["s", "t[labelling=all]"])
    let error = #expect(throws: WorkflowError.self) { try bench.plan(stages, only: ["tt"]) }
    #expect(error?.description.contains("did you mean `t`?") == true)
    #expect(error?.exitCode == ExitCode.usage)
  }

  @Test("a failure skips what depends on it; independent stages still run")
  func failure() throws {
    struct Broken: Error, CustomStringConvertible { let description = "the loss is not finite" }
    let bench = try Bench()
    var train = Fake.train(calls: bench.calls)
    let work = train.run
    train.run = { context in
      if context.parameters["labelling"] == .string("single") { throw Broken() }
      return try work(context)
    }
    let kinds = Fake.kinds(calls: bench.calls).map { $0.name == "train" ? train : $0 }
    let stages = """
      s: { kind: 'generate', count: 3 },
      t: { kind: 'train', inputs: { scenes: 's' }, matrix: { labelling: ['single', 'all'] } },
      e: { kind: 'evaluate', inputs: { denoiser: 't' } },
      """
    let events = Mutex<[String]>([])
    let summary = try bench.run(bench.plan(stages, kinds: kinds)) { event in
      switch event {
      case .failed(let step, let message):
        events.withLock { $0.append("\(step.name) failed: \(message)") }
      case .skipped(let step, let reason):
        events.withLock { $0.append("\(step.name) skipped: \(reason)") }
      default: break
      }
    }
    #expect(
      events.withLock { $0 } == [
        "t[labelling=single] failed: the loss is not finite",
        "e[labelling=single] skipped: its input `t[labelling=single]` did not succeed",
      ])
    #expect(summary.status == .failed)
    #expect(summary.exitCode == ExitCode.bug)
    #expect(counts(summary) == [3, 0, 1, 1])
    // The next run tries the failed one again, and only it and what it kept waiting.
    let again = try bench.plan(stages)
    #expect(
      again.steps.filter(\.runs).map(\.instance.name) == [
        "t[labelling=single]", "e[labelling=single]",
      ])
    #expect(again.steps[1].reason == "never finished")
  }

  @Test("an interrupted run says so, records it, and goes on where it stopped")
  func interruption() throws {
    let bench = try Bench()
    let cancellation = Cancellation()
    let summary = try bench.run(bench.plan(chain), cancellation: cancellation) { event in
      if case .started(let step, _) = event, step.name == "t" {
        cancellation.request(signal: SIGTERM)
      }
    }
    #expect(summary.status == .interrupted)
    #expect(summary.exitCode == ExitCode.terminated)
    #expect(counts(summary) == [1, 0, 0, 2])
    let rest = try bench.run(bench.plan(chain))
    #expect(rest.status == .succeeded)
    #expect(counts(rest) == [3, 1, 0, 0])
  }

  @Test("scratch folders are removed, those of killed runs too")
  func scratch() throws {
    let bench = try Bench()
    let dead = bench.store.temporaryFolder.appending(path: Places.newScratch())
    try FileManager.default.createDirectory(at: dead, withIntermediateDirectories: true)
    try bench.run(bench.plan(chain))
    let left = try FileManager.default.contentsOfDirectory(
      at: bench.store.temporaryFolder, includingPropertiesForKeys: nil)
    #expect(left.filter { $0.lastPathComponent.hasPrefix("stage-") }.isEmpty)
  }

  @Test("a stage that breaks its promises fails as a fault of Locus")
  func promises() throws {
    let bench = try Bench()
    var generate = Fake.generate()
    generate.run = { context in
      StageOutput(files: [
        StageOutput.File(
          role: "pixels", url: context.scratch.appending(path: "none"), kind: "pixels",
          mediaType: "text/plain")
      ])
    }
    let summary = try bench.run(
      bench.plan("s: { kind: 'generate', count: 3 }", kinds: [generate]))
    #expect(summary.status == .failed)
    #expect(summary.exitCode == ExitCode.bug)
  }

  @Test("files, metrics, outcomes and costs reach the store")
  func recorded() throws {
    let bench = try Bench()
    var generate = Fake.generate()
    let work = generate.run
    generate.run = { context in
      var output = try work(context)
      output.metrics = [MetricRow(name: "pictures", value: 3, unit: "pictures")]
      output.tables = OutcomeRow.tables([
        OutcomeRow(k: 1, layout: 0, seed: 1, requested: 1, found: 1, drawn: 2, exact: false)
      ])
      return output
    }
    let train = Fake.train()
    let summary = try bench.run(
      bench.plan(
        """
        s: { kind: 'generate', count: 3 },
        t: { kind: 'train', inputs: { scenes: 's' } }
        """, kinds: [generate, train]))
    #expect(summary.status == .succeeded)
    func value(_ sql: String) throws -> SQLValue? { try bench.store.query(sql).rows.first?.first }
    #expect(try value("SELECT value FROM metric WHERE name = 'pictures'") == .real(3))
    #expect(try value("SELECT drawn FROM outcome") == .integer(2))
    #expect(try value("SELECT count(*) FROM execution WHERE threads = 2") == .integer(2))
    #expect(try value("SELECT min(peak_rss_bytes) > 0 FROM execution") == .integer(1))
    #expect(try value("SELECT role FROM execution_input") == .text("scenes/pixels"))
    #expect(try value("SELECT status FROM run") == .text("succeeded"))
    #expect(try value("SELECT reason FROM stage WHERE name = 's'") == .text("never run"))
  }

  @Test("a result that is no number fails its stage, in words, and the run goes on")
  func notANumber() throws {
    let bench = try Bench()
    var generate = Fake.generate()
    let write = generate.run
    generate.run = { context in
      var output = try write(context)
      output.metrics = [MetricRow(name: "pictures", value: .nan, unit: "pictures")]
      return output
    }
    let summary = try bench.run(
      bench.plan(
        """
        s: { kind: 'generate', count: 3 },
        t: { kind: 'train', inputs: { scenes: 's' } }
        """, kinds: [generate, Fake.train()]))
    #expect(summary.status == .failed && counts(summary) == [0, 0, 1, 1])
    #expect(summary.exitCode == 70)
    let error = try bench.store.query("SELECT error, status FROM execution").rows
    #expect(
      error == [[.text("metric pictures is nan, not a finite number"), .text("failed")]])
    #expect(try bench.store.query("SELECT * FROM metric").rows.isEmpty)
  }

  @Test("without a store everything is still to be done")
  func noStore() throws {
    let plan = try Plan(parse(pipeline(chain)), store: nil)
    #expect(plan.steps.allSatisfy { $0.runs && $0.reasons.contains(.neverRun) })
  }

  @Test("a run foresees what its stages took before, nothing of those that are reused")
  func foreseen() throws {
    let bench = try Bench()
    let ahead = Mutex<[String: TimeAhead]>([:])
    func run(_ stages: String, force: [String] = []) throws -> [String: TimeAhead] {
      ahead.withLock { $0 = [:] }
      try bench.run(try bench.plan(stages, force: force)) { event in
        if case .foreseen(let step, let time) = event { ahead.withLock { $0[step.name] = time } }
      }
      return ahead.withLock { $0 }
    }
    let first = try run(chain)
    #expect(first.mapValues(\.unknown) == ["s": 3, "t": 2, "e": 1, "c": 0])
    #expect(first.values.allSatisfy { $0.seconds == 0 })
    func seconds(_ stage: String) throws -> Double {
      try #require(
        try bench.store.lastSeconds(pipeline: "p", stage: stage, orOf: stage))
    }
    let (t, e, c) = (try seconds("t"), try seconds("e"), try seconds("c"))
    #expect(try run(chain).isEmpty)
    // The training runs again; the scenes do not, and what follows may.
    let wider = chain.replacing("width: 16", with: "width: 32")
    let second = try run(wider)
    #expect(second["t"]?.unknown == 0 && second["s"] == nil)
    #expect(abs((second["t"]?.seconds ?? 0) - e - c) < 1e-9 && t >= 0)
    // Another instance of the stage stands for one that is new.
    let fans = chain.replacing(
      "network: { type: 'unet', width: 16 }",
      with: "matrix: { 'network.width': [8, 16] }, network: { type: 'unet' }")
    let third = try run(fans)
    #expect(third["t[network.width=8]"]?.unknown == 0)
  }
}
