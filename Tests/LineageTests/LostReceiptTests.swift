// Proves that a receipt which is missing, waits or cannot be read never counts as nothing to keep.
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("Receipts that are missing, wait or cannot be read")
struct LostReceiptTests {
  private func finished() throws -> (fixture: StoreFixture, executions: [ExecutionRecord]) {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let executions = try fixture.study(run)
    try fixture.store.finishRun(run, status: "succeeded")
    return (fixture, executions)
  }

  private func files(_ fixture: StoreFixture) throws -> Set<String> {
    Set(try FileManager.default.subpathsOfDirectory(atPath: fixture.folder.path)).filter {
      !$0.hasPrefix("locus.sqlite-") && !$0.hasPrefix("tmp")
    }
  }

  @Test("without them nothing is rebuilt and nothing collected, and it is said what to restore")
  func all() throws {
    let (fixture, executions) = try finished()
    let one = "\(Receipt.executions)/\(executions[1].id).json"
    for place in ["receipts", Receipt.runs, one] {
      let url = fixture.folder.appending(path: place)
      let away = fixture.folder.appending(path: "away")
      try FileManager.default.moveItem(at: url, to: away)
      let (rows, before) = (try StoreFixture.rows(fixture.store.database), try files(fixture))
      for rules in [[], [Keep.last(1)]] {
        let error = #expect(throws: StoreError.self) { try fixture.removal(keeping: rules) }
        #expect(error?.exitCode == 65)
        #expect(error?.description.contains("Restore from a backup") == true)
      }
      let error = #expect(throws: StoreError.self) { try Store.rebuild(fixture.folder, .locus) }
      #expect(error?.exitCode == 65)
      #expect(error?.description.contains(place == one ? one : "`receipts/") == true)
      #expect(try StoreFixture.rows(fixture.store.database) == rows)
      #expect(try files(fixture) == before)
      try FileManager.default.moveItem(at: away, to: url)
    }
    #expect(try fixture.removal(keeping: []).isEmpty)
  }

  @Test("healing writes all of them again from the database, equal in every row")
  func restored() throws {
    let (fixture, _) = try finished()
    let other = try fixture.begin("other")
    try fixture.stage(
      other, "scenes", "generate", files: [("pixels", "p2")],
      manifests: [("manifest", "{\"type\":\"picture-set\"}")])
    try fixture.stage(other, "scenes", "generate", files: [("pixels", "p3")])
    try fixture.store.finishRun(other, status: "succeeded")
    let before = try StoreFixture.rows(fixture.store.database)
    try FileManager.default.removeItem(at: fixture.folder.appending(path: "receipts"))
    #expect(try !Store.verify(fixture.folder, .locus).isEmpty)
    let done = try Store.heal(fixture.folder, .locus)
    #expect(done.count { $0.contains("again from the database") } == 11, "\(done)")
    let store = try Store.open(fixture.folder, .readWrite, .locus)
    #expect(try StoreFixture.rows(store.database) == before)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(
      try StoreFixture.rows(Store.open(fixture.folder, .readWrite, .locus).database) == before)
  }

  @Test("objects of executions that wait for a lost input are no strays: one receipt, one stage")
  func waiting() throws {
    let (fixture, executions) = try finished()
    // The database is gone too, so that nothing else knows of the scenes.
    try FileManager.default.removeItem(at: fixture.store.receiptURL(execution: executions[0].id))
    for suffix in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(
        at: fixture.folder.appending(path: "locus.sqlite" + suffix))
    }
    let objects = try Store.strayObjects(in: fixture.folder, known: [])
    let faults = try Store.verify(fixture.folder, .locus)
    #expect(!faults.contains { $0.place == .object }, "\(faults)")
    // As an earlier version would have left them.
    Doubts.leave(
      objects.map {
        Fault(place: .object, subject: $0, problem: "belongs to no execution", damages: [])
      }, in: fixture.folder)
    _ = try Store.heal(fixture.folder, .locus)
    #expect(try fixture.removal(keeping: []).objects.isEmpty)
    #expect(try Store.strayObjects(in: fixture.folder, known: []) == objects)
    let store = try Store.open(fixture.folder, .readWrite, .locus)
    let again = StoreFixture(store)
    let run = try again.begin()
    var executed = 0
    try again.study(run) { key in
      let found = try store.succeededExecution(key: key)
      executed += found == nil ? 1 : 0
      return found
    }
    #expect(executed == 1)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
  }

  /// Where something is that a command reads, and what reads it.
  private static let places = [
    "receipts/executions", "receipts/runs", "receipts/executions/", "receipts/runs/", "objects/",
    "faults.json",
  ]

  @Test(
    "what cannot be read is not damaged: everything stops with 74, and nothing is set aside",
    arguments: places, [EIO, EMFILE, EACCES])
  func unreadable(_ place: String, _ code: Int32) throws {
    let (fixture, executions) = try finished()
    let folder = fixture.folder
    // Something that a healing has to do.
    try Data("v".utf8).write(to: fixture.store.receiptURL(execution: executions[6].id))
    let object = fixture.store.objectURL(fixture.hash("c"))
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: object.path)
    try Data("v".utf8).write(to: object)
    #expect(try !Store.verify(folder, .locus).isEmpty)
    let before = try files(fixture)
    func fails(_ what: String, _ body: () throws -> Void) throws {
      let error = #expect(throws: StoreError.self, "\(what)") {
        try StoreFile.$injection.withValue(
          { path in
            let rest = path.dropFirst(folder.path.count + 1)
            let isMeant = place.hasSuffix("/") ? rest.hasPrefix(place) : rest == place[...]
            return path.hasPrefix(folder.path) && isMeant ? code : 0
          }, operation: body)
      }
      #expect(error?.exitCode == 74, "\(what): \(String(describing: error))")
      #expect(error?.description.contains(folder.path + "/" + place) == true)
      #expect(try files(fixture) == before, "\(what)")
    }
    try fails("heal") { _ = try Store.heal(folder, .locus) }
    if !place.hasSuffix("/") {
      try fails("open") { _ = try Store.open(folder, .readWrite, .locus) }
    }
    if place.hasPrefix("receipts") || place == "objects/" {
      try fails("verify") { _ = try Store.verify(folder, .locus) }
    }
    if place.hasPrefix("receipts") {
      try fails("rebuild") { _ = try Store.rebuild(folder, .locus) }
      try fails("gc") { _ = try fixture.removal(keeping: []) }
    }
    if place == "objects/" {
      let memory = HashMemory(fixture.store, now: { Date(timeIntervalSinceNow: 60) })
      #expect(try memory.isIntact(fixture.hash("p")))
      try fails("stamp") { _ = try memory.isKnown(fixture.hash("p")) }
      try fails("hash") { _ = try memory.isIntact(fixture.hash("p")) }
    }
  }

  @Test("a checkpoint that cannot be read is kept")
  func checkpoint() throws {
    let fixture = try StoreFixture()
    let place = CheckpointFolder(store: fixture.store, key: fixture.hash("k"))
    let saved = try place.save(
      ["a": Data([1])], kind: "k", version: 1, wallSeconds: 0, cpuSeconds: 0, after: nil)
    for name in ["manifest.json", SHA256.hash(Data([1]))] {
      let error = #expect(throws: StoreError.self) {
        try StoreFile.$injection.withValue(
          { $0.hasSuffix(name) ? EIO : 0 },
          operation: { _ = try place.blobs(of: try #require(try place.manifest())) })
      }
      #expect(error?.exitCode == 74)
    }
    #expect(try place.blobs(of: saved) == ["a": Data([1])])
  }

  @Test("what is damaged takes the next free name where something lies already")
  func aside() throws {
    let (fixture, _) = try finished()
    let object = fixture.store.objectURL(fixture.hash("w"))
    let target = Aside.url(object, in: fixture.folder)
    let occupied = [
      target, target.deletingLastPathComponent(), fixture.folder.appending(path: "damaged/objects"),
    ]
    for (number, url) in occupied.enumerated() {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      // A folder that is not empty takes no file's place, a file no folder's.
      if number == 0 {
        try FileManager.default.createDirectory(
          at: url.appending(path: "full"), withIntermediateDirectories: true)
      } else {
        try FileManager.default.removeItem(at: url)
        try Data("mine".utf8).write(to: url)
      }
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: object.path)
      try Data("v\(number)".utf8).write(to: object)
      #expect(try Store.verify(fixture.folder, .locus).count == 1)
      let done = try Store.heal(fixture.folder, .locus)
      let place = try #require(done.first?.split(separator: " ").first { $0.hasPrefix("damaged/") })
      let moved = fixture.folder.appending(path: String(place.dropLast()))
      #expect(try String(contentsOf: moved, encoding: .utf8) == "v\(number)", "\(done)")
      #expect(Places.isSetAside(String(place.dropLast())))
      try Data("w".utf8).write(to: object)
      #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    }
  }
}
