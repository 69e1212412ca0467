import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that is being written under a name that says so, and goes with this value unless it was finished.
struct Draft: ~Copyable {
  private let folder: HeldFolder
  private let name: String
  /// Held until the file has its name: whoever tidies up leaves a draft that is held.
  private let descriptor: Int32
  private let url: URL
  private var isFinished = false

  /// - Parameters:
  ///   - url: what it becomes, for messages.
  ///   - needed: bytes that are to be written.
  init(in folder: HeldFolder, for url: URL, needed: Int) throws(StoreError) {
    self.folder = folder
    self.url = url
    name = ".write-" + UUID().uuidString
    while true {
      let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
      let opened = openat(folder.descriptor, name, flags, 0o644)
      guard opened >= 0 else { throw StoreError(errno, writing: url, needed: needed) }
      // A file system without locks goes without. Whoever tidies up holds it for a moment.
      _ = flock(opened, LOCK_EX)
      var status = stat()
      // Somebody may have tidied up between the two.
      if fstat(opened, &status) != 0 || status.st_nlink > 0 {
        descriptor = opened
        return
      }
      close(opened)
    }
  }

  deinit {
    if !isFinished { unlinkat(folder.descriptor, name, 0) }
    close(descriptor)
  }

  /// Fills it and gives it its name; with `isLasting`, its content reaches the disk first, then its name.
  ///
  /// - Parameters:
  ///   - mode: of the file; without it, as the process makes files.
  ///   - fill: writes to the descriptor.
  consuming func finish(
    as new: String, in target: HeldFolder, mode: mode_t? = nil, isLasting: Bool = true,
    _ fill: (Int32) throws(StoreError) -> Void
  ) throws(StoreError) {
    try write(mode, fill)
    try name(new, target, isLasting)
  }

  /// As the other; the place is below a store, and its folder is made when the content is there.
  consuming func finish(
    at url: URL, of store: StoreFolder, mode: mode_t? = nil, isLasting: Bool = true,
    _ fill: (Int32) throws(StoreError) -> Void
  ) throws(StoreError) {
    try write(mode, fill)
    let (target, new) = try store.place(of: url)
    try name(new, target, isLasting)
  }

  private func write(
    _ mode: mode_t?, _ fill: (Int32) throws(StoreError) -> Void
  ) throws(StoreError) {
    try fill(descriptor)
    if let mode, fchmod(descriptor, mode) != 0 { throw StoreError(errno, writing: url) }
  }

  private mutating func name(
    _ new: String, _ target: HeldFolder, _ isLasting: Bool
  ) throws(StoreError) {
    if isLasting { try AtomicFile.synchronize(descriptor, for: url) }
    try folder.rename(name, to: new, in: target)
    isFinished = true
    if isLasting { try target.synchronize(for: url) }
  }
}
