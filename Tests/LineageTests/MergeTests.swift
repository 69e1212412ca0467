// Proves that what another store has comes in whole or not at all, that nothing here is changed by it, and
// that results of one key with other bytes stand side by side.
import Foundation
import Measures
import Synchronization
import Testing

@testable import Lineage

@Suite("Merging stores")
struct MergeTests {
  /// A store with one run of a model that another machine would make with other last bits.
  private func machine(_ instructions: String, _ weights: String) throws -> StoreFixture {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let scenes = try fixture.stage(run, "scenes", "generate", files: [("pixels", "p")])
    var train = ExecutionRecord(
      key: fixture.hash("model"), kind: "train", parameters: .object([:]), seed: 1,
      inputs: scenes.outputs.map { ArtifactReference(role: "scenes/pixels", sha256: $0.sha256) })
    train.instructions = instructions
    let file = try fixture.file("weights", weights, "text/plain")
    let made = try fixture.store.publish(train, files: [file], runID: run)
    try fixture.record(run, "model", made, "executed")
    try fixture.stage(
      run, "plain", "evaluate", inputs: [("denoiser/weights", fixture.hash(weights))],
      files: [("outcomes", "o" + weights)], key: fixture.hash("plain" + weights))
    try fixture.store.recordEvent(
      runID: run, executionID: made.id, level: "warning", message: "mind the gap")
    try fixture.store.finishRun(run, status: "succeeded")
    return fixture
  }

  @discardableResult
  private func merge(_ other: StoreFixture, into mine: StoreFixture) throws -> Merge {
    var merge = try Store.merge(of: other.folder, into: mine.folder, .locus)
    try Store.carryOut(&merge, from: other.folder, into: mine.folder, .locus) { _, _ in }
    return merge
  }

  private func rows(_ fixture: StoreFixture) throws -> [String: Set<[SQLValue]>] {
    try StoreFixture.rows(Store.open(fixture.folder, .readWrite, .locus).database)
  }

  @Test("results of one key with other bytes stand side by side, each with the runs that used it")
  func sideBySide() throws {
    let (mine, other) = (try machine("avx2", "w1"), try machine("avx512", "w2"))
    let before = try rows(mine)
    let left = try Store.merge(of: other.folder, into: mine.folder, .locus)
    // Told, and not done.
    #expect(try rows(mine) == before && left.executions.count == 3 && left.runs.count == 1)
    // The pixels are here.
    #expect(left.objects.count == 2 && left.bytes == 5)
    let done = try merge(other, into: mine)
    #expect(done.differences.count == 1)
    #expect(done.differences[0].myInstructions == "avx2")
    #expect(done.differences[0].theirInstructions == "avx512")
    let store = try Store.open(mine.folder, .readWrite, .locus)
    func chosen(_ instructions: String) throws -> String? {
      try store.succeededExecution(key: mine.hash("model"), preferring: instructions)?.outputs[0]
        .sha256
    }
    #expect(try chosen("avx2") == mine.hash("w1") && chosen("avx512") == mine.hash("w2"))
    let used = try store.query(
      """
      SELECT o.sha256 FROM run r JOIN stage s ON s.run_id = r.id
      JOIN execution_output o USING (execution_id) WHERE s.name = 'model' ORDER BY r.sequence
      """)
    #expect(used.column("sha256") == ["w1", "w2"].map { .text(mine.hash($0)) })
    for (table, old) in before where table != "execution" && table != "artifact" {
      #expect(try rows(mine)[table]?.isSuperset(of: old) == true, "\(table)")
    }
    #expect(try Store.verify(mine.folder, .locus).isEmpty)
    let after = try rows(mine)
    _ = try Store.rebuild(mine.folder, .locus)
    #expect(try rows(mine) == after)
    // Nothing is left to bring in, and the other store can have it all as well.
    let again = try Store.merge(of: other.folder, into: mine.folder, .locus)
    #expect(again.executions.isEmpty && again.runs.isEmpty && again.objects.isEmpty)
    #expect(again.known == 4)
    try merge(mine, into: other)
    #expect(try rows(other) == after)
    #expect(try Store.verify(other.folder, .locus).isEmpty)
  }

  @Test("ids of earlier versions that two stores gave to different things are told apart")
  func namesakes() throws {
    /// Receipts as they were: an execution `KEY-1`, and a run that used it.
    func former(_ text: String) throws -> StoreFixture {
      let fixture = try StoreFixture()
      let run = try fixture.begin()
      let made = try fixture.stage(run, "model", "train", files: [("weights", text)])
      try fixture.store.finishRun(run, status: "succeeded")
      var execution = try Receipt.read(
        ExecutionRecord.self, from: fixture.store.receiptURL(execution: made.id))
      var ended = try Receipt.read(RunRecord.self, from: fixture.store.receiptURL(run: run))
      for url in [fixture.store.receiptURL(execution: made.id), fixture.store.receiptURL(run: run)]
      {
        try FileManager.default.removeItem(at: url)
      }
      execution.id = "\(made.key.prefix(16))-1"
      ended.id = "20261125T120000Z-study-0000"
      ended.stages[0].runID = ended.id
      ended.stages[0].executionID = execution.id
      try Receipt.data(execution, path: "").write(
        to: fixture.store.receiptURL(execution: execution.id))
      try Receipt.data(ended, path: "").write(to: fixture.store.receiptURL(run: ended.id))
      for suffix in ["", "-wal", "-shm"] {
        try? FileManager.default.removeItem(
          at: fixture.folder.appending(path: "locus.sqlite" + suffix))
      }
      _ = try Store.rebuild(fixture.folder, .locus)
      return fixture
    }
    let (mine, other) = (try former("w1"), try former("w2"))
    let done = try merge(other, into: mine)
    #expect(done.renamed.count == 2 && done.differences.count == 1)
    let store = try Store.open(mine.folder, .readWrite, .locus)
    let used = try store.query(
      "SELECT o.sha256 FROM stage s JOIN execution_output o USING (execution_id) ORDER BY s.run_id")
    #expect(used.column("sha256") == ["w1", "w2"].map { .text(mine.hash($0)) })
    #expect(try Store.verify(mine.folder, .locus).isEmpty)
    // The same again is known by the names that it got, there and at home.
    for round in 0..<2 {
      let again = try merge(other, into: mine)
      #expect(again.executions.isEmpty && again.runs.isEmpty && again.renamed.isEmpty)
      // Told until both have both.
      #expect(again.differences.count == 1 - round)
      try merge(mine, into: other)
    }
    for fixture in [mine, other] {
      let store = try Store.open(fixture.folder, .readOnly, .locus)
      #expect(try store.texts("SELECT id FROM run").count == 2)
      #expect(try store.texts("SELECT id FROM execution").count == 2)
      #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    }
  }

  @Test("a run whose execution was lost there does not get the namesake that is here")
  func lostThere() throws {
    let (mine, other) = (try machine("avx2", "w1"), try machine("avx512", "w2"))
    let id = try #require(mine.store.texts("SELECT id FROM execution WHERE kind = 'train'").first)
    let url = other.store.receiptURL(
      run: try #require(other.store.texts("SELECT id FROM run").first))
    var run = try Receipt.read(RunRecord.self, from: url)
    // As in stores of earlier versions, where both were `KEY-1`, and theirs has gone.
    run.stages[1].executionID = id
    try Receipt.data(run, path: "").write(to: url)
    try merge(other, into: mine)
    let store = try Store.open(mine.folder, .readOnly, .locus)
    #expect(
      try store.texts("SELECT run_id FROM stage WHERE execution_id = '\(id)'").count == 1)
  }

  @Test("what a run here lost comes back as what it was, or under another id")
  func lostHere() throws {
    for isFormer in [false, true] {
      let mine = try machine("avx2", "w1")
      let id = try #require(
        mine.store.texts("SELECT id FROM execution WHERE kind = 'train'").first)
      let url = mine.store.receiptURL(execution: id)
      let other: StoreFixture
      if isFormer {
        // The same id, as earlier versions gave it, for other bytes.
        other = try machine("avx512", "w2")
        let theirs = try #require(
          other.store.texts("SELECT id FROM execution WHERE kind = 'train'").first)
        var record = try Receipt.read(
          ExecutionRecord.self, from: other.store.receiptURL(execution: theirs))
        let run = try #require(mine.store.texts("SELECT id FROM run").first)
        var ended = try Receipt.read(RunRecord.self, from: mine.store.receiptURL(run: run))
        try FileManager.default.removeItem(at: other.store.receiptURL(execution: theirs))
        record.id = "\(record.key.prefix(16))-1"
        ended.stages[1].executionID = record.id
        try Receipt.data(record, path: "").write(
          to: other.store.receiptURL(execution: record.id))
        try Receipt.data(ended, path: "").write(to: mine.store.receiptURL(run: run))
        try FileManager.default.removeItem(at: Store.databaseURL(in: other.folder))
      } else {
        other = try StoreFixture()
        try merge(mine, into: other)
      }
      try FileManager.default.removeItem(at: url)
      try FileManager.default.removeItem(at: Store.databaseURL(in: mine.folder))
      _ = try? Store.rebuild(mine.folder, .locus)
      // `plain` waits for what it lost, as after healing.
      let receipts = try Receipts(in: mine.folder, .locus)
      try Store.renewDatabase(in: mine.folder, from: receipts, .locus)
      let done = try merge(other, into: mine)
      let store = try Store.open(mine.folder, .readWrite, .locus)
      let used = try store.texts(
        "SELECT coalesce(execution_id, '') FROM stage WHERE name = 'model' ORDER BY run_id")
      #expect(done.runs.count == (isFormer ? 1 : 0), "\(isFormer): \(done.renamed)")
      #expect(isFormer ? used.contains("") : used == [id], "\(used)")
    }
  }

  @Test("what is damaged, incomplete, or no other store is refused, and nothing is changed")
  func refused() throws {
    let mine = try machine("avx2", "w1")
    let before = try rows(mine)
    let objects = try files(mine)
    func refuse(_ what: String, _ spoil: (StoreFixture) throws -> Void) throws {
      let other = try machine("avx512", "w2")
      try spoil(other)
      let error = #expect(throws: StoreError.self, "\(what)") { try merge(other, into: mine) }
      #expect(error?.category == .data, "\(what): \(String(describing: error))")
      #expect(try rows(mine) == before && files(mine) == objects, "\(what)")
      try? FileManager.default.removeItem(at: other.folder)
    }
    func receipt(_ fixture: StoreFixture) throws -> URL {
      let ids = try fixture.store.texts("SELECT id FROM execution WHERE kind = 'train'")
      return fixture.store.receiptURL(execution: try #require(ids.first))
    }
    try refuse("an object of other content") { other in
      let url = other.store.objectURL(other.hash("w2"))
      try FileManager.default.removeItem(at: url)
      try Data("xx".utf8).write(to: url)
    }
    try refuse("an object that is not there") { other in
      try FileManager.default.removeItem(at: other.store.objectURL(other.hash("w2")))
    }
    try refuse("a damaged receipt") { try Data("{}".utf8).write(to: try receipt($0)) }
    try refuse("a lost receipt") { try FileManager.default.removeItem(at: try receipt($0)) }
    try refuse("a link") { other in
      let url = other.folder.appending(path: "objects")
      try FileManager.default.moveItem(at: url, to: other.folder.appending(path: "elsewhere"))
      try FileManager.default.createSymbolicLink(
        atPath: url.path, withDestinationPath: "elsewhere")
    }
    #expect(throws: StoreError.sameStore(path: mine.folder.path)) { try merge(mine, into: mine) }
    let none = mine.folder.appending(path: "none")
    #expect(throws: StoreError.missing(path: none.path)) {
      try Store.merge(of: none, into: mine.folder, .locus)
    }
    #expect(throws: StoreError.self) {
      try Store.merge(of: mine.folder.appending(path: "objects"), into: mine.folder, .locus)
    }
    #expect(try rows(mine) == before)
  }

  @Test("what the tables would not take is refused before anything is brought")
  func hostile() throws {
    let mine = try machine("avx2", "w1")
    let before = try (rows(mine), files(mine))
    func refuse(_ what: String, _ change: (inout ExecutionRecord) -> Void) throws {
      let other = try machine("avx512", "w2")
      let ids = try other.store.texts("SELECT id FROM execution WHERE kind = 'train'")
      let url = other.store.receiptURL(execution: try #require(ids.first))
      var record = try Receipt.read(ExecutionRecord.self, from: url)
      change(&record)
      try Receipt.data(record, path: "").write(to: url)
      let error = #expect(throws: StoreError.self, "\(what)") { try merge(other, into: mine) }
      #expect(error?.category == .data, "\(what): \(String(describing: error))")
      #expect(try rows(mine) == before.0 && files(mine) == before.1, "\(what)")
      // Not even in memory.
      #expect(throws: StoreError.self, "\(what)") {
        try Store.merge(of: other.folder, into: mine.folder, .locus)
      }
    }
    try refuse("a status") { $0.status = "bogus" }
    try refuse("a dimension") {
      $0.metrics = [MetricRow(name: "loss", value: 1, dimensions: ["zork": .integer(1)])]
    }
    try refuse("an input twice") { $0.inputs += $0.inputs }
    try refuse("an input that nobody made") {
      $0.inputs = [ArtifactReference(role: "x/y", sha256: SHA256.hash(Data("none".utf8)))]
    }
    try refuse("a key that leads elsewhere") { $0.key = "../../../../EVIL" }
    try refuse("a key with a space") { $0.key = "a b.c" }
    try refuse("a number of attempts") { $0.attempt = .max }
  }

  @Test("a run's place in the order is a number that can be followed by another")
  func sequence() throws {
    let (mine, other) = (try machine("avx2", "w1"), try machine("avx512", "w2"))
    let url = other.store.receiptURL(
      run: try #require(other.store.texts("SELECT id FROM run").first))
    var run = try Receipt.read(RunRecord.self, from: url)
    run.sequence = .max
    try Receipt.data(run, path: "").write(to: url)
    #expect(throws: StoreError.self) { try merge(other, into: mine) }
    // A row of somebody's hand.
    try mine.store.database.execute("UPDATE run SET sequence = \(Int.max)")
    _ = try mine.begin()
    try mine.store.database.execute("UPDATE execution SET attempt = \(Int.max)")
    let again = try mine.store.publish(
      ExecutionRecord(
        key: mine.hash("model"), kind: "train", parameters: .object([:]), seed: 1, inputs: []),
      files: [], runID: "none")
    #expect(again.attempt > 0)
  }

  @Test("what only one's own database still knows does not go with it")
  func ownReceipts() throws {
    let (mine, other) = (try machine("avx2", "w1"), try machine("avx512", "w2"))
    let before = try rows(mine)
    try FileManager.default.removeItem(at: mine.folder.appending(path: "receipts"))
    let error = #expect(throws: StoreError.self) { try merge(other, into: mine) }
    guard case .lostReceipts = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try StoreFixture.rows(mine.store.database) == before)
  }

  @Test("an object that is lost here and whole there is brought in")
  func restored() throws {
    let (mine, other) = (try machine("avx2", "w1"), try machine("avx512", "w2"))
    try merge(mine, into: other)
    try FileManager.default.removeItem(at: mine.store.objectURL(mine.hash("w1")))
    try merge(other, into: mine)
    #expect(try mine.store.hasObject(mine.hash("w1")))
    #expect(try Store.verify(mine.folder, .locus).isEmpty)
  }

  @Test("runs without an end stay where they are")
  func unfinished() throws {
    let (mine, other) = (try machine("avx2", "w1"), try machine("avx512", "w2"))
    let running = try other.begin()
    try other.stage(running, "late", "generate", files: [("pixels", "late")])
    let done = try merge(other, into: mine)
    #expect(done.unfinished == [running] && done.runs.count == 1 && done.executions.count == 4)
    #expect(try Store.verify(mine.folder, .locus).isEmpty)
  }

  @Test("one that is cut off anywhere leaves a whole store, and can be done again")
  func cutOff() throws {
    func merge(_ other: URL, into mine: URL) throws {
      var merge = try Store.merge(of: other, into: mine, .locus)
      try Store.carryOut(&merge, from: other, into: mine, .locus) { _, _ in }
    }
    let (mine, other) = (try machine("avx2", "w1"), try machine("avx512", "w2"))
    let whole = mine.folder.appendingPathExtension("whole")
    try FileManager.default.copyItem(at: mine.folder, to: whole)
    defer { try? FileManager.default.removeItem(at: whole) }
    try merge(other.folder, into: whole)
    let expected = try files(in: whole).count
    var step = 0
    while true {
      step += 1
      let copy = mine.folder.appendingPathExtension("\(step)")
      try FileManager.default.copyItem(at: mine.folder, to: copy)
      defer { try? FileManager.default.removeItem(at: copy) }
      let count = Mutex(0)
      let hasFailed = Mutex(false)
      try? AtomicFile.$injection.withValue(
        { [step] _, url in
          guard url.path.hasPrefix(copy.path) else { return 0 }
          let number = count.withLock { count in
            count += 1
            return count
          }
          if number < step { return 0 }
          hasFailed.withLock { $0 = true }
          return ENOSPC
        }, operation: { try merge(other.folder, into: copy) })
      if !hasFailed.withLock({ $0 }) { break }
      // The next session puts it in order.
      _ = try Store.heal(copy, .locus)
      let faults = try Store.verify(copy, .locus)
      #expect(faults.isEmpty, "step \(step): \(faults)")
      try merge(other.folder, into: copy)
      #expect(try Store.verify(copy, .locus).isEmpty, "step \(step)")
      #expect(try files(in: copy).count == expected, "step \(step)")
    }
    #expect(step > 10)
  }

  private func files(_ fixture: StoreFixture) throws -> Set<String> {
    try files(in: fixture.folder)
  }

  private func files(in folder: URL) throws -> Set<String> {
    let found = FileManager.default.enumerator(atPath: folder.path)
    return Set((found?.allObjects ?? []).compactMap { $0 as? String }).filter {
      $0.hasPrefix("objects/") && $0.split(separator: "/").count == 3 || $0.hasSuffix(".json")
    }
  }
}
