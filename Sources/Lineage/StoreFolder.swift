import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The folder of a store, held open to write and remove in it: every name on the way down is opened from
/// the one above and never through a link, so that nothing outside can be changed.
struct StoreFolder {
  private let root: HeldFolder

  init(_ url: URL) throws(StoreError) { root = try HeldFolder(url) }

  /// The folder at a path within the store, made where it is missing.
  ///
  /// - Parameter path: may be empty for the store's own.
  func makeFolder(_ path: String) throws(StoreError) -> HeldFolder {
    var folder = root
    if path.isEmpty { return folder }
    for part in try parts(path) { folder = try folder.makeFolder(part) }
    return folder
  }

  /// The folder that a file of the store belongs in, made where it is missing, and its name there.
  ///
  /// - Parameter url: below the store's.
  func place(of url: URL) throws(StoreError) -> (folder: HeldFolder, name: String) {
    var parts = try parts(Places.path(url, in: root.url))
    let name = parts.removeLast()
    return (try makeFolder(parts.joined(separator: "/")), name)
  }

  /// Removes a file or a link; nothing where there is none.
  ///
  /// - Parameter path: within the store.
  func removeFile(_ path: String) throws(StoreError) {
    try within(path) { (folder, name) throws(StoreError) in
      if unlinkat(folder.descriptor, name, 0) != 0, errno != ENOENT { throw failure(errno, path) }
    }
  }

  /// Removes whatever it is, a folder with all that is in it.
  func removeAll(_ path: String) throws(StoreError) {
    try within(path) { (folder, name) throws(StoreError) in
      try removeAll(name, in: folder)
    }
  }

  /// Removes a folder if nothing is left in it.
  func removeIfEmpty(_ path: String) throws(StoreError) {
    try within(path) { (folder, name) throws(StoreError) in
      guard unlinkat(folder.descriptor, name, AT_REMOVEDIR) != 0 else { return }
      if ![ENOENT, ENOTEMPTY, EEXIST, ENOTDIR].contains(errno) { throw failure(errno, path) }
    }
  }

  /// Removes the drafts in one of its folders, as `AtomicFile.removeDrafts(in:)` does.
  func removeDrafts(_ path: String) {
    var folder = root
    for part in path.split(separator: "/") {
      guard let inner = try? folder.folder(String(part)) else { return }
      folder = inner
    }
    AtomicFile.removeDrafts(in: folder)
  }

  private func removeAll(_ name: String, in folder: HeldFolder) throws(StoreError) {
    if unlinkat(folder.descriptor, name, 0) == 0 || errno == ENOENT { return }
    let url = folder.url.appending(path: name)
    // Linux says the one of a folder, others the other.
    guard errno == EISDIR || errno == EPERM else { throw StoreError(errno, within: url) }
    guard let inner = try folder.folder(name) else { return }
    for name in try inner.names() { try removeAll(name, in: inner) }
    if unlinkat(folder.descriptor, name, AT_REMOVEDIR) != 0, errno != ENOENT {
      throw StoreError(errno, within: url)
    }
  }

  /// Calls `body` with the folder that `path` lies in and its last name, if there is that folder.
  private func within(
    _ path: String, _ body: (HeldFolder, String) throws(StoreError) -> Void
  ) throws(StoreError) {
    let fault = AtomicFile.injection(.remove, root.url.appending(path: path))
    if fault != 0 { throw failure(fault, path) }
    var parts = try parts(path)
    let last = parts.removeLast()
    var folder = root
    for part in parts {
      guard let inner = try folder.folder(part) else { return }
      folder = inner
    }
    try body(folder, last)
  }

  private func parts(_ path: String) throws(StoreError) -> [String] {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ !["", ".", ".."].contains($0) }) else { throw failure(EINVAL, path) }
    return parts
  }

  private func failure(_ code: Int32, _ path: String) -> StoreError {
    StoreError(code, within: root.url.appending(path: path))
  }
}

extension Store {
  /// A folder of its own for a stage's files.
  package func makeScratch() throws(StoreError) -> URL {
    try StoreFolder(folder).makeFolder("tmp/" + Places.newScratch()).url
  }

  /// What cannot be removed waits for the next run.
  package func removeScratch(_ scratch: URL) {
    try? StoreFolder(folder).removeAll("tmp/" + scratch.lastPathComponent)
  }

  /// Removes what killed processes left half done in a store; what cannot be removed is in no way. The
  /// caller holds the lock: nobody else is at work but `verify`, whose draft says that it is held.
  package static func removeLeftovers(in folder: URL) throws(StoreError) {
    let base = databaseFolder(in: folder)
    if base != folder { try? removeOwnLeftovers(in: base) }
    try removeOwnLeftovers(in: folder)
  }

  private static func removeOwnLeftovers(in folder: URL) throws(StoreError) {
    let place = try StoreFolder(folder)
    place.removeDrafts("")
    place.removeDrafts("tmp")
    for name in try StoreFile.names(in: folder.appending(path: "tmp"))
    where Places.isTemporary(name) && !Places.isDraft(name) {
      try? place.removeAll("tmp/" + name)
    }
  }
}
