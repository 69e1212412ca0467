import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A folder of files that a person named. What is written lies in a draft until `finish`: then all of it is
/// there, or nothing of it, and no file that held something else is gone unless that was said.
package final class OutputFolder {
  package let url: URL
  /// On the same disk: within the folder where it is there, beside it otherwise.
  private let draft: URL
  private let isNew: Bool
  /// Of what was written, in its order.
  private var names: [String] = []
  private var known: Set<String> = []

  /// - Throws: as `OutputFile.check(filesIn:)` does.
  package init(_ url: URL) throws(StoreError) {
    // Without the slash at its end, so that the name is the folder's.
    let path = url.standardizedFileURL.path
    self.url = URL(filePath: path, directoryHint: .notDirectory)
    try OutputFile.check(filesIn: self.url)
    isNew = !FileManager.default.fileExists(atPath: path)
    let place = isNew ? self.url.deletingLastPathComponent() : self.url
    draft = place.appending(path: ".write-" + UUID().uuidString)
    try AtomicFile.makeFolder(draft)
  }

  deinit { try? FileManager.default.removeItem(at: draft) }

  /// Adds to a file, which is made by the first piece.
  ///
  /// - Parameter name: below the folder, with `/` between the names of folders.
  package func append(_ data: Data, to name: String) throws(StoreError) {
    let file = draft.appending(path: name)
    if known.insert(name).inserted {
      names.append(name)
      try AtomicFile.makeFolder(file.deletingLastPathComponent())
    }
    let shown = url.appending(path: name)
    let fault = AtomicFile.injection(.write, shown)
    if fault != 0 { throw StoreError(fault, writing: shown, needed: data.count) }
    try OutputFile.write(data, to: file, flags: O_APPEND | O_NOFOLLOW, shown: shown)
  }

  /// Adds a file with the content of another.
  package func copy(_ source: URL, to name: String) throws(StoreError) {
    guard let file = try StoreFile.OpenFile(source.path) else {
      throw .damaged(path: source.path, reason: "missing")
    }
    // An empty one has no piece.
    try append(Data(), to: name)
    while true {
      let piece = try file.next()
      if piece.isEmpty { return }
      try append(Data(piece), to: name)
    }
  }

  /// Gives everything its name.
  ///
  /// - Parameter replaces: whether files of these names that hold something else are replaced.
  /// - Returns: how many were.
  /// - Throws: `StoreError.cannotWrite` with the first of them where they are not to be, and then nothing was
  ///   changed.
  package func finish(replaces: Bool) throws(StoreError) -> Int {
    try synchronize()
    if isNew {
      if rename(draft.path, url.path) == 0 { return 0 }
      // Somebody made it meanwhile.
      if errno != EEXIST && errno != ENOTEMPTY { throw StoreError(errno, writing: url) }
    }
    var different = 0
    var wanted: [String] = []
    for name in names {
      let (old, new) = (url.appending(path: name), draft.appending(path: name))
      var found = stat()
      if lstat(old.path, &found) == 0 {
        if FileManager.default.contentsEqual(atPath: old.path, andPath: new.path) { continue }
        guard replaces, found.st_mode & S_IFMT != S_IFDIR else {
          throw .cannotWrite(
            path: old.path, reason: "it is there already and holds something else; \(Self.remedy)")
        }
        different += 1
      }
      wanted.append(name)
    }
    for name in wanted {
      let old = url.appending(path: name)
      try AtomicFile.makeFolder(old.deletingLastPathComponent())
      if rename(draft.appending(path: name).path, old.path) != 0 {
        throw StoreError(errno, writing: old)
      }
    }
    return different
  }

  package static let remedy = "name another place, or take --replace"

  /// Has the content of every file on the disk before any name changes.
  private func synchronize() throws(StoreError) {
    for name in names {
      let descriptor = open(draft.appending(path: name).path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw StoreError(errno, writing: url.appending(path: name)) }
      defer { close(descriptor) }
      try AtomicFile.synchronize(descriptor, for: url.appending(path: name))
    }
  }
}
