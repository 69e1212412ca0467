// Proves that orders and what came of them are believed only whole, are taken in once, and go with `gc`.
import Formats
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("orders")
struct OrderFolderTests {
  private static func order(_ key: String, in store: URL) -> WorkOrder {
    WorkOrder(
      stage: "s", key: key, attempt: 1, kind: "k", kindVersion: 1, parameters: .object([:]),
      seed: 1,
      inputs: [:], outside: [:], folder: store.path, threads: 1, numerics: nil,
      checkpointInterval: 30)
  }

  private static func deliver(_ orders: OrderFolder, _ text: String) throws -> Delivery {
    let scratch = try orders.makeScratch()
    let file = scratch.appending(path: "out")
    try Data(text.utf8).write(to: file)
    var record = ExecutionRecord(
      key: orders.key, kind: "k", parameters: .object([:]), seed: 1, inputs: [])
    record.kindVersion = 1
    record.status = "succeeded"
    record.setTimes()
    return try orders.deliver(
      Delivery(record: record, job: "17_3", host: "n1", notes: [], exitCode: 0),
      files: [StageFileToPublish(role: "out", url: file, kind: "t", mediaType: "text/plain")])
  }

  @Test("what an attempt delivered is taken in once, also when it was cut off, and verifies")
  func taken() throws {
    let fixture = try StoreFixture()
    let orders = OrderFolder(store: fixture.folder, key: SHA256.hash(Data("a".utf8)))
    let order = Self.order(orders.key, in: fixture.folder)
    try orders.place(order)
    _ = try Self.deliver(orders, "made")
    let delivery = try #require(try orders.delivery(1))
    #expect(delivery.misfit(order) == nil && delivery.job == "17_3")
    #expect(try !fixture.store.hasTaken(delivery))
    let record = try fixture.store.take(delivery, from: orders)
    #expect(try fixture.store.hasTaken(delivery))
    #expect(record.finishedAt == delivery.record.finishedAt && record.attempt == 1)
    #expect(try fixture.store.nextAttempt(orders.key) == 2)
    #expect(try fixture.store.hasObject(record.outputs[0].sha256))
    #expect(
      try Store.verify(fixture.folder, .locus, isRunning: { false }, progress: { _, _ in }) == [])
    try orders.remove()
    #expect(try OrderFolder.keys(in: fixture.folder).isEmpty)
  }

  @Test("an object that is not what the receipt says leaves the store as it was")
  func damaged() throws {
    let fixture = try StoreFixture()
    let orders = OrderFolder(store: fixture.folder, key: SHA256.hash(Data("a".utf8)))
    let delivery = try Self.deliver(orders, "made")
    let output = orders.outputURL(delivery.record.outputs[0].sha256)
    try FileManager.default.removeItem(at: output)
    try Data("maid".utf8).write(to: output)
    #expect(throws: StoreError.self) { try fixture.store.take(delivery, from: orders) }
    #expect(try fixture.store.query("SELECT 1 FROM execution").rows.isEmpty)
    #expect(try Store.strayObjects(in: fixture.folder, known: []) == [])
  }

  @Test("one process at a time works on an order")
  func locked() throws {
    let fixture = try StoreFixture()
    let orders = OrderFolder(store: fixture.folder, key: SHA256.hash(Data("a".utf8)))
    var lock = try orders.lock()
    #expect(lock != nil)
    #expect(try orders.lock() == nil)
    lock = nil
    #expect(try orders.lock() != nil)
  }

  @Test("orders that no kept run needs go with gc")
  func collected() throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    try fixture.stage(run, "s", "k", files: [("out", "x")])
    try fixture.store.finishRun(run, status: "succeeded")
    let orders = OrderFolder(store: fixture.folder, key: SHA256.hash(Data("other".utf8)))
    try orders.place(Self.order(orders.key, in: fixture.folder))
    _ = try Self.deliver(orders, "made")
    let removal = try fixture.removal(keeping: [.last(1)])
    #expect(removal.leftovers == ["orders/\(orders.key)"])
    #expect(removal.bytes > 4)
    try Store.remove(removal, from: fixture.folder, .locus)
    #expect(!FileManager.default.fileExists(atPath: orders.url.path))
  }
}
