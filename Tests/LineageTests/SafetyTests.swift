// Proves that no name in a receipt and no link in a store leads out of it.
import Foundation
import Measures
import Testing

@testable import Lineage

/// Proves that nothing which a store's files say or are makes Locus write outside of the store, or read
/// without end.
@Suite("A store keeps to its folder")
struct SafetyTests {
  private func seal(_ record: some Encodable, _ path: String, in folder: URL) throws {
    let url = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Receipt.data(record, path: url.path).write(to: url)
  }

  private func run(_ id: String, pipeline: String = "study") -> RunRecord {
    RunRecord(
      id: id, pipeline: pipeline, path: "p", source: "{}", startedAt: "2026", status: "running",
      trigger: "t", seed: 1, host: "h", locusVersion: "0")
  }

  @Test(
    "a receipt whose id or pipeline leads elsewhere is refused, by rebuild too",
    arguments: [
      ("../../evil", "study"), ("a/b", "study"), ("", "study"), ("r", "../up"), ("r", "a/b"),
      ("other", "study"),
    ])
  func names(_ id: String, _ pipeline: String) throws {
    let fixture = try StoreFixture()
    let place = "\(Receipt.runs)/r.json"
    try seal(run(id, pipeline: pipeline), place, in: fixture.folder)
    #expect(throws: StoreError.self) {
      try Receipt.read(RunRecord.self, from: fixture.folder.appending(path: place))
    }
    let error = #expect(throws: StoreError.self) { try Store.rebuild(fixture.folder, .locus) }
    #expect(error?.exitCode == 65)
    #expect(error?.description.contains("r.json") == true)
  }

  @Test(
    "names of stages in receipts and journals are those that pipeline files can make",
    arguments: [
      ("baseline", true), ("baseline[labelling=single,network.width=1e+05]", true),
      ("a\u{301}", false), ("<img>", false), ("a[b=\"\u{301}]", false), ("a[]", false),
      ("a[b=c", false),
      ("\u{1B}[2J", false), ("", false), ("../a", false), ("a b", false), ("a[b=|]", false),
    ])
  func stageNames(_ name: String, _ isAccepted: Bool) throws {
    let fixture = try StoreFixture()
    var record = run("r")
    record.stages = [
      StageRecord(
        runID: "r", name: name, kind: "k", key: nil, status: "skipped", reason: "", executionID: nil
      )
    ]
    let place = "\(Receipt.runs)/r.json"
    try seal(record, place, in: fixture.folder)
    let url = fixture.folder.appending(path: place)
    let read = try Receipt.readIfWhole(RunRecord.self, from: url)
    #expect((read != nil) == isAccepted)
    try Journal.append([.init(stage: record.stages[0])], to: "r", in: fixture.folder)
    let completed = try Journal.completed(run("r"), in: fixture.folder)
    #expect(completed.stages.isEmpty != isAccepted)
  }

  @Test("a run whose id leads elsewhere, in a database made by hand, is not written to a file")
  func database() throws {
    let fixture = try StoreFixture()
    try RunRow.insert(run("../../../evil"), into: fixture.store.database)
    let error = #expect(throws: StoreError.self) { try fixture.begin() }
    #expect(error?.exitCode == 65)
    #expect(
      !FileManager.default.fileExists(
        atPath: fixture.folder.appending(path: "\(Receipt.runs)/../../../evil.json").path))
  }

  @Test(
    "a link in the place of a part of the store is refused before anything is written through it",
    arguments: [
      "checkpoints", "objects", "receipts", "receipts/runs", "tmp", "locus.sqlite", "lock",
    ])
  func links(_ place: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-link-\(UUID().uuidString)")
    let outside = folder.appending(path: "outside")
    let store = folder.appending(path: "store")
    try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let link = store.appending(path: place)
    try FileManager.default.createDirectory(
      at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: outside)
    let error = #expect(throws: StoreError.self) { try Store.open(store, .readWrite, .locus) }
    #expect(error?.exitCode == 65)
    #expect(error?.description.contains(place) == true, "\(String(describing: error))")
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.path).isEmpty)
  }

  @Test("an object behind a link is not the store's, and no object is moved through one")
  func objects() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let object = fixture.store.objectURL(fixture.hash("content"))
    let outside = fixture.folder.appending(path: "elsewhere")
    try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
    let copy = outside.appending(path: "copy")
    try Data("content".utf8).write(to: copy)
    try FileManager.default.createDirectory(
      at: object.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(at: object, withDestinationURL: copy)
    try fixture.stage(run, "a", "generate", files: [("pixels", "content")])
    #expect(try Store.size(of: object) == 7)
    #expect(try Data(contentsOf: copy) == Data("content".utf8))

    let other = fixture.store.objectURL(fixture.hash("other"))
    try FileManager.default.createSymbolicLink(
      at: other.deletingLastPathComponent(), withDestinationURL: outside)
    #expect(throws: StoreError.self) {
      try fixture.stage(run, "b", "generate", files: [("pixels", "other")])
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.path) == ["copy"])
  }

  @Test(
    "a folder that becomes a link while the store is open is not written through",
    arguments: [Receipt.executions, Receipt.runs, "receipts", "tmp", "checkpoints", "damaged"])
  func swapped(_ place: String) throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let made = try fixture.stage(run, "a", "generate", files: [("pixels", "a")])
    let outside = FileManager.default.temporaryDirectory.appending(
      path: "locus-outside-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: outside) }
    for inner in ["", "executions", "runs", "objects"] {
      try FileManager.default.createDirectory(
        at: outside.appending(path: inner), withIntermediateDirectories: true)
    }
    let link = fixture.folder.appending(path: place)
    if FileManager.default.fileExists(atPath: link.path) {
      try FileManager.default.moveItem(
        at: link, to: fixture.folder.appending(path: "was"))
    }
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: outside)

    let key = String(repeating: "b", count: 64)
    let writes: [(String, () throws -> Void)] = [
      (
        Receipt.executions,
        {
          var failed = ExecutionRecord(
            key: key, kind: "k", parameters: .object([:]), seed: 1, inputs: [])
          failed.status = "failed"
          _ = try fixture.store.recordFailure(failed, runID: run)
        }
      ),
      (Receipt.runs, { try made.writeReceipt(in: fixture.folder) }),
      (
        Receipt.runs,
        {
          try fixture.store.recordEvent(
            runID: run, executionID: nil, level: "info", message: "m")
        }
      ),
      (
        "checkpoints",
        {
          _ = try CheckpointFolder(store: fixture.store, key: key).save(
            ["a": Data([1])], kind: "k", version: 1, wallSeconds: 1, cpuSeconds: 1, after: nil)
        }
      ),
      (
        "damaged",
        { try Aside.move(fixture.store.objectURL(made.outputs[0].sha256), in: fixture.folder) }
      ),
    ]
    var refused = 0
    for (written, write) in writes {
      do {
        try write()
      } catch let error as StoreError {
        refused += 1
        #expect(error.exitCode == 65, "\(written): \(error)")
        #expect(error.description.contains(place), "\(written): \(error)")
      }
    }
    #expect(refused > 0)
    let found = FileManager.default.enumerator(atPath: outside.path)?.allObjects as? [String]
    #expect(found?.sorted() == ["executions", "objects", "runs"])
  }

  @Test("a receipt that is a link to a device without end is refused")
  func endless() throws {
    let fixture = try StoreFixture()
    let url = fixture.folder.appending(path: "\(Receipt.executions)/x.json")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: url, withDestinationURL: URL(filePath: "/dev/zero"))
    #expect(throws: StoreError.self) { try Receipt.read(ExecutionRecord.self, from: url) }
    #expect(throws: StoreError.self) { try Store.rebuild(fixture.folder, .locus) }
  }
}
