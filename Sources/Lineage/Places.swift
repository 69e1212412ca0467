import Foundation

/// What lies where in a store: a store keeps to its folder, and in it Locus removes nothing but names
/// that it makes.
package enum Places {
  package static let lock = "lock"
  package static let progress = "progress.json"
  static let database = "locus.sqlite"
  private static let databaseFiles = ["", "-wal", "-shm", "-journal"].map { database + $0 }
  private static let files =
    databaseFiles + [
      lock, progress, "faults.json", "removal.json", "stamps", Store.databasePointer,
    ]
  private static let folders = [
    "checkpoints", "damaged", "objects", OrderFolder.name, "receipts", Receipt.executions,
    Receipt.runs, "tmp",
  ]
  /// Where healing makes way for itself; only a link there would lead out of the store.
  private static let setAside = [
    "damaged/objects", "damaged/receipts", "damaged/" + Receipt.executions,
    "damaged/" + Receipt.runs,
  ]

  /// Refuses links, FIFOs, devices and whatever else lies where a file or a folder of a store belongs.
  package static func check(_ folder: URL) throws(StoreError) {
    for place in files { try check(folder.appending(path: place), is: .file) }
    for place in folders { try check(folder.appending(path: place), is: .folder) }
    for place in setAside {
      let url = folder.appending(path: place)
      if try StoreFile.kind(url) == .link { throw .link(path: url.path) }
    }
  }

  /// Refuses what is there and is something else.
  static func check(_ url: URL, is needed: StoreFile.Kind) throws(StoreError) {
    switch try StoreFile.kind(url) {
    case nil, needed: return
    case .link: throw .link(path: url.path)
    case .some(let found):
      throw .wrongKind(path: url.path, found: "\(found)", needed: "\(needed)")
    }
  }

  /// The path within the store of something below it.
  static func path(_ url: URL, in folder: URL) -> String {
    url.pathComponents.dropFirst(folder.pathComponents.count).joined(separator: "/")
  }

  // MARK: - Names that Locus makes

  private static func isUUID(_ text: some StringProtocol) -> Bool {
    text.utf8.count == 36 && UUID(uuidString: String(text)) != nil
  }

  /// What a process that was killed leaves half-written, in a store or where reports lie.
  static func isDraft(_ name: String) -> Bool {
    name.hasPrefix(".write-") && isUUID(name.dropFirst(7))
  }

  package static func newScratch() -> String { "stage-" + UUID().uuidString }
  static func newRebuild() -> String { "rebuild-" + UUID().uuidString }

  /// In `tmp`. The last two are drafts of earlier versions.
  static func isTemporary(_ name: String) -> Bool {
    isDraft(name) || ["progress", "stamps"].contains(name)
      || ["stage-", "rebuild-"].contains { name.hasPrefix($0) && isUUID(name.dropFirst($0.count)) }
  }

  /// `objects/ab/…`, 64 hexadecimal digits in all; the hash, or `nil`.
  static func objectHash(_ path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "objects", parts[1].utf8.count == 2 else { return nil }
    let hash = String(parts[1] + parts[2])
    return SHA256.isHash(hash) ? hash : nil
  }

  /// What `gc` removes of what was set aside: objects and databases, also under the further names that
  /// they were given where one was taken. Receipts stay: they keep their ids from being given away.
  static func isSetAside(_ path: String) -> Bool {
    func plain(_ name: Substring) -> Substring {
      guard let dot = name.lastIndex(of: "."), Int(name[name.index(after: dot)...]) != nil else {
        return name
      }
      return name[..<dot]
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(plain)
    guard parts.first == "damaged" else { return false }
    return parts.count == 2 && parts[1] == database[...]
      || objectHash(parts.dropFirst().joined(separator: "/")) != nil
  }

  // MARK: - What is a store

  /// Refuses a folder that is neither empty nor a store: what lies there is somebody's.
  ///
  /// - Throws: also what is wrong with a database that may be one of Locus.
  /// - Returns: whether it is a store already, not one that is still to be made.
  @discardableResult
  package static func refuseForeign(_ folder: URL) throws(StoreError) -> Bool {
    let names = try StoreFile.names(in: folder)
    if names.isEmpty { return false }
    var isBegun = true  // as a process leaves it that was killed before its first transaction
    if names.contains(database) {
      do {
        let path = folder.appending(path: database).path
        if try Store.identity(of: try Store.openToRead(path)) == .ours { return true }
      } catch {
        guard error.isDamage, try hasReceipts(folder) else { throw error }
        return true
      }
    } else {
      isBegun = !names.contains { databaseFiles.contains($0) }
    }
    if try hasReceipts(folder) { return true }
    let others = names.filter {
      ![lock, "tmp", Store.databasePointer].contains($0) && !databaseFiles.contains($0)
        && !companions.contains($0)
    }
    let tmp = try StoreFile.names(in: folder.appending(path: "tmp"))
    if isBegun, others.isEmpty, tmp.allSatisfy(isTemporary),
      try isLock(folder.appending(path: lock))
    {
      return false
    }
    throw .notAStore(path: folder.path, holds: others.isEmpty ? names : others)
  }

  /// What may lie in a folder that is to become a store: it keeps the folder in a repository, says what it
  /// is for, and is never touched.
  private static let companions = ["README.md", ".gitignore", ".gitkeep", ".gitattributes"]

  /// Whether one file at least begins as receipts do.
  static func hasReceipts(_ folder: URL) throws(StoreError) -> Bool {
    for kind in [Receipt.executions, Receipt.runs] {
      for name in try StoreFile.names(in: folder.appending(path: kind)) {
        let url = folder.appending(path: "\(kind)/\(name)")
        guard try StoreFile.kind(url) == .file, let file = try StoreFile.OpenFile(url.path) else {
          continue
        }
        if Receipt.isBegun(try file.next(64)) { return true }
      }
    }
    return false
  }

  /// Whether a lock is one of Locus: empty, or with the name of its holder.
  private static func isLock(_ url: URL) throws(StoreError) -> Bool {
    guard let data = try StoreFile.read(url), !data.isEmpty else { return true }
    struct Holder: Decodable {
      var host: String
      var pid: Int32
      var pipeline: String
      var since: String
    }
    return (try? JSONDecoder().decode(Holder.self, from: data)) != nil
  }
}

extension StoreError {
  /// Whether it says that what was read is wrong, not that it could not be read.
  var isDamage: Bool {
    switch self {
    case .damaged, .notADatabase: true
    default: false
    }
  }

  /// Whether it says so of a database, which may lack its tables.
  var isBroken: Bool {
    if case .sql = self { true } else { isDamage }
  }
}
