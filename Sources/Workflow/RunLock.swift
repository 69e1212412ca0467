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
    let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    return LockHolder(
      host: ProcessInfo.processInfo.hostName, pid: getpid(),
      processStart: fields.count > 19 ? String(fields[19]) : nil,
      bootID: boot?.trimmingCharacters(in: .whitespacesAndNewlines),
      pipeline: pipeline, since: timestamp(now))
  }

  public var description: String {
    "pipeline `\(pipeline)`, process \(pid) on \(host), since \(since)"
  }
}

/// The right to run stages in a store. One process has it; readers never need it.
///
/// The kernel ends an `flock` with its process, however that ends: a dead holder blocks nobody.
/// The file's text only says who it is, and stays in place, because removing a locked file lets
/// two processes hold locks of the same name.
public final class RunLock: Sendable {
  private let descriptor: Int32
  /// The holder that ended without releasing the lock, if there was one.
  public let previous: LockHolder?

  public static func acquire(_ url: URL, as holder: LockHolder) throws(WorkflowError) -> RunLock {
    let path = url.path
    // Never through a link: the file is cut to length 0.
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw .cannotLock(path, reason: String(cString: strerror(errno))) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      close(descriptor)
      guard code == EWOULDBLOCK else {
        throw .cannotLock(path, reason: String(cString: strerror(code)))
      }
      throw .locked(
        reader(url) ?? LockHolder(host: "unknown", pid: 0, pipeline: "unknown", since: "unknown"),
        path: path)
    }
    let previous = decode(url)
    do {
      try write(holder, to: descriptor)
    } catch {
      close(descriptor)
      throw .cannotLock(path, reason: String(cString: strerror(error.code)))
    }
    return RunLock(descriptor: descriptor, previous: previous)
  }

  /// Who holds the lock now; `nil` when it is free.
  public static func holder(of url: URL) -> LockHolder? {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
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

  private struct SystemError: Error {
    var code: Int32
  }

  private static func write(_ holder: LockHolder, to descriptor: Int32) throws(SystemError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var data = try? encoder.encode(holder) else { throw SystemError(code: EINVAL) }
    data.append(UInt8(ascii: "\n"))
    let bytes = [UInt8](data)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else { throw SystemError(code: errno) }
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
