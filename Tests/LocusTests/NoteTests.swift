// Proves that what a person says of a run stays with it, wherever it goes.
import Formats
import Foundation
import Measures
import Synchronization
import Testing

@testable import Lineage
@testable import locus

@Suite("locus note")
struct NoteTests {
  private func notes(_ bench: Bench, _ words: String...) throws -> [String?] {
    let found = bench.locus(words: ["runs", "--json"] + words)
    return try JSONValue.parse(Data(found.output.utf8)).array?.map { $0["notes"]?.string } ?? []
  }

  @Test("notes stand with their run, are found again, and are in its receipt")
  func kept() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    #expect(bench.locus("run", path).code == 0)
    #expect(bench.locus("note", "latest", "#paper figure 2").code == 0)
    #expect(bench.locus("note", "latest", "second thoughts").code == 0)
    #expect(try notes(bench) == ["#paper figure 2 · second thoughts", nil])
    #expect(try notes(bench, "--note", "#paper") == ["#paper figure 2 · second thoughts"])
    #expect(try notes(bench, "--note", "nothing").isEmpty)
    #expect(bench.locus("show", "latest").output.contains("second thoughts"))
    #expect(bench.locus("verify").code == 0)
    #expect(bench.locus("rebuild").code == 0)
    #expect(try notes(bench) == ["#paper figure 2 · second thoughts", nil])
    for bad in ["", "  \n", String(repeating: "x", count: 4097)] {
      #expect(bench.locus("note", "latest", bad).code == 64)
    }
    #expect(bench.locus("note", "nobody", "x").code == 64)
    #expect(try notes(bench).first == "#paper figure 2 · second thoughts")
  }

  @Test("a store that is merged brings its notes, and no run twice")
  func merged() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    let (mine, theirs) = (bench.path("mine"), bench.path("theirs"))
    #expect(bench.locus("run", path, "--store", mine).code == 0)
    try FileManager.default.copyItem(atPath: mine, toPath: theirs)
    #expect(bench.locus("note", "latest", "here", "--store", mine).code == 0)
    #expect(bench.locus("note", "latest", "there", "--store", theirs).code == 0)
    let done = bench.locus("merge", theirs, "--store", mine)
    #expect(done.code == 0 && done.output.contains("has more notes there"), "\(done)")
    #expect(bench.locus("merge", mine, "--store", theirs).code == 0)
    for store in [mine, theirs] {
      #expect(try notes(bench, "--store", store) == ["here · there"])
      #expect(bench.locus("verify", "--store", store).code == 0)
    }
    let again = bench.locus("merge", theirs, "--store", mine)
    #expect(again.output.hasPrefix("brought in 0 executions, 0 runs and 0 objects"))
    #expect(!again.output.contains("notes"))
  }

  @Test("nothing is noted while another program holds the database")
  func busy() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let store = try Store.open(bench.folder.appending(path: "data"), .readWrite, .locus)
    let run = try #require(store.texts("SELECT id FROM run").first)
    let other = try Connection(store.databaseURL.path, flags: 2)
    try other.execute("BEGIN IMMEDIATE")
    store.database.wait(0.1)
    #expect(throws: StoreError.self) { try store.note(runID: run, "x") }
    try other.execute("ROLLBACK")
    #expect(try Store.verify(store.folder, .locus).isEmpty)
    #expect(try notes(bench) == [nil])
  }

  private func store(_ bench: Bench) throws -> Store {
    try Store.open(bench.folder.appending(path: "data"), .readWrite, .locus)
  }

  @Test("a note is added to the receipt, whatever the database has lost")
  func receipt() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    #expect(bench.locus("note", "latest", "first").code == 0)
    do {
      let store = try store(bench)
      try store.database.execute("DELETE FROM event WHERE level = 'note'")
      try store.database.execute("UPDATE stage SET reason = 'changed', execution_id = NULL")
    }
    #expect(bench.locus("note", "latest", "second").code == 0)
    #expect(bench.locus("rebuild").code == 0)
    #expect(try notes(bench) == ["first · second"])
    #expect(!bench.locus("show", "latest").output.contains("changed"))
    #expect(bench.locus("verify").code == 0)
  }

  @Test("one that was cut off after the receipt is put right by the next session")
  func cutOff() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    let store = try store(bench)
    let run = try #require(store.texts("SELECT id FROM run").first)
    // The receipt's folder fails to reach the disk: the receipt is there, the transaction is not.
    let count = Mutex(0)
    let error = #expect(throws: StoreError.self) {
      try AtomicFile.$injection.withValue(
        { step, url in
          guard step == .synchronize, url.lastPathComponent.hasPrefix(run) else { return 0 }
          return count.withLock { count in
            count += 1
            return count == 2 ? EIO : 0
          }
        }, operation: { try store.note(runID: run, "kept") })
    }
    #expect(error?.exitCode == 74)
    #expect(try notes(bench) == [nil])
    let next = bench.locus("run", path)
    #expect(next.code == 0 && next.error.contains("made the database anew"), "\(next.error)")
    #expect(try notes(bench) == [nil, "kept"])
    #expect(bench.locus("verify").code == 0)
  }

  @Test("a run that was killed in the middle of a line is ended first, and keeps its note")
  func killed() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    let store = try store(bench)
    let run = try store.beginRun(
      pipeline: "study", path: path, source: "{}", trigger: "test", seed: 1, host: "h",
      locusVersion: "0", gitCommit: nil)
    for message in ["whole", "torn"] {
      try store.recordEvent(runID: run, executionID: nil, level: "info", message: message)
    }
    let journal = Journal.url(run, in: store.folder)
    let lines = try Data(contentsOf: journal)
    try lines.dropLast(20).write(to: journal)
    // What is added after a torn line is read.
    try store.recordEvent(runID: run, executionID: nil, level: "info", message: "after")
    let record = try Receipt.read(RunRecord.self, from: RunRecord.receiptURL(run, in: store.folder))
    let read = try Journal.completed(record, in: store.folder)
    #expect(read.events.map(\.message) == ["whole", "after"])
    try (try Data(contentsOf: journal)).dropLast(20).write(to: journal)
    #expect(bench.locus("note", run, "kept").code == 0)
    #expect(bench.locus("run", path).code == 0)
    #expect(try notes(bench, "--note", "kept") == ["kept"])
    #expect(bench.locus("verify").code == 0)
  }

  @Test("a receipt that is damaged, or of a newer version, is not written over")
  func receipts() throws {
    for (old, new) in [("\"study\"", "\"studx\""), ("{\"format\":3,", "{\"format\":99,")] {
      let bench = try Bench()
      #expect(bench.locus("run", try bench.pipeline()).code == 0)
      let store = try store(bench)
      let run = try #require(store.texts("SELECT id FROM run").first)
      let url = RunRecord.receiptURL(run, in: store.folder)
      let text = try String(contentsOf: url, encoding: .utf8).replacing(old, with: new)
      try Data(text.utf8).write(to: url)
      let found = bench.locus("note", run, "x")
      #expect(found.code == 65, "\(found)")
      #expect(try String(contentsOf: url, encoding: .utf8) == text)
    }
  }
}
