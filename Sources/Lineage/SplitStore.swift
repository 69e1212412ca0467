import Foundation

// A store in two places: objects, receipts and orders on a disk that every node of a cluster sees, the database on
// one of this machine, since its log does not work over a network. Each place names the other in a small file, so
// that either is enough to find the store.

extension Store {
  /// In the folder of the database: where objects lie.
  static let objectsPointer = "objects.at"
  /// In the folder of objects: where the database lies, and on which machine.
  static let databasePointer = "database.at"

  /// Where objects, receipts and orders of the store lie that a person named: the folder itself, unless it says
  /// otherwise.
  package static func objectsFolder(of folder: URL) -> URL {
    guard let line = lines(folder.appending(path: objectsPointer)).first else { return folder }
    return URL(filePath: line, directoryHint: .isDirectory)
  }

  /// Where the database of the store with these objects lies.
  static func databaseFolder(in folder: URL) -> URL {
    guard let line = lines(folder.appending(path: databasePointer)).first else { return folder }
    return URL(filePath: line, directoryHint: .isDirectory)
  }

  static func databaseURL(in folder: URL) -> URL {
    databaseFolder(in: folder).appending(path: Places.database)
  }

  /// The machine that the database is on, where that is not this one as far as can be seen.
  static func foreignHost(of folder: URL) -> String? {
    let lines = lines(folder.appending(path: databasePointer))
    guard lines.count > 1, lines[1] != ProcessInfo.processInfo.hostName,
      !FileManager.default.fileExists(atPath: lines[0])
    else { return nil }
    return lines[1]
  }

  /// Makes, or finds again, a store whose database lies in one folder and whose objects in another.
  ///
  /// - Throws: `StoreError.notSplit` where one of them is a store already that is not this one.
  package static func split(database: URL, objects: URL) throws(StoreError) {
    let database = database.standardizedFileURL
    let objects = objects.standardizedFileURL
    let isThere =
      objectsFolder(of: database).standardizedFileURL.path == objects.path
      && databaseFolder(in: objects).standardizedFileURL.path == database.path
    if isThere { return }
    if database.path == objects.path {
      throw .notSplit(path: objects.path, reason: "--store and --objects are the same folder")
    }
    for folder in [database, objects] {
      for name in [Places.database, objectsPointer, databasePointer]
      where try StoreFile.kind(folder.appending(path: name)) != nil {
        // What a process left that was killed between the two files is completed.
        let isHalf =
          name == databasePointer && databaseFolder(in: folder).path == database.path
          || name == objectsPointer && objectsFolder(of: folder).path == objects.path
        if !isHalf {
          throw .notSplit(path: folder.path, reason: "it holds \(name) already, of another store")
        }
      }
    }
    try AtomicFile.makeFolder(database)
    try AtomicFile.makeFolder(objects)
    let host = ProcessInfo.processInfo.hostName
    try AtomicFile.write(
      Data("\(database.path)\n\(host)\n".utf8), to: objects.appending(path: databasePointer))
    try AtomicFile.write(
      Data("\(objects.path)\n".utf8), to: database.appending(path: objectsPointer))
  }

  private static func lines(_ url: URL) -> [String] {
    guard let data = try? StoreFile.read(url) else { return [] }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
      .filter { !$0.isEmpty }
  }
}
