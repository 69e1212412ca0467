import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files that are there whole or not at all, and on the disk before they are believed.
package enum AtomicFile {
  /// What can fail on a disk.
  enum Step: Sendable { case makeFolder, write, synchronize, rename, remove }

  /// Asked before every step; a code other than 0 makes the step fail as the system's own would.
  /// Tests fill disks with it.
  @TaskLocal static var injection: @Sendable (Step, URL) -> Int32 = { _, _ in 0 }

  /// Writes `data` beside `url` or in `temporary`, a folder of the same disk, then moves it there.
  ///
  /// - Parameters:
  ///   - url: as a person named it: links on the way are followed. In a store, see the other one.
  ///   - mode: of the file; without it, as the process makes files.
  /// - Throws: `StoreError.full`, `.cannotWrite` or `.inputOutput`, which name `url`.
  package static func write(
    _ data: Data, to url: URL, temporary: URL? = nil, mode: mode_t? = nil
  ) throws(StoreError) {
    let parent = url.deletingLastPathComponent()
    if temporary != nil { try makeFolder(parent) }
    let folder = try HeldFolder(parent, toWrite: url)
    var drafts = folder
    if let temporary { drafts = try HeldFolder(temporary, toWrite: url) }
    let draft = try Draft(in: drafts, for: url, needed: data.count)
    try draft.finish(as: url.lastPathComponent, in: folder, mode: mode) {
      (descriptor) throws(StoreError) in
      try fill(descriptor, data, for: url)
    }
  }

  /// Writes `data` in the store's `tmp`, then moves it to `url` below the store, never through a link.
  ///
  /// - Parameter isLasting: whether it has to be on the disk before it is believed; not what only saves
  ///   time or is for the eyes alone.
  package static func write(
    _ data: Data, to url: URL, in store: URL, isLasting: Bool = true
  ) throws(StoreError) {
    let place = try StoreFolder(store)
    let draft = try Draft(in: try place.makeFolder("tmp"), for: url, needed: data.count)
    try draft.finish(at: url, of: place, isLasting: isLasting) { (descriptor) throws(StoreError) in
      try fill(descriptor, data, for: url)
    }
  }

  /// Copies a file to `url` below the store, read-only, and believes it only if its content has a hash.
  ///
  /// - Throws: also `StoreError.damaged`, which names `source`, when there is other content or no file.
  static func copy(_ source: URL, to url: URL, hash: String, in store: URL) throws(StoreError) {
    guard let file = try StoreFile.OpenFile(source.path) else {
      throw .damaged(path: source.path, reason: "missing")
    }
    let place = try StoreFolder(store)
    let draft = try Draft(in: try place.makeFolder("tmp"), for: url, needed: file.size)
    try draft.finish(at: url, of: place, mode: 0o444) { (descriptor) throws(StoreError) in
      var hasher = SHA256()
      while true {
        let piece = try file.next()
        if piece.isEmpty { break }
        piece.withUnsafeBytes { hasher.update($0) }
        try fill(descriptor, Data(piece), for: url)
      }
      guard hasher.finish() == hash else {
        throw .damaged(path: source.path, reason: "its content has another hash")
      }
    }
  }

  /// Moves a finished file to another place below the store: its content reaches the disk first, then
  /// its name. Neither is found through a link.
  static func move(
    _ file: URL, to url: URL, in store: URL, mode: mode_t? = nil
  ) throws(StoreError) {
    let store = try StoreFolder(store)
    let (drafts, draft) = try store.place(of: file)
    let descriptor = try drafts.openFile(draft)
    defer { close(descriptor) }
    if let mode, fchmod(descriptor, mode) != 0 { throw StoreError(errno, writing: file) }
    let (folder, name) = try store.place(of: url)
    try synchronize(descriptor, for: url)
    try drafts.rename(draft, to: name, in: folder)
    try folder.synchronize(for: url)
  }

  private static func fill(_ draft: Int32, _ data: Data, for url: URL) throws(StoreError) {
    let fault = injection(.write, url)
    // A full disk takes a part before it refuses.
    let part = fault == 0 ? data : data.prefix(data.count / 2)
    let code = send(part, to: draft)
    if fault != 0 || code != 0 {
      throw StoreError(fault == 0 ? code : fault, writing: url, needed: data.count)
    }
  }

  /// Removes the drafts in a folder that no living process holds. One that cannot be removed waits for
  /// the next time.
  package static func removeDrafts(in folder: URL) {
    if let folder = try? HeldFolder(folder) { removeDrafts(in: folder) }
  }

  static func removeDrafts(in folder: HeldFolder) {
    guard let names = try? folder.names() else { return }
    for name in names where Places.isDraft(name) {
      guard let descriptor = try? folder.openFile(name) else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlinkat(folder.descriptor, name, 0) }
      close(descriptor)
    }
  }

  /// Writes all of `data`; gives back `errno` or 0.
  static func send(_ data: Data, to descriptor: Int32) -> Int32 {
    data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest)
        // `Foundation` alone would find the type's own `write`.
        let count = systemWrite(descriptor, part.baseAddress, part.count)
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        rest = rest.dropFirst(count)
      }
      return 0
    }
  }

  /// Gives files other names in their folder, below the store, one after the other, and has the folder on
  /// the disk.
  static func rename(
    _ names: [(old: String, new: String)], in folder: String, of store: URL
  ) throws(StoreError) {
    if names.isEmpty { return }
    let folder = try StoreFolder(store).makeFolder(folder)
    for (old, new) in names { try folder.rename(old, to: new) }
    try folder.synchronize(for: folder.url)
  }

  package static func makeFolder(_ url: URL) throws(StoreError) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      isFolder.boolValue
    {
      return
    }
    let fault = injection(.makeFolder, url)
    if fault != 0 { throw StoreError(fault, writing: url) }
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw StoreError(writing: error, path: url.path)
    }
    try HeldFolder(url.deletingLastPathComponent(), toWrite: url).synchronize(for: url)
  }

  /// Waits until a file or a folder is on the disk.
  static func synchronize(_ descriptor: Int32, for url: URL) throws(StoreError) {
    let fault = injection(.synchronize, url)
    if fault != 0 || fsync(descriptor) != 0 {
      throw StoreError(fault == 0 ? errno : fault, writing: url)
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
