import Foundation

/// Who holds the lock of a store.
public struct LockHolder: Sendable, Hashable, Codable, CustomStringConvertible {
  public var host: String
  public var pid: Int32
  /// With `bootID`, tells this process from a later one of the same number; `nil` where the
  /// system does not say.
  public var processStart: String?
  public var bootID: String?
  public var pipeline: String
  /// UTC, ISO 8601.
  public var since: String

  /// The process that calls, now.
  public static func current(pipeline: String, now: Date = Date()) -> LockHolder {
    let stat = (try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8)) ?? ""
    // The program's name, in brackets, may hold spaces: fields are counted after it.
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    return LockHolder(
      host: ProcessInfo.processInfo.hostName, pid: getpid(),
      processStart: fields.count > 19 ? String(fields[19]) : nil,
      bootID: currentBoot(),
      pipeline: pipeline, since: timestamp(now))
  }

  /// Whether the machine was started anew since, as far as it says.
  public var isOfEarlierBoot: Bool {
    guard let bootID, let now = Self.currentBoot() else { return false }
    return bootID != now
  }

  private static func currentBoot() -> String? {
    (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  public var description: String {
    "pipeline `\(pipeline)`, process \(pid) on \(host), since \(since)"
  }
}

/// Commands of fcntl(2) that the C library shows only when asked for, as the kernels number them.
private enum OpenFileLock {
  #if canImport(Darwin)
    static let set: Int32 = 90
    static let get: Int32 = 92
  #else
    static let get: Int32 = 36
    static let set: Int32 = 37
  #endif
}

/// The right to run stages in a store. One process has it; readers never need it.
///
/// The kernel keeps the lock (an open file description's, fcntl(2)) and ends it with its holder,
/// however that ends: a dead holder blocks nobody, a living one is never taken over, whatever
/// numbers a container gives to processes. The file's text only says who it is, and stays in place,
/// because removing a locked file lets two processes hold locks of the same name.
public final class RunLock: Sendable {
  private let descriptor: Int32
  /// The holder that ended without releasing the lock, if there was one.
  public let previous: LockHolder?

  /// - Parameters:
  ///   - holder: asked for when the lock has been taken.
  ///   - whileHeld: is called again and again with who holds the lock, until it is free; throws to
  ///     give up.
  public static func acquire(
    _ url: URL, as holder: @autoclosure () -> LockHolder,
    whileHeld: (LockHolder) throws -> Void
  ) throws -> RunLock {
    let path = url.path
    while true {
      // Never through a link: the file is cut to length 0.
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard descriptor >= 0 else {
        throw WorkflowError.cannotLock(path, reason: String(cString: strerror(errno)))
      }
      var request = wholeFile(F_WRLCK)
      if fcntl(descriptor, OpenFileLock.set, &request) == 0 {
        // Somebody may have replaced the file between its opening and its locking.
        if isFile(descriptor, at: path) { return try take(descriptor, url, as: holder()) }
        close(descriptor)
        continue
      }
      let code = errno
      close(descriptor)
      if code == EINTR { continue }
      guard code == EAGAIN || code == EACCES else {
        throw WorkflowError.cannotLock(path, reason: String(cString: strerror(code)))
      }
      try whileHeld(
        reader(url) ?? LockHolder(host: "unknown", pid: 0, pipeline: "unknown", since: "unknown"))
    }
  }

  /// Throws `WorkflowError.locked` at once when another process holds the lock.
  public static func acquire(_ url: URL, as holder: @autoclosure () -> LockHolder) throws
    -> RunLock
  {
    try acquire(url, as: holder()) { throw WorkflowError.locked($0, path: url.path) }
  }

  private static func take(_ descriptor: Int32, _ url: URL, as holder: LockHolder) throws
    -> RunLock
  {
    let previous = decode(url)
    let code = write(holder, to: descriptor)
    if code != 0 {
      close(descriptor)
      throw WorkflowError.cannotLock(url.path, reason: String(cString: strerror(code)))
    }
    return RunLock(descriptor: descriptor, previous: previous)
  }

  private static func wholeFile(_ type: some BinaryInteger) -> flock {
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

  /// Who holds the lock now; `nil` when it is free. Only asks: nobody who wants the lock is in
  /// the way of a reader, nor a reader in theirs.
  public static func holder(of url: URL) -> LockHolder? {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var request = wholeFile(F_WRLCK)
    guard fcntl(descriptor, OpenFileLock.get, &request) == 0, request.l_type != Int16(F_UNLCK)
    else {
      return nil
    }
    return reader(url)
  }

  /// A holder writes its name just after it took the lock: a reader gives it a moment.
  private static func reader(_ url: URL) -> LockHolder? {
    for _ in 0..<10 {
      if let holder = decode(url) { return holder }
      usleep(20_000)
    }
    return nil
  }

  private static func decode(_ url: URL) -> LockHolder? {
    guard let data = try? Data(contentsOf: url), !data.isEmpty else { return nil }
    return try? JSONDecoder().decode(LockHolder.self, from: data)
  }

  /// Gives back `errno` or 0.
  private static func write(_ holder: LockHolder, to descriptor: Int32) -> Int32 {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var data = try? encoder.encode(holder) else { return EINVAL }
    data.append(UInt8(ascii: "\n"))
    let bytes = [UInt8](data)
    let isWritten =
      ftruncate(descriptor, 0) == 0 && pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    return isWritten ? 0 : errno
  }

  private init(descriptor: Int32, previous: LockHolder?) {
    self.descriptor = descriptor
    self.previous = previous
  }

  deinit {
    _ = ftruncate(descriptor, 0)
    close(descriptor)
  }
}

/// `2026-11-24T12:00:00Z`.
public func timestamp(_ date: Date) -> String {
  date.formatted(Date.ISO8601FormatStyle(timeZone: .gmt))
}
