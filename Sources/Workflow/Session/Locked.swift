import Foundation

/// Commands of fcntl(2) that the C library shows only when asked for, as the kernels number them.
enum OpenFileLock {
  #if canImport(Darwin)
    static let set: Int32 = 90
    static let get: Int32 = 92
  #else
    static let get: Int32 = 36
    static let set: Int32 = 37
  #endif
}

/// Descriptors of a locked file and of its locked folder.
struct Locked: Sendable {
  let file: Int32
  /// `nil` where a folder cannot be locked.
  private let folder: Int32?

  /// - Returns: `nil` while somebody else has one of both.
  init?(_ url: URL) throws(WorkflowError) {
    let folder: Int32?
    switch Self.lockFolder(of: url, LOCK_EX) {
    case .taken(let descriptor): folder = descriptor
    case .impossible: folder = nil
    case .held: return nil
    }
    do {
      guard let file = try Self.lockFile(url) else {
        Self.releaseFolder(folder)
        return nil
      }
      self.file = file
      self.folder = folder
    } catch {
      Self.releaseFolder(folder)
      throw error
    }
  }

  /// Closing alone would leave the locks to a child that shares them.
  func release() {
    Self.releaseFile(file)
    Self.releaseFolder(folder)
  }

  // MARK: - The file

  private static func lockFile(_ url: URL) throws(WorkflowError) -> Int32? {
    let path = url.path
    while true {
      // Never through a link: the file is cut to length 0.
      let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
      let descriptor = open(path, flags, 0o644)
      guard descriptor >= 0 else {
        throw .cannotLock(path, reason: String(cString: strerror(errno)))
      }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        close(descriptor)
        throw .cannotLock(path, reason: "it is no ordinary file")
      }
      var request = wholeFile(F_WRLCK)
      if fcntl(descriptor, OpenFileLock.set, &request) == 0 {
        // Somebody may have replaced the file between its opening and its locking.
        if isFile(descriptor, at: path) { return descriptor }
        releaseFile(descriptor)
        continue
      }
      let code = errno
      close(descriptor)
      switch code {
      case EINTR: continue
      case EAGAIN, EACCES: return nil
      default: throw .cannotLock(path, reason: String(cString: strerror(code)))
      }
    }
  }

  private static func releaseFile(_ descriptor: Int32) {
    var request = wholeFile(F_UNLCK)
    _ = fcntl(descriptor, OpenFileLock.set, &request)
    close(descriptor)
  }

  static func wholeFile(_ type: some BinaryInteger) -> flock {
    var lock = flock()
    lock.l_type = Int16(type)
    lock.l_whence = Int16(SEEK_SET)
    return lock
  }

  private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0
      && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
  }

  // MARK: - The folder

  private enum FolderLock {
    case taken(Int32)
    case held, impossible
  }

  private static func lockFolder(of url: URL, _ operation: Int32) -> FolderLock {
    let path = url.deletingLastPathComponent().path
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return .impossible }
    while flock(descriptor, operation | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      let isHeld = errno == EWOULDBLOCK
      close(descriptor)
      return isHeld ? .held : .impossible
    }
    return .taken(descriptor)
  }

  private static func releaseFolder(_ descriptor: Int32?) {
    guard let descriptor else { return }
    _ = flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Whether the folder of a lock whose file has gone is held. There is no way to ask but to share the
  /// lock for a moment, which whoever wants it waits for.
  static func isFolderHeld(of url: URL) -> Bool {
    switch lockFolder(of: url, LOCK_SH) {
    case .taken(let descriptor):
      releaseFolder(descriptor)
      return false
    case .held: return true
    case .impossible: return false
    }
  }
}
