import Foundation
import Lineage

/// Orders that are submitted in one call, as the tasks of an array where there are several.
///
/// It is on the disk before it is submitted, under a name that follows from its orders and that its jobs bear;
/// the scheduler's answer goes into a file beside it, which the program that submits holds locked. So whoever
/// comes after a killed controller knows of each order whether it was submitted, and as what.
struct Batch: Sendable, Codable, Hashable {
  struct Member: Sendable, Codable, Hashable {
    var key: String
    var attempt: Int
    var stage: String
  }

  /// Of its jobs, and of its files: follows from its orders, and from the folder of the store, since others may
  /// order the same.
  var name: String
  var members: [Member]

  init(_ orders: [PlacedOrder], in store: URL) {
    members = orders.map { Member(key: $0.key, attempt: $0.attempt, stage: $0.stage) }
    let text = ([store.path] + members.map { "\($0.key) \($0.attempt)" }).joined(separator: "\n")
    name = Self.prefix + SHA256.hash(Data(text.utf8)).prefix(20)
  }

  static let prefix = "locus-"

  /// The scheduler's name of a member's job.
  func job(_ place: Int, of submission: String) -> SlurmID {
    SlurmID(
      number: submission, task: members.count == 1 ? nil : place, name: name)
  }
}

/// The batches of a store, in `orders/batches`.
struct BatchFolder {
  let store: URL
  var folder: URL { store.appending(path: "orders/batches") }

  func url(_ name: String, _ ending: String) -> URL {
    folder.appending(path: "\(name).\(ending)")
  }

  func all() throws -> [Batch] {
    try StoreFile.names(in: folder).filter { $0.hasSuffix(".json") }.compactMap { name in
      guard let data = try StoreFile.read(folder.appending(path: name)) else { return nil }
      // One that was cut off was never submitted.
      return try? JSONDecoder().decode(Batch.self, from: data)
    }
  }

  func write(_ batch: Batch, script: String, list: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let name = batch.name
    try AtomicFile.write(Data(list.utf8), to: url(name, "list"), in: store)
    try AtomicFile.write(Data(script.utf8), to: url(name, "sh"), in: store)
    try AtomicFile.write(try encoder.encode(batch), to: url(name, "json"), in: store)
  }

  /// Removes a batch, what is written last first.
  func remove(_ batch: Batch) throws {
    let names = Set(try StoreFile.names(in: folder))
    for ending in ["json", "job", "sh", "list", "log"] {
      let name = "\(batch.name).\(ending)"
      if names.contains(name) { unlink(folder.appending(path: name).path) }
    }
  }

  /// The file that takes the scheduler's answer, locked; `nil` while another program holds it, which is about to
  /// submit the batch.
  func openAnswer(_ batch: Batch) throws -> Descriptor? {
    let url = url(batch.name, "job")
    let flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
    guard let file = Descriptor(open(url.path, flags, 0o644)) else {
      throw StoreError.cannotWrite(path: url.path, reason: String(cString: strerror(errno)))
    }
    while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      if errno == EWOULDBLOCK { return nil }
      // A file system without locks goes without.
      break
    }
    return file
  }

  /// The scheduler's number of the batch, once it has said so.
  func answer(_ batch: Batch) throws -> String? {
    guard let data = try StoreFile.read(url(batch.name, "job")) else { return nil }
    // `17`, or `17;cluster`; what a program that was killed had not finished has no line end.
    let lines = String(decoding: data, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    let number = lines.dropLast().last?.split(separator: ";").first.map(String.init) ?? ""
    return number.isEmpty || !number.allSatisfy(\.isNumber) ? nil : number
  }

  /// What sbatch printed, its beginning.
  func printed(_ batch: Batch) throws -> String {
    let data = try StoreFile.read(url(batch.name, "job")) ?? Data()
    return String(decoding: data.prefix(200), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// When the scheduler answered; `nil` where it has not.
  func answeredAt(_ batch: Batch) -> Date? {
    let facts = try? url(batch.name, "job").resourceValues(
      forKeys: [.contentModificationDateKey, .fileSizeKey])
    guard let facts, (facts.fileSize ?? 0) > 0 else { return nil }
    return facts.contentModificationDate
  }

  /// Keeps a number that was found by the batch's name.
  func keep(_ number: String, in file: Descriptor) {
    let text = Array("\(number)\n".utf8)
    _ = Foundation.write(file.number, text, text.count)
  }
}

/// A job as its number and its name: a scheduler that lost its state gives numbers again.
struct SlurmID: Hashable {
  /// `17`, or `17_3` for a task of an array.
  var shown: String
  var name: String

  init(number: String, task: Int?, name: String) {
    shown = task.map { "\(number)_\($0)" } ?? number
    self.name = name
  }

  /// `17_3 locus-…`, what executors hand around.
  var text: String { "\(shown) \(name)" }

  /// `nil` for what is no such text.
  init?(_ text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard words.count == 2 else { return nil }
    (shown, name) = (words[0], words[1])
  }
}
