import Foundation

/// Something of the store that is not as it was left, and what it damages.
package struct Fault: Sendable, Hashable, Codable {
  package enum Place: String, Sendable, Codable { case object, receipt, database }

  package var place: Place
  /// An object's hash, or a path within the store.
  package var subject: String
  package var problem: String
  /// Stages of the latest runs that rest on it; of older runs, with the run, when these do not.
  package var damages: [String]

  /// Receipts are being brought in that the database does not know.
  static let merging = Fault(
    place: .database, subject: Places.database, problem: "a merge was cut off", damages: [])

  /// A receipt gets a note that the database does not know.
  static let noting = Fault(
    place: .database, subject: Places.database, problem: "a note was cut off", damages: [])
}

/// The faults that `verify` found and left for the next run to heal.
struct Doubts: Codable {
  private(set) var faults: [Fault] = []
  private(set) var objects: Set<String> = []
  private(set) var executions: Set<String> = []

  static func url(in folder: URL) -> URL { folder.appending(path: "faults.json") }

  private enum CodingKeys: CodingKey { case faults }

  private init(_ faults: [Fault]) { self.faults = faults }

  /// None where there is no file; one that cannot be understood still means that something was found.
  init(in folder: URL) throws(StoreError) {
    guard let data = try StoreFile.read(Self.url(in: folder)) else { return }
    let found = try? JSONDecoder().decode(Doubts.self, from: data)
    faults = found?.faults ?? []
    for fault in faults {
      let name = fault.subject.split(separator: "/").last.map(String.init) ?? ""
      switch fault.place {
      case .object: objects.insert(fault.subject)
      case .receipt where fault.subject.hasPrefix(Receipt.executions):
        executions.insert(String(name.dropLast(5)))
      default: break
      }
    }
  }

  /// Leaves faults for the next run, or takes them back; a store that cannot be written stays as it
  /// is.
  static func leave(_ faults: [Fault], in folder: URL) { try? write(faults, in: folder) }

  static func write(_ faults: [Fault], in folder: URL) throws(StoreError) {
    let url = url(in: folder)
    if faults.isEmpty {
      try? FileManager.default.removeItem(at: url)
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(Doubts(faults)) else { return }
    try AtomicFile.write(data + Data("\n".utf8), to: url, in: folder)
  }
}
