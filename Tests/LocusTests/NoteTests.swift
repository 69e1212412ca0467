// Proves that what a person says of a run stays with it, wherever it goes.
import Formats
import Foundation
import Measures
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
}
