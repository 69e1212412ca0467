// Proves that checkpoints are whole or not there, go when they are used up, and never pass from one
// version to another.
import Foundation
import Lineage
import Measures
import Synchronization
import Testing

@testable import Workflow

/// A kind that counts to ten, a unit at a time, and keeps its count.
private func counting(version: Int = 1, units: Units) -> StageKind {
  StageKind(
    name: "count", version: version, summary: "Counts.", parameters: [], inputs: [],
    produces: .values,
    run: { context in
      var done = try context.checkpoint.restore()["done"].map(Array.init) ?? []
      do {
        while done.count < 10 {
          try context.checkCancellation()
          usleep(2000)
          done.append(UInt8(done.count))
          units.add(done.count)
          context.progress(StageProgress(done: done.count, total: 10, unit: "units"))
          if context.checkpoint.isDue { try context.checkpoint.save(["done": Data(done)]) }
        }
      } catch let error as CancellationError {
        try context.checkpoint.save(["done": Data(done)])
        throw error
      }
      let url = context.scratch.appending(path: "numbers")
      try Data(done).write(to: url)
      return StageOutput(files: [
        .init(role: "numbers", url: url, kind: "numbers", mediaType: "text/plain")
      ])
    })
}

/// The units that were done, in order.
private final class Units: Sendable {
  private let values = Mutex<[Int]>([])
  func add(_ value: Int) { values.withLock { $0.append(value) } }
  var all: [Int] { values.withLock { $0 } }
}

@Suite("checkpoints")
struct CheckpointTests {
  private static let text = pipeline("c: { kind: 'count' }")

  /// Runs the counting pipeline; `stopAfter`: the unit at which the run is asked to end.
  private func run(
    _ folder: URL, version: Int = 1, interval: Double = 3600, stopAfter: Int? = nil,
    _ units: Units = .init()
  ) throws -> (RunSummary, notes: [String]) {
    let store = try Store.open(folder, .readWrite, .locus)
    let read = try parse(Self.text, kinds: [counting(version: version, units: units)])
    let lock = try RunLock.acquire(folder.appending(path: "lock"), as: .current(pipeline: "p"))
    let cancellation = Cancellation()
    let notes = Mutex<[String]>([])
    let summary = try Runner.run(
      try Plan(read, store: store), store: store, lock: lock,
      settings: RunSettings(threads: 1, locusVersion: "test", checkpointInterval: interval),
      cancellation: cancellation
    ) { event in
      if case .progressed(_, let progress) = event, progress.done == stopAfter {
        cancellation.request(signal: SIGTERM)
      }
      if case .noted(_, let note) = event { notes.withLock { $0.append(note) } }
    }
    return (summary, notes.withLock { $0 })
  }

  private func checkpoints(_ folder: URL) throws -> [String] {
    try CheckpointFolder.keys(in: try Store.open(folder, .readOnly, .locus))
  }

  private func numbers(_ folder: URL) throws -> Data {
    let store = try Store.open(folder, .readOnly, .locus)
    let execution = try store.latestExecution(pipeline: "p", stage: "c")
    return try Data(contentsOf: store.objectURL(execution?.outputs.first?.sha256 ?? ""))
  }

  @Test("a stopped stage goes on where it stopped, to the same bytes, and its checkpoint goes")
  func resumed() throws {
    try withTemporaryFolder { folder in
      let units = Units()
      let (stopped, _) = try run(folder, stopAfter: 4, units)
      #expect(stopped.exitCode == 143)
      #expect(try checkpoints(folder).count == 1)
      let (again, _) = try run(folder, stopAfter: 7, units)
      #expect(again.exitCode == 143)
      let (done, notes) = try run(folder, units)
      #expect(done.status == .succeeded)
      #expect(notes.first?.hasPrefix("goes on from its checkpoint of 20") == true)
      #expect(units.all == Array(1...10))
      #expect(try numbers(folder) == Data(0..<10))
      #expect(try checkpoints(folder).isEmpty)
      let store = try Store.open(folder, .readOnly, .locus)
      let told = try store.query("SELECT message FROM event WHERE level = 'info'")
      #expect(told.rows.count == 2)
      // The cost counts what the earlier processes did.
      let cost = try store.query(
        "SELECT wall_seconds >= 0.02 FROM execution WHERE status = 'succeeded'")
      #expect(cost.rows == [[.integer(1)]])
    }
  }

  @Test("a checkpoint with one changed byte is ignored, deleted and told of")
  func corrupt() throws {
    for file in ["manifest.json", "blob"] {
      try withTemporaryFolder { folder in
        _ = try run(folder, stopAfter: 4)
        let key = try #require(try checkpoints(folder).first)
        let place = folder.appending(path: "checkpoints/\(key)")
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
        let name = file == "blob" ? names.first { $0 != "manifest.json" } : file
        let url = place.appending(path: try #require(name))
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
        let units = Units()
        let (done, notes) = try run(folder, units)
        #expect(done.status == .succeeded)
        #expect(notes.first?.hasPrefix("ignored and deleted its checkpoint: ") == true)
        #expect(units.all == Array(1...10))
        #expect(try numbers(folder) == Data(0..<10))
        #expect(try checkpoints(folder).isEmpty)
      }
    }
  }

  @Test("a checkpoint of another version of the kind is deleted with a message")
  func version() throws {
    try withTemporaryFolder { folder in
      _ = try run(folder, stopAfter: 4)
      let units = Units()
      #expect(try run(folder, version: 2, units).0.status == .succeeded)
      #expect(units.all == Array(1...10))
      #expect(try checkpoints(folder).isEmpty)
      let told = try Store.open(folder, .readOnly, .locus).query(
        "SELECT message FROM event WHERE level = 'warning'")
      #expect(
        told.rows == [
          [.text("deleted a checkpoint of kind `count` version 1; the version is now 2")]
        ])
    }
  }

  @Test("what a crash leaves beside a manifest is no checkpoint: blobs without one are removed")
  func unfinished() throws {
    try withTemporaryFolder { folder in
      _ = try run(folder, stopAfter: 4)
      let key = try #require(try checkpoints(folder).first)
      let place = folder.appending(path: "checkpoints/\(key)")
      try FileManager.default.removeItem(at: place.appending(path: "manifest.json"))
      let units = Units()
      #expect(try run(folder, units).0.status == .succeeded)
      #expect(units.all == Array(1...10))
      #expect(!FileManager.default.fileExists(atPath: place.path))
    }
  }

  @Test("blobs of other names are kept beside a new one, all by one manifest")
  func names() throws {
    try withTemporaryFolder { folder in
      let store = try Store.open(folder, .readWrite, .locus)
      let key = String(repeating: "a", count: 64)
      let place = CheckpointFolder(store: store, key: key)
      func save(_ blobs: [String: Data], _ before: CheckpointFolder.Manifest?) throws
        -> CheckpointFolder.Manifest
      {
        try place.save(
          blobs, kind: "k", version: 1, wallSeconds: 0, cpuSeconds: 0, after: before)
      }
      let first = try save(["a": Data([1]), "b": Data([2])], nil)
      let second = try save(["b": Data([3]), "c": Data([1])], first)
      let found = try #require(try place.manifest())
      #expect(found == second)
      #expect(
        try place.blobs(of: found) == ["a": Data([1]), "b": Data([3]), "c": Data([1])])
      // Two contents and the manifest; what nobody names has gone.
      let files = try FileManager.default.contentsOfDirectory(
        atPath: folder.appending(path: "checkpoints/\(key)").path)
      #expect(files.count == 3)
      try place.remove()
      #expect(try place.manifest() == nil)
    }
  }
}
