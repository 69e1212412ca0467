// Proves that hashes are remembered only while nothing about a file has changed.
import Foundation
import Measures
import Testing

@testable import Lineage

/// A store with one object, and a clock that can run ahead.
private struct Memory {
  let folder: URL
  let store: Store
  let content = Data("as it was made".utf8)
  var hash: String { SHA256.hash(content) }
  var object: URL { store.objectURL(hash) }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "locus-memory-\(UUID())")
    store = try Store.open(folder, .readWrite, .locus)
    try FileManager.default.createDirectory(
      at: object.deletingLastPathComponent(), withIntermediateDirectories: true)
    try content.write(to: object)
  }

  /// As if the objects had been written long ago.
  func later() -> HashMemory { HashMemory(store, now: { Date(timeIntervalSinceNow: 60) }) }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}

@Suite("Remembered hashes")
struct HashMemoryTests {
  @Test(
    "a time of modification that no clock shows changes nothing but the stamp",
    arguments: [-11_676_096_000, 10_413_792_000, Int.max, Int.min])
  func farTimes(_ seconds: Int) throws {
    let memory = try Memory()
    defer { memory.remove() }
    var times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
    // Where a file system has no such time, it takes its nearest.
    try #require(utimensat(AT_FDCWD, memory.object.path, &times, 0) == 0)
    let first = memory.later()
    #expect(try first.isIntact(memory.hash))
    first.save()
    #expect(try memory.later().isIntact(memory.hash))
    #expect(try Store.verify(memory.folder, .locus).map(\.problem) == ["belongs to no execution"])
  }

  @Test("an object that was read is known by its stamp, also to the next run")
  func known() throws {
    let memory = try Memory()
    defer { memory.remove() }
    let first = memory.later()
    #expect(try !first.isKnown(memory.hash))
    #expect(try first.isIntact(memory.hash))
    #expect(try first.isKnown(memory.hash))
    first.save()
    #expect(try HashMemory(memory.store).isKnown(memory.hash))
  }

  @Test(
    "a changed object is found though its size and its time of modification are the old ones",
    arguments: ["written over", "replaced"])
  func changed(_ way: String) throws {
    let memory = try Memory()
    defer { memory.remove() }
    let first = memory.later()
    #expect(try first.isIntact(memory.hash))
    first.save()
    let path = memory.object.path
    let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
    let other = Data("as it was faked".utf8.prefix(memory.content.count))
    if way == "replaced" {
      try other.write(to: memory.object, options: .atomic)
    } else {
      let file = try FileHandle(forWritingTo: memory.object)
      try file.write(contentsOf: other)
      try file.close()
    }
    try FileManager.default.setAttributes([.modificationDate: date as Any], ofItemAtPath: path)
    let second = HashMemory(memory.store)
    #expect(try !second.isKnown(memory.hash))
    #expect(try !second.isIntact(memory.hash))
  }

  @Test("a file that is younger than a clock's tick is read again: it may change without a trace")
  func racy() throws {
    let memory = try Memory()
    defer { memory.remove() }
    let now = HashMemory(memory.store)
    #expect(try now.isIntact(memory.hash))
    #expect(try !now.isKnown(memory.hash))
    now.save()
    #expect(try !HashMemory(memory.store).isKnown(memory.hash))
  }

  @Test("what is missing, a folder or a link in its place is not intact")
  func missing() throws {
    let memory = try Memory()
    defer { memory.remove() }
    let manager = FileManager.default
    let aside = memory.folder.appending(path: "aside")
    try manager.moveItem(at: memory.object, to: aside)
    #expect(try !memory.later().isIntact(memory.hash))
    try manager.createSymbolicLink(at: memory.object, withDestinationURL: aside)
    #expect(try !memory.later().isIntact(memory.hash))
    try manager.removeItem(at: memory.object)
    try manager.createDirectory(at: memory.object, withIntermediateDirectories: true)
    #expect(try !memory.later().isIntact(memory.hash))
    #expect(try !memory.later().isIntact("../../etc/passwd"))
    #expect(try !memory.later().isKnown("../../etc/passwd"))
  }

  @Test(
    "a memory that cannot be read is forgotten", arguments: ["", "locus", "\u{0}", "x 1 2 3 4 5"])
  func garbage(_ text: String) throws {
    let memory = try Memory()
    defer { memory.remove() }
    let first = memory.later()
    #expect(try first.isIntact(memory.hash))
    first.save()
    let url = memory.folder.appending(path: "stamps")
    #expect(FileManager.default.fileExists(atPath: url.path))
    try Data(text.utf8).write(to: url)
    #expect(try !HashMemory(memory.store).isKnown(memory.hash))
  }

  @Test("reading a large object can be stopped")
  func stopped() throws {
    let memory = try Memory()
    defer { memory.remove() }
    #expect(throws: CancellationError.self) {
      try memory.later().isIntact(memory.hash) { throw CancellationError() }
    }
  }
}
