// Proves that gc keeps everything that a kept run came from, to the byte, that it frees what it says, and
// that one which is cut off anywhere is completed.
import Foundation
import Measures
import Synchronization
import Testing

@testable import Lineage

@Suite("Garbage collection")
struct CollectTests {
  /// Three runs of `study`, the last with another model on the same scenes, and one run of `other`.
  private func history() throws -> (fixture: StoreFixture, runs: [String]) {
    let fixture = try StoreFixture()
    let first = try fixture.begin()
    try fixture.study(first)
    try fixture.store.finishRun(first, status: "succeeded")
    let other = try fixture.begin("other")
    try fixture.stage(other, "lone", "generate", files: [("pixels", "lone")])
    try fixture.store.finishRun(other, status: "succeeded")
    let second = try fixture.begin()
    try fixture.stage(
      second, "scenes", "generate", files: [("pixels", "p")], key: fixture.hash("scenes"))
    let model = try fixture.stage(
      second, "model", "train", inputs: [("scenes/pixels", fixture.hash("p"))],
      files: [("weights", "w2")], metrics: [Measure.loss.row(0.1, .pictures(1))])
    try fixture.store.finishRun(second, status: "succeeded")
    let third = try fixture.begin()
    // Only the end of the chain is a stage of this run: the rest is its lineage.
    try fixture.record(third, "model", model, "reused")
    try fixture.store.finishRun(third, status: "succeeded")
    return (fixture, [first, other, second, third])
  }

  private func files(_ fixture: StoreFixture) -> Set<String> {
    let found = FileManager.default.enumerator(atPath: fixture.folder.path)
    return Set((found?.allObjects ?? []).compactMap { $0 as? String }).filter {
      $0.hasPrefix("objects/") && $0.split(separator: "/").count == 3 || $0.hasSuffix(".json")
    }
  }

  @Test("a kept run keeps its whole lineage; the rest goes, and the store is as if it never was")
  func keepLast() throws {
    let (fixture, runs) = try history()
    let plan = try fixture.removal(keeping: [.last(1)])
    #expect(Set(plan.runs) == [runs[0], runs[2]])
    let before = files(fixture)
    let kept = ["p", "w2", "lone"].map { fixture.store.objectURL(fixture.hash($0)).path }
    let lost = ["w", "m", "o1", "o2", "c", "x"].map {
      fixture.store.objectURL(fixture.hash($0)).path
    }
    #expect(plan.objects.count == lost.count)
    let size = plan.bytes
    try Store.remove(plan, from: fixture.folder, .locus)
    for path in kept { #expect(FileManager.default.fileExists(atPath: path)) }
    for path in lost { #expect(!FileManager.default.fileExists(atPath: path)) }
    #expect(size > 0 && files(fixture).isStrictSubset(of: before))
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    let store = try Store.open(fixture.folder, .readWrite, .locus)
    #expect(
      try Set(store.query("SELECT id FROM run").column("id")) == [.text(runs[1]), .text(runs[3])])
    // The scenes of the first run were replaced by equal ones; both lead to the kept model.
    #expect(
      try store.query(
        "SELECT DISTINCT ancestor FROM lineage WHERE artifact = '\(fixture.hash("w2"))'"
      ).rows
        == [[.text(fixture.hash("p"))]])
    #expect(try fixture.removal(keeping: [.last(1)]).isEmpty)
    let rows = try StoreFixture.rows(store.database)
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(try StoreFixture.rows(Store.open(fixture.folder, .readWrite, .locus).database) == rows)
  }

  @Test("rules are by pipeline, by date and by number, and add up; none keeps every run")
  func rules() throws {
    let (fixture, runs) = try history()
    func gone(_ rules: [Keep]) throws -> Set<String> {
      Set(try fixture.removal(keeping: rules).runs)
    }
    #expect(try gone([]).isEmpty)
    #expect(try gone([.last(2)]) == [runs[0]])
    #expect(try gone([.pipeline("other")]) == [runs[0], runs[2], runs[3]])
    #expect(try gone([.pipeline("other"), .last(1)]) == [runs[0], runs[2]])
    let start = try fixture.store.run(runs[2]).startedAt
    #expect(try gone([.since(start)]) == [runs[0], runs[1]])
    #expect(try gone([.since("2000-01-01")]).isEmpty)
    for rule in [Keep.pipeline("othr"), .since("2999-01-01")] {
      let error = #expect(throws: StoreError.self) { try gone([rule]) }
      #expect(error?.description.contains("pipelines in this store: other, study") == true)
      #expect(error?.exitCode == 64)
    }
  }

  @Test("without rules only what no run needs goes; what a killed run finished stays")
  func unneeded() throws {
    let (fixture, _) = try history()
    let run = try fixture.begin()
    let model = try fixture.stage(run, "late", "generate", files: [("pixels", "late")])
    // Killed between the transaction of the execution and that of the stage.
    try fixture.store.recordStage(
      StageRecord(
        runID: run, name: "late", kind: "generate", key: model.key, status: "running",
        reason: "never run", executionID: nil))
    try fixture.store.finishRun(run, status: "interrupted")
    let stray = fixture.store.objectURL(fixture.hash("stray"))
    try FileManager.default.createDirectory(
      at: stray.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("stray".utf8).write(to: stray)
    // Unfinished work of a run that is there, and of one that is not.
    for key in [model.key, fixture.hash("gone")] {
      let checkpoint = fixture.folder.appending(path: "checkpoints/\(key)")
      try FileManager.default.createDirectory(at: checkpoint, withIntermediateDirectories: true)
      try Data("half".utf8).write(to: checkpoint.appending(path: fixture.hash("half")))
    }
    let plan = try fixture.removal(keeping: [])
    #expect(plan.runs.isEmpty && plan.executions.isEmpty && plan.objects.count == 1)
    #expect(plan.leftovers == ["checkpoints/\(fixture.hash("gone"))"])
    #expect(plan.bytes == 9)
    try Store.remove(plan, from: fixture.folder, .locus)
    let left = try FileManager.default.contentsOfDirectory(
      atPath: fixture.folder.appending(path: "checkpoints").path)
    #expect(left == [model.key])
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }

  @Test("a damaged receipt stops it: what that tells of would look as if nobody needed it")
  func damaged() throws {
    let (fixture, runs) = try history()
    try Data("{}".utf8).write(to: fixture.store.receiptURL(run: runs[0]))
    #expect(throws: StoreError.self) { try fixture.removal(keeping: [.last(1)]) }
  }

  @Test("a collection that is cut off after any number of files is completed by the next healing")
  func cutOff() throws {
    let (model, _) = try history()
    let whole = try model.removal(keeping: [.last(1)])
    try Store.remove(whole, from: model.folder, .locus)
    let expected = files(model).count
    let steps = whole.runs.count + whole.executions.count + whole.objects.count
    for step in stride(from: 0, through: steps, by: 3) {
      let (fixture, _) = try history()
      let plan = try fixture.removal(keeping: [.last(1)])
      let paths =
        plan.runs.map { "receipts/runs/\($0).json" }
        + plan.executions.map { "receipts/executions/\($0).json" } + plan.objects
      try JSONEncoder().encode(plan).write(to: Removal.url(in: fixture.folder))
      for path in paths.prefix(step) {
        try FileManager.default.removeItem(at: fixture.folder.appending(path: path))
      }
      #expect(try Store.needsHealing(fixture.folder))
      _ = try Store.heal(fixture.folder, .locus)
      #expect(try Store.verify(fixture.folder, .locus).isEmpty, "after \(step) files")
      #expect(files(fixture).count == expected)
    }
  }

  @Test("last=N counts whole runs of a file that succeeded, and keeps whatever is newer")
  func wholeRuns() throws {
    let fixture = try StoreFixture()
    func run(
      _ status: String, path: String = "study.json5", isPartial: Bool = false
    ) throws -> String {
      let id = try fixture.begin(path: path)
      if isPartial {
        try fixture.store.recordEvent(
          runID: id, executionID: nil, level: "info", message: RunRecord.partial + "1 of 2 stages")
      }
      try fixture.store.finishRun(id, status: status)
      return id
    }
    let oldest = try run("succeeded")
    let kept = [
      try run("succeeded"), try run("failed"), try run("succeeded"),
      try run("succeeded", isPartial: true), try run("interrupted"),
      // A file of the same name in another place.
      try run("succeeded", path: "elsewhere/study.json5"),
      try run("failed", path: "failing.json5"),
    ]
    #expect(try fixture.removal(keeping: [.last(2)]).runs == [oldest])
    #expect(try fixture.removal(keeping: [.last(3)]).runs.isEmpty)
    #expect(try fixture.removal(keeping: [.last(1)]).runs == [kept[1], kept[0], oldest])
  }

  @Test("one that fails at any step is completed by the next session, whatever it had done")
  func failing() throws {
    let (model, _) = try history()
    try Store.remove(try model.removal(keeping: [.last(1)]), from: model.folder, .locus)
    let expected = files(model).count
    var step = 0
    while true {
      step += 1
      let (fixture, runs) = try history()
      let stray = fixture.store.objectURL(fixture.hash("stray"))
      try FileManager.default.createDirectory(
        at: stray.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("stray".utf8).write(to: stray)
      let plan = try fixture.removal(keeping: [.last(1)])
      let count = Mutex(0)
      let hasFailed = Mutex(false)
      let path = fixture.folder.path
      try? AtomicFile.$injection.withValue(
        { [step] _, url in
          guard url.path.hasPrefix(path) else { return 0 }
          let number = count.withLock { count in
            count += 1
            return count
          }
          if number < step { return 0 }
          hasFailed.withLock { $0 = true }
          return EIO
        }, operation: { try Store.remove(plan, from: fixture.folder, .locus) })
      if !hasFailed.withLock({ $0 }) { break }
      // Nothing of what is kept is ever gone, and what is left is whole.
      for text in ["p", "w2", "lone"] {
        let url = fixture.store.objectURL(fixture.hash(text))
        #expect(FileManager.default.fileExists(atPath: url.path), "step \(step)")
      }
      _ = try Store.heal(fixture.folder, .locus)
      // As if it had just been begun, or not yet.
      try Store.remove(try fixture.removal(keeping: [.last(1)]), from: fixture.folder, .locus)
      #expect(try Store.verify(fixture.folder, .locus).isEmpty, "step \(step)")
      #expect(files(fixture).count == expected, "step \(step)")
      #expect(runs.count == 4)
    }
    #expect(step > 30)
  }
}
