import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The folder of a store, held open to remove from it: every name on the way down is opened from the one
/// above and never through a link, so that nothing outside can be removed.
final class StoreFolder {
  private let descriptor: Int32
  private let url: URL

  init(_ url: URL) throws(StoreError) {
    descriptor = open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError(errno, reading: url.path) }
    self.url = url
  }

  deinit { close(descriptor) }

  /// Removes a file or a link; nothing where there is none.
  ///
  /// - Parameter path: within the store.
  func removeFile(_ path: String) throws(StoreError) {
    try within(path) { (folder, name) throws(StoreError) in
      if unlinkat(folder, name, 0) != 0, errno != ENOENT { throw failure(errno, path) }
    }
  }

  /// Removes whatever it is, a folder with all that is in it.
  func removeAll(_ path: String) throws(StoreError) {
    try within(path) { (folder, name) throws(StoreError) in
      try removeAll(name, in: folder, path)
    }
  }

  /// Removes a folder if nothing is left in it.
  func removeIfEmpty(_ path: String) throws(StoreError) {
    try within(path) { (folder, name) throws(StoreError) in
      guard unlinkat(folder, name, AT_REMOVEDIR) != 0 else { return }
      if ![ENOENT, ENOTEMPTY, EEXIST, ENOTDIR].contains(errno) { throw failure(errno, path) }
    }
  }

  private func removeAll(_ name: String, in folder: Int32, _ path: String) throws(StoreError) {
    if unlinkat(folder, name, 0) == 0 || errno == ENOENT { return }
    // Linux says the one of a folder, others the other.
    guard errno == EISDIR || errno == EPERM else { throw failure(errno, path) }
    let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard inner >= 0 else { throw failure(errno, path) }
    defer { close(inner) }
    for name in try StoreFile.names(dup(inner), url.appending(path: path).path) {
      try removeAll(name, in: inner, "\(path)/\(name)")
    }
    if unlinkat(folder, name, AT_REMOVEDIR) != 0, errno != ENOENT { throw failure(errno, path) }
  }

  /// Calls `body` with the folder that `path` lies in and its last name.
  private func within(
    _ path: String, _ body: (Int32, String) throws(StoreError) -> Void
  ) throws(StoreError) {
    let fault = AtomicFile.injection(.remove, url.appending(path: path))
    if fault != 0 { throw failure(fault, path) }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let last = parts.last, parts.allSatisfy({ !["", ".", ".."].contains($0) }) else {
      throw failure(EINVAL, path)
    }
    var folders: [Int32] = []
    defer { for folder in folders { close(folder) } }
    for part in parts.dropLast() {
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
      let next = openat(folders.last ?? descriptor, part, flags)
      if next < 0 && errno == ENOENT { return }
      guard next >= 0 else { throw failure(errno, path) }
      folders.append(next)
    }
    try body(folders.last ?? descriptor, last)
  }

  private func failure(_ code: Int32, _ path: String) -> StoreError {
    StoreError(code, removing: url.appending(path: path).path)
  }
}

extension StoreError {
  init(_ code: Int32, removing path: String) {
    switch code {
    case ENOTDIR, ELOOP: self = StoreError(code, reading: path)
    case EACCES, EPERM, EROFS:
      self = .cannotWrite(path: path, reason: String(cString: strerror(code)))
    default: self = .inputOutput(path: path, reason: String(cString: strerror(code)))
    }
  }
}

extension Store {
  /// Removes what killed processes left half done in a store. The caller holds the lock: nobody else is at
  /// work but `verify`, whose draft says that it is held.
  package static func removeLeftovers(in folder: URL) throws(StoreError) {
    AtomicFile.removeDrafts(in: folder)
    let temporary = folder.appending(path: "tmp")
    AtomicFile.removeDrafts(in: temporary)
    let place = try StoreFolder(folder)
    for name in try StoreFile.names(in: temporary)
    where Places.isTemporary(name) && !Places.isDraft(name) {
      try place.removeAll("tmp/" + name)
    }
  }
}
