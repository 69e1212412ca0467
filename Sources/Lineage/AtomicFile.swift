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
  ///   - mode: of the file; without it, as the process makes files.
  ///   - isLasting: whether it has to be on the disk before it is believed; not what only saves time or is
  ///     for the eyes alone.
  /// - Throws: `StoreError.full`, `.cannotWrite` or `.inputOutput`, which name `url`.
  package static func write(
    _ data: Data, to url: URL, temporary: URL? = nil, mode: mode_t? = nil, isLasting: Bool = true
  ) throws(StoreError) {
    let folder = temporary ?? url.deletingLastPathComponent()
    let draft = folder.appending(path: ".write-" + UUID().uuidString)
    let descriptor = try create(draft, for: url, needed: data.count)
    // Until the file has its name: whoever tidies up leaves a draft that is held.
    defer { close(descriptor) }
    do throws(StoreError) {
      if let mode, fchmod(descriptor, mode) != 0 { throw StoreError(errno, writing: url) }
      try fill(descriptor, data, for: url)
      if isLasting { return try move(draft, to: url) }
      try rename(draft, to: url)
    } catch {
      unlink(draft.path)
      throw error
    }
  }

  /// Copies a file, read-only, and believes it only if its content has a hash.
  ///
  /// - Throws: also `StoreError.damaged`, which names `source`, when there is other content or no file.
  static func copy(_ source: URL, to url: URL, hash: String, temporary: URL) throws(StoreError) {
    guard let file = try StoreFile.OpenFile(source.path) else {
      throw .damaged(path: source.path, reason: "missing")
    }
    let draft = temporary.appending(path: ".write-" + UUID().uuidString)
    let descriptor = try create(draft, for: url, needed: file.size)
    defer { close(descriptor) }
    do throws(StoreError) {
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
      if fchmod(descriptor, 0o444) != 0 { throw StoreError(errno, writing: url) }
      try move(draft, to: url)
    } catch {
      unlink(draft.path)
      throw error
    }
  }

  private static func create(_ draft: URL, for url: URL, needed: Int) throws(StoreError) -> Int32 {
    while true {
      let descriptor = open(draft.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw StoreError(errno, writing: url, needed: needed) }
      // A file system without locks goes without. Whoever tidies up holds it for a moment.
      _ = flock(descriptor, LOCK_EX)
      var status = stat()
      // Somebody may have tidied up between the two.
      if fstat(descriptor, &status) != 0 || status.st_nlink > 0 { return descriptor }
      close(descriptor)
    }
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
    guard let names = try? StoreFile.names(in: folder) else { return }
    for name in names where Places.isDraft(name) {
      let path = folder.appending(path: name).path
      let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      var status = stat()
      if fstat(descriptor, &status) == 0, StoreFile.Kind(status.st_mode) == .file,
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
      {
        unlink(path)
      }
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

  /// Moves a finished file in place: its content reaches the disk first, then its name.
  static func move(_ draft: URL, to url: URL) throws(StoreError) {
    let folder = url.deletingLastPathComponent()
    try makeFolder(folder)
    try synchronize(draft, for: url)
    try rename(draft, to: url)
    try synchronize(folder, for: url)
  }

  private static func rename(_ draft: URL, to url: URL) throws(StoreError) {
    let fault = injection(.rename, url)
    if fault != 0 || systemRename(draft.path, url.path) != 0 {
      throw StoreError(fault == 0 ? errno : fault, writing: url)
    }
  }

  /// Gives files other names in their folder, one after the other, and has the folder on the disk.
  static func rename(_ names: [(old: String, new: String)], in folder: URL) throws(StoreError) {
    if names.isEmpty { return }
    for (old, new) in names {
      try rename(folder.appending(path: old), to: folder.appending(path: new))
    }
    try synchronize(folder, for: folder)
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

private func systemRename(_ old: String, _ new: String) -> Int32 { rename(old, new) }

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
