import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The orders for one execution and what came of them: `orders/KEY` below the folder of objects.
///
/// An attempt has a number N and the files `order-N.json`, `order-N.txt` (what its process said) and
/// `receipt-N.json`. What it made lies in `outputs` until the store takes it in, so that nothing lies among the
/// objects that no receipt of the store tells of. The folder goes when the execution has succeeded.
package struct OrderFolder: Sendable {
  package let key: String
  private let store: URL
  private let path: String

  static let name = "orders"
  private static let progressName = "progress.json"
  private static let lockName = "lock"

  /// - Parameter store: where objects lie.
  package init(store: URL, key: String) {
    self.store = store
    self.key = key
    path = "\(Self.name)/" + (SHA256.isHash(key) ? key : "none")
  }

  /// The folder that an order lies in, which a command line names.
  package init(ofOrderAt url: URL, in store: URL) {
    self.init(store: store, key: url.deletingLastPathComponent().lastPathComponent)
  }

  /// Of the executions that have orders.
  package static func keys(in store: URL) throws(StoreError) -> [String] {
    try StoreFile.names(in: store.appending(path: name)).filter(SHA256.isHash)
  }

  package var url: URL { store.appending(path: path) }

  private func file(_ name: String) -> URL { url.appending(path: name) }

  package func orderURL(_ attempt: Int) -> URL { file("order-\(attempt).json") }
  package func logURL(_ attempt: Int) -> URL { file("order-\(attempt).txt") }
  private func receiptURL(_ attempt: Int) -> URL { file("receipt-\(attempt).json") }
  func outputURL(_ sha256: String) -> URL { file("outputs/\(sha256)") }

  // MARK: - Orders

  /// The numbers of the attempts that were ordered, in order.
  package func attempts() throws(StoreError) -> [Int] {
    try StoreFile.names(in: url).compactMap { name in
      name.hasPrefix("order-") && name.hasSuffix(".json")
        ? Int(name.dropFirst(6).dropLast(5)) : nil
    }.sorted()
  }

  /// One that a machine's failure takes is ordered again: nothing waits for the disk.
  package func place(_ order: WorkOrder) throws(StoreError) {
    try Places.check(url, is: .folder)
    let target = orderURL(order.attempt)
    try AtomicFile.write(
      try Receipt.data(order, path: target.path), to: target, in: store, isLasting: false)
  }

  package static func order(at url: URL) throws(StoreError) -> WorkOrder {
    let order = try Receipt.read(WorkOrder.self, from: url)
    guard order.format == WorkOrder.version else {
      throw .newerReceipt(path: url.path, format: order.format, known: WorkOrder.version)
    }
    return order
  }

  package func order(_ attempt: Int) throws(StoreError) -> WorkOrder {
    try Self.order(at: orderURL(attempt))
  }

  /// Says that nobody wants an attempt any more: whoever misses its job does not submit it again.
  package func cancel(_ attempt: Int) throws(StoreError) {
    try AtomicFile.write(Data(), to: file("cancelled-\(attempt)"), in: store)
  }

  package func isCancelled(_ attempt: Int) throws(StoreError) -> Bool {
    try StoreFile.kind(file("cancelled-\(attempt)")) != nil
  }

  // MARK: - What came of them

  package func hasDelivery(_ attempt: Int) throws(StoreError) -> Bool {
    try StoreFile.kind(receiptURL(attempt)) != nil
  }

  /// `nil` where there is none yet.
  ///
  /// - Throws: `StoreError.damaged` for one that cannot be believed.
  package func delivery(_ attempt: Int) throws(StoreError) -> Delivery? {
    guard try hasDelivery(attempt) else { return nil }
    return try Receipt.read(Delivery.self, from: receiptURL(attempt))
  }

  /// Puts a stage's files in their place and then writes the receipt that names them.
  package func deliver(_ delivery: Delivery, files: [StageFileToPublish]) throws(StoreError)
    -> Delivery
  {
    var delivery = delivery
    for file in files {
      let manifest = try file.manifest()
      let (sha256, bytes) = try file.content()
      let target = outputURL(sha256)
      try AtomicFile.move(file.url, to: target, in: store, mode: 0o444)
      delivery.record.outputs.append(ArtifactReference(role: file.role, sha256: sha256))
      delivery.record.artifacts.append(
        ArtifactRecord(
          sha256: sha256, kind: file.kind, mediaType: file.mediaType, bytes: bytes,
          createdAt: delivery.record.finishedAt, manifest: manifest))
    }
    let url = receiptURL(delivery.record.attempt)
    try AtomicFile.write(try Receipt.data(delivery, path: url.path), to: url, in: store)
    return delivery
  }

  package func show(_ progress: OrderProgress) {
    guard let data = try? JSONEncoder().encode(progress) else { return }
    try? AtomicFile.write(data, to: file(Self.progressName), in: store, isLasting: false)
  }

  package var progress: OrderProgress? {
    guard let data = try? StoreFile.read(file(Self.progressName)) else { return nil }
    return try? JSONDecoder().decode(OrderProgress.self, from: data)
  }

  // MARK: - Processes

  /// The right to work on the order, which one process has; `nil` while another one does.
  ///
  /// A node that was given up may come back and go on beside the job that took its place: the later one waits.
  package func lock() throws(StoreError) -> Lock? {
    let folder = try StoreFolder(store).makeFolder(path)
    let descriptor = try folder.openFile(Self.lockName, O_RDWR | O_CREAT)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      let isHeld = errno == EWOULDBLOCK
      // A file system without locks goes without.
      if !isHeld { break }
      close(descriptor)
      return nil
    }
    return Lock(descriptor: descriptor)
  }

  package final class Lock: Sendable {
    private let descriptor: Int32
    init(descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }
  }

  /// An empty folder for the files of the process that holds the lock; what others left of theirs goes.
  package func makeScratch() throws(StoreError) -> URL {
    let place = try StoreFolder(store)
    for name in try StoreFile.names(in: url) where Places.isTemporary(name) {
      try place.removeAll("\(path)/\(name)")
    }
    return try place.makeFolder("\(path)/\(Places.newScratch())").url
  }

  package func removeScratch(_ scratch: URL) {
    try? StoreFolder(store).removeAll("\(path)/\(scratch.lastPathComponent)")
  }

  /// The receipts go first: what is left after a crash tells of no result.
  package func remove() throws(StoreError) {
    try Places.check(url, is: .folder)
    let place = try StoreFolder(store)
    for name in try StoreFile.names(in: url) where name.hasPrefix("receipt-") {
      try place.removeFile("\(path)/\(name)")
    }
    try place.removeAll(path)
  }
}

extension Store {
  /// The number of the next attempt at a key, ordered or recorded.
  package func nextAttempt(_ key: String) throws(StoreError) -> Int {
    let last = try database.integer(
      "SELECT max(attempt) FROM execution WHERE key = ?", [.text(key)])
    let ordered = try OrderFolder(store: folder, key: key).attempts().last
    return min(max(last ?? 0, ordered ?? 0, 0), Receipt.mostAttempts - 1) + 1
  }

  /// Whether what an attempt delivered is in the database.
  package func hasTaken(_ delivery: Delivery) throws(StoreError) -> Bool {
    try database.integer(
      "SELECT EXISTS (SELECT 1 FROM execution WHERE id = ?)", [.text(try delivery.record.ownID())])
      == 1
  }

  /// Takes in what an attempt delivered: every object is held against its hash and moved to its place, then comes
  /// the receipt, then one transaction. Cut off anywhere, it can be done again.
  ///
  /// - Throws: `StoreError.damaged` where the delivery cannot be believed: nothing was taken in.
  package func take(_ delivery: Delivery, from orders: OrderFolder) throws(StoreError)
    -> ExecutionRecord
  {
    var record = delivery.record
    record.id = try record.ownID()
    func damaged(_ reason: String) -> StoreError { .damaged(path: orders.url.path, reason: reason) }
    if let fault = record.fault(id: record.id) { throw damaged("its receipt \(fault)") }
    for metric in record.metrics {
      if let value = metric.numbers.first(where: { !$0.isFinite }) {
        throw .metric(name: metric.name, value: value)
      }
    }
    // All is looked at before anything is moved.
    var moves: [(from: URL, to: URL)] = []
    var seen: Set<String> = []
    // Two roles may have the same content.
    for artifact in record.artifacts where seen.insert(artifact.sha256).inserted {
      let (source, target) = (orders.outputURL(artifact.sha256), objectURL(artifact.sha256))
      try Places.check(target.deletingLastPathComponent(), is: .folder)
      if try Self.size(of: target) == artifact.bytes,
        try Verification.problem(target, artifact.sha256) == nil
      {
        continue
      }
      guard try Self.size(of: source) == artifact.bytes,
        try Verification.problem(source, artifact.sha256) == nil
      else { throw damaged("\(artifact.sha256) is missing or has another content") }
      moves.append((source, target))
    }
    for move in moves {
      if try StoreFile.kind(move.to) == .folder { try Aside.move(move.to, in: folder) }
      try AtomicFile.move(move.from, to: move.to, in: folder, mode: 0o444)
    }
    try commit(record)
    return record
  }

  /// Whether the end of an attempt is in the database, as its receipt or its loss told it.
  package func hasRecorded(_ key: String, attempt: Int) throws(StoreError) -> Bool {
    try database.integer(
      "SELECT EXISTS (SELECT 1 FROM execution WHERE key = ? AND attempt = ?)",
      [.text(key), .integer(Int64(attempt))]) == 1
  }

  /// Records an attempt that left nothing, unless its receipt has told of it; returns its id.
  package func recordLoss(_ execution: ExecutionRecord, attempt: Int) throws(StoreError) -> String?
  {
    if try hasRecorded(execution.key, attempt: attempt) { return nil }
    var record = execution
    record.attempt = attempt
    record.setTimes()
    record.id = try record.ownID()
    try commit(record)
    return record.id
  }

  /// Records an attempt that failed or was interrupted, as it said; returns its id.
  package func takeFailure(_ delivery: Delivery) throws(StoreError) -> String {
    var record = delivery.record
    record.outputs = []
    record.artifacts = []
    record.metrics = []
    record.tables = [:]
    record.id = try record.ownID()
    let isKnown = try database.integer(
      "SELECT EXISTS (SELECT 1 FROM execution WHERE id = ?)", [.text(record.id)])
    if isKnown != 1 { try commit(record) }
    return record.id
  }
}
