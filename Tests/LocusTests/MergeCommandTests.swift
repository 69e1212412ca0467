// Proves that two stores become one from the command line, and that a run then needs nothing anew.
import Formats
import Foundation
import Measures
import Testing

@testable import Lineage
@testable import locus

@Suite("locus merge")
struct MergeCommandTests {
  @Test("what another store has comes in, is used by the next run, and is told")
  func merge() throws {
    let bench = try Bench()
    let (own, theirs) = (bench.path("mine"), bench.path("theirs"))
    let mine = try bench.pipeline(#"scenes: { kind: "generate", count: 3 },"#)
    #expect(bench.locus("run", mine, "--store", own).code == 0)
    let whole = try bench.pipeline()
    #expect(bench.locus("run", whole, "--store", theirs).code == 0)

    let dry = bench.locus("merge", theirs, "--store", own, "--dry-run")
    #expect(dry.code == 0, "\(dry.error)")
    #expect(dry.output.hasPrefix("would bring in 3 executions, 1 runs and 2 objects: 0.0 MB; 0 "))
    let done = bench.locus("merge", theirs, "--store", own)
    #expect(done.code == 0, "\(done.error)")
    #expect(done.output.hasPrefix("brought in 3 executions, 1 runs and 2 objects"))
    let run = bench.locus("run", whole, "--store", own)
    #expect(run.code == 0 && run.error.contains("3 reused"), "\(run.error)")
    #expect(bench.locus("verify", "--store", own).code == 0)

    let again = bench.locus("merge", theirs, "--store", own, "--json")
    let told = try JSONValue.parse(Data(again.output.utf8))
    #expect(told["executions"] == .array([]) && told["known"] == .integer(4), "\(again.output)")
    #expect(told["differences"] == .array([]) && told["merged"] == .bool(true))
  }

  @Test("other bytes of one key are listed, and two runs that used them differ")
  func differences() throws {
    let bench = try Bench()
    let pipeline = try bench.pipeline(#"scenes: { kind: "generate", count: 3 },"#)
    let (mine, theirs) = (bench.path("mine"), bench.path("theirs"))
    for store in [mine, theirs] {
      #expect(bench.locus("run", pipeline, "--store", store).code == 0)
    }
    // As another machine would have made it.
    let store = try Store.open(URL(filePath: theirs), .readWrite, .locus)
    let url = ExecutionRecord.receiptURL(
      try #require(store.texts("SELECT id FROM execution").first), in: store.folder)
    var record = try Receipt.read(ExecutionRecord.self, from: url)
    let content = Data("other".utf8)
    let hash = SHA256.hash(content)
    let object = store.objectURL(hash)
    try FileManager.default.createDirectory(
      at: object.deletingLastPathComponent(), withIntermediateDirectories: true)
    try content.write(to: object)
    record.instructions = "avx512"
    record.outputs[0].sha256 = hash
    record.artifacts[0].sha256 = hash
    record.artifacts[0].bytes = content.count
    try Receipt.data(record, path: "").write(to: url)
    let done = bench.locus("merge", theirs, "--store", mine)
    #expect(done.code == 0 && done.output.contains("unknown here, avx512 there"), "\(done)")
    let runs = try JSONValue.parse(
      Data(bench.locus("runs", "--json", "--store", mine).output.utf8)
    ).array?.compactMap { $0["run"]?.string }
    let ids = try #require(runs)
    #expect(ids.count == 2)
    let different = bench.locus("diff", ids[1], ids[0], "--store", mine).output
    #expect(different.contains("results of one key"), "\(different)")
    #expect(different.contains("avx512 \(hash.prefix(12))"), "\(different)")
  }

  @Test("what is no other store is refused by name")
  func refused() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    for (other, code, said) in [
      ("data", 65, "is the store itself"), ("nowhere", 66, "there is no store here"),
      ("data/objects", 66, "there is no store here"),
    ] {
      let found = bench.locus("merge", bench.path(other))
      #expect(found.code == Int32(code) && found.error.contains(said), "\(found)")
    }
    // Nothing to merge into.
    #expect(bench.locus("merge", bench.path("data"), "--store", bench.path("none")).code == 66)
    #expect(!FileManager.default.fileExists(atPath: bench.path("none")))
  }
}

extension Bench {
  func path(_ name: String) -> String { folder.appending(path: name).path }
}
