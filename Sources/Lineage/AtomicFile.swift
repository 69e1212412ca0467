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
  enum Step: Sendable { case makeFolder, write, synchronize, rename }

  /// Asked before every step; a code other than 0 makes the step fail as the system's own would.
  /// Tests fill disks with it.
  @TaskLocal static var injection: @Sendable (Step, URL) -> Int32 = { _, _ in 0 }

  /// Writes `data` beside `url` or in `temporary`, a folder of the same disk, then moves it there.
  ///
  /// - Parameter mode: of the file; without it, as the process makes files.
  /// - Throws: `StoreError.full`, `.cannotWrite` or `.inputOutput`, which name `url`.
  package static func write(
    _ data: Data, to url: URL, temporary: URL? = nil, mode: mode_t? = nil
  ) throws(StoreError) {
    let folder = temporary ?? url.deletingLastPathComponent()
    let draft = folder.appending(path: ".write-" + UUID().uuidString)
    do {
      try fill(draft, data, for: url, mode)
      try move(draft, to: url)
    } catch {
      unlink(draft.path)
      throw error
    }
  }

  private static func fill(_ draft: URL, _ data: Data, for url: URL, _ mode: mode_t?)
    throws(StoreError)
  {
    let descriptor = open(draft.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw StoreError(errno, writing: url, needed: data.count) }
    defer { close(descriptor) }
    if let mode, fchmod(descriptor, mode) != 0 { throw StoreError(errno, writing: url) }
    let fault = injection(.write, url)
    // A full disk takes a part before it refuses.
    let data = fault == 0 ? data : data.prefix(data.count / 2)
    let code = send(data, to: descriptor)
    if fault != 0 || code != 0 {
      throw StoreError(fault == 0 ? code : fault, writing: url, needed: data.count)
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

  /// Moves a finished file in place: its content reaches the disk first, then its name.
  static func move(_ draft: URL, to url: URL) throws(StoreError) {
    let folder = url.deletingLastPathComponent()
    try makeFolder(folder)
    try synchronize(draft, for: url)
    let fault = injection(.rename, url)
    if fault != 0 || rename(draft.path, url.path) != 0 {
      throw StoreError(fault == 0 ? errno : fault, writing: url)
    }
    try synchronize(folder, for: url)
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
    try synchronize(url.deletingLastPathComponent(), for: url)
  }

  /// Waits until a file or a folder is on the disk.
  private static func synchronize(_ place: URL, for url: URL) throws(StoreError) {
    let descriptor = open(place.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError(errno, writing: url) }
    defer { close(descriptor) }
    let fault = injection(.synchronize, url)
    if fault != 0 || fsync(descriptor) != 0 {
      throw StoreError(fault == 0 ? errno : fault, writing: url)
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

extension StoreError {
  /// What the system's `code` means for the writing of a file of `needed` bytes.
  init(_ code: Int32, writing url: URL, needed: Int? = nil) {
    let reason = String(cString: strerror(code))
    switch code {
    case ENOSPC, EDQUOT, EFBIG:
      self = .full(path: url.path, reason: reason, needed: needed, free: Self.free(around: url))
    case EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP:
      self = .cannotWrite(path: url.path, reason: reason)
    default: self = .inputOutput(path: url.path, reason: reason)
    }
  }

  /// What Foundation's error means for the writing of a file.
  ///
  /// - Parameter path: of the file, where the error itself names none.
  package init(writing error: any Error, path: String? = nil) {
    let information = (error as NSError).userInfo
    let named = (information[NSFilePathErrorKey] as? String)
    let path = path ?? named ?? (information[NSURLErrorKey] as? URL)?.path ?? "a file"
    let posix = (information[NSUnderlyingErrorKey] as? POSIXError) ?? (error as? POSIXError)
    if let posix {
      self = StoreError(posix.code.rawValue, writing: URL(filePath: path))
      return
    }
    switch (error as? CocoaError)?.code {
    case .fileWriteOutOfSpace?: self = StoreError(ENOSPC, writing: URL(filePath: path))
    case .fileWriteNoPermission?: self = StoreError(EACCES, writing: URL(filePath: path))
    case .fileWriteVolumeReadOnly?: self = StoreError(EROFS, writing: URL(filePath: path))
    default: self = .inputOutput(path: path, reason: error.localizedDescription)
    }
  }

  /// Bytes that are free where a file should be.
  static func free(around url: URL) -> Int? {
    var folder = url.deletingLastPathComponent()
    while !FileManager.default.fileExists(atPath: folder.path), folder.path.count > 1 {
      folder.deleteLastPathComponent()
    }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
  }
}
