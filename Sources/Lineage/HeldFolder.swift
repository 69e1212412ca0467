import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A folder, held open: what is done in it is done there, wherever its path leads meanwhile.
final class HeldFolder {
  let descriptor: Int32
  let url: URL

  /// - Parameter url: as a person named it: links are followed.
  convenience init(_ url: URL) throws(StoreError) {
    let descriptor = open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError(errno, reading: url.path) }
    self.init(descriptor, url)
  }

  /// The folder that `file` is to be written in.
  convenience init(_ url: URL, toWrite file: URL) throws(StoreError) {
    let descriptor = open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError(errno, writing: file) }
    self.init(descriptor, url)
  }

  private init(_ descriptor: Int32, _ url: URL) {
    self.descriptor = descriptor
    self.url = url
  }

  deinit { close(descriptor) }

  /// A folder in this one, not a link to one; `nil` when there is none.
  func folder(_ name: String) throws(StoreError) -> HeldFolder? {
    let inner = url.appending(path: name)
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let opened = openat(descriptor, name, flags)
    if opened >= 0 { return HeldFolder(opened, inner) }
    if errno == ENOENT { return nil }
    throw StoreError(errno, within: inner)
  }

  /// As `folder`, and makes it when there is none.
  func makeFolder(_ name: String) throws(StoreError) -> HeldFolder {
    if let folder = try folder(name) { return folder }
    let inner = url.appending(path: name)
    let fault = AtomicFile.injection(.makeFolder, inner)
    if fault != 0 { throw StoreError(fault, writing: inner) }
    if mkdirat(descriptor, name, 0o777) != 0, errno != EEXIST {
      throw StoreError(errno, within: inner)
    }
    try synchronize(for: inner)
    guard let folder = try folder(name) else { throw StoreError(ENOENT, writing: inner) }
    return folder
  }

  /// An ordinary file; nothing is waited for.
  ///
  /// - Parameter needed: bytes that are to be written.
  func openFile(
    _ name: String, _ flags: Int32 = O_RDONLY, needed: Int? = nil
  ) throws(StoreError) -> Int32 {
    let place = url.appending(path: name)
    let file = openat(descriptor, name, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw StoreError(errno, within: place, needed: needed) }
    var status = stat()
    let isKnown = fstat(file, &status) == 0
    let code = errno
    if isKnown, StoreFile.Kind(status.st_mode) == .file { return file }
    close(file)
    if !isKnown { throw StoreError(code, writing: place) }
    throw .wrongKind(
      path: place.path, found: "\(StoreFile.Kind(status.st_mode))", needed: "\(StoreFile.Kind.file)"
    )
  }

  /// Gives a name in this folder, or in another one of the same disk, to what has a name in this one.
  func rename(_ name: String, to new: String, in folder: HeldFolder? = nil) throws(StoreError) {
    let target = folder ?? self
    let url = target.url.appending(path: new)
    let fault = AtomicFile.injection(.rename, url)
    if fault != 0 || renameat(descriptor, name, target.descriptor, new) != 0 {
      throw StoreError(fault == 0 ? errno : fault, writing: url)
    }
  }

  /// Waits until the names in it are on the disk.
  func synchronize(for url: URL) throws(StoreError) {
    try AtomicFile.synchronize(descriptor, for: url)
  }

  func names() throws(StoreError) -> [String] {
    // A listing moves the place in the folder that a duplicate shares.
    let listing = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard listing >= 0 else { throw StoreError(errno, reading: url.path) }
    return try StoreFile.names(listing, url.path)
  }
}

extension StoreError {
  /// What the system's `code` means below a store's folder, where nothing leads through a link.
  init(_ code: Int32, within url: URL, needed: Int? = nil) {
    let isOnTheWay = [ENOTDIR, ELOOP, ENXIO].contains(code)
    self =
      isOnTheWay
      ? StoreError(code, reading: url.path) : StoreError(code, writing: url, needed: needed)
  }
}
