import Foundation
import Lineage

/// Who holds the lock of a store.
package struct LockHolder: Sendable, Hashable, Codable, CustomStringConvertible {
  package var host: String
  package var pid: Int32
  /// With `bootID`, tells this process from a later one of the same number; `nil` where the
  /// system does not say.
  package var processStart: String?
  package var bootID: String?
  package var pipeline: String
  /// UTC, ISO 8601.
  package var since: String

  /// The process that calls, now.
  package static func current(pipeline: String, now: Date = Date()) -> LockHolder {
    LockHolder(
      host: ProcessInfo.processInfo.hostName, pid: getpid(),
      processStart: process(getpid())?.start, bootID: currentBoot(),
      pipeline: pipeline, since: timestamp(now))
  }

  /// Whether it was a process of this machine, which has it no more as far as it says. One in a
  /// container, whose processes this one may not see, can look so while it lives.
  package var hasEnded: Bool {
    guard host == ProcessInfo.processInfo.hostName else { return false }
    if isOfEarlierBoot || (kill(pid, 0) != 0 && errno == ESRCH) { return true }
    guard let processStart, let found = Self.process(pid) else { return false }
    return found.start != processStart || found.isZombie
  }

  private static func process(_ pid: Int32) -> (start: String, isZombie: Bool)? {
    let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    // The program's name, in brackets, may hold spaces: fields are counted after it.
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 19 ? (String(fields[19]), fields[0] == "Z") : nil
  }

  /// Whether the machine was started anew since, as far as it says.
  package var isOfEarlierBoot: Bool {
    guard let bootID, let now = Self.currentBoot() else { return false }
    return bootID != now
  }

  private static func currentBoot() -> String? {
    (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  package var description: String {
    "pipeline `\(pipeline)`, process \(pid) on \(host), since \(since)"
  }
}

/// What is known of who holds a lock.
package enum LockOwner: Sendable, Hashable, CustomStringConvertible {
  case named(LockHolder)
  /// The last that named itself has ended. A child that it forked holds the lock until its exec, or
  /// a new holder that is about to name itself.
  case successor(of: LockHolder)
  case unnamed

  package var description: String {
    switch self {
    case .named(let holder): holder.description
    case .successor(let holder):
      "\(LockOwner.unnamed); the last that did has ended as far as can be seen from here:"
        + " \(holder.description)"
    case .unnamed: "another process that has not said who it is"
    }
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
///
/// A child shares the lock from its fork until its exec. So a lock is ended by word, not by closing
/// its file alone, and a lock that was left by a killed process may last a moment longer than it.
package final class RunLock: Sendable {
  private let descriptor: Int32
  /// The holder that ended without releasing the lock, if there was one.
  package let previous: LockHolder?

  /// How long a holder that cannot be named may be one that is about to let go or to name itself.
  package static let moment = Duration.seconds(1)

  /// - Parameters:
  ///   - holder: asked for when the lock has been taken.
  ///   - moment: how long a holder that cannot be named is waited for before `whileHeld` hears of it.
  ///   - whileHeld: is called again and again with who holds the lock, until it is free; throws to
  ///     give up.
  package static func acquire(
    _ url: URL, as holder: @autoclosure () -> LockHolder, moment: Duration = RunLock.moment,
    whileHeld: (LockOwner) throws -> Void
  ) throws -> RunLock {
    let path = url.path
    var end: ContinuousClock.Instant?
    while true {
      // Never through a link: the file is cut to length 0.
      let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
      let descriptor = open(path, flags, 0o644)
      guard descriptor >= 0 else {
        throw WorkflowError.cannotLock(path, reason: String(cString: strerror(errno)))
      }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        close(descriptor)
        throw WorkflowError.cannotLock(path, reason: "it is no ordinary file")
      }
      var request = wholeFile(F_WRLCK)
      if fcntl(descriptor, OpenFileLock.set, &request) == 0 {
        // Somebody may have replaced the file between its opening and its locking.
        if isFile(descriptor, at: path) { return take(descriptor, url, as: holder()) }
        release(descriptor)
        continue
      }
      let code = errno
      close(descriptor)
      if code == EINTR { continue }
      guard code == EAGAIN || code == EACCES else {
        throw WorkflowError.cannotLock(path, reason: String(cString: strerror(code)))
      }
      let owner = owner(url)
      if case .named = owner {
        end = nil
      } else {
        let now = ContinuousClock.now
        let last = end ?? now + moment
        end = last
        if now < last {
          usleep(pause)
          continue
        }
      }
      try whileHeld(owner)
    }
  }

  /// Throws `WorkflowError.locked` when another process holds the lock: at once if that is named.
  package static func acquire(
    _ url: URL, as holder: @autoclosure () -> LockHolder, moment: Duration = RunLock.moment
  ) throws -> RunLock {
    try acquire(url, as: holder(), moment: moment) {
      throw WorkflowError.locked($0, path: url.path)
    }
  }

  /// The name is for people: a full disk may have no room for it, and room is what `gc` makes.
  private static func take(_ descriptor: Int32, _ url: URL, as holder: LockHolder) -> RunLock {
    let previous = decode(url)
    write(holder, to: descriptor)
    return RunLock(descriptor: descriptor, previous: previous)
  }

  /// Closing alone would leave the lock to a child that shares it.
  private static func release(_ descriptor: Int32) {
    var request = wholeFile(F_UNLCK)
    _ = fcntl(descriptor, OpenFileLock.set, &request)
    close(descriptor)
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

  /// Whether anybody holds the lock now. Only asks: nobody who wants the lock is in the way of a
  /// reader, nor a reader in theirs.
  package static func isHeld(_ url: URL) -> Bool {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var request = wholeFile(F_WRLCK)
    return fcntl(descriptor, OpenFileLock.get, &request) == 0 && request.l_type != Int16(F_UNLCK)
  }

  /// Who holds the lock now; `nil` when it is free, or when its holder does not name itself within
  /// a fifth of a second.
  package static func holder(of url: URL) -> LockHolder? {
    for _ in 0..<10 {
      guard isHeld(url) else { return nil }
      if let holder = decode(url) { return holder }
      usleep(2 * pause)
    }
    return nil
  }

  /// Microseconds between two looks at a lock.
  private static let pause: UInt32 = 10_000

  private static func owner(_ url: URL) -> LockOwner {
    guard let holder = decode(url) else { return .unnamed }
    return holder.hasEnded ? .successor(of: holder) : .named(holder)
  }

  private static func decode(_ url: URL) -> LockHolder? {
    guard let data = try? StoreFile.read(url), !data.isEmpty else { return nil }
    return try? JSONDecoder().decode(LockHolder.self, from: data)
  }

  private static func write(_ holder: LockHolder, to descriptor: Int32) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var data = try? encoder.encode(holder), ftruncate(descriptor, 0) == 0 else { return }
    data.append(UInt8(ascii: "\n"))
    let bytes = [UInt8](data)
    // What a full disk took of it names nobody.
    if pwrite(descriptor, bytes, bytes.count, 0) != bytes.count { _ = ftruncate(descriptor, 0) }
  }

  private init(descriptor: Int32, previous: LockHolder?) {
    self.descriptor = descriptor
    self.previous = previous
  }

  deinit {
    // Its name first: the next holder may write its own as soon as the lock is free.
    _ = ftruncate(descriptor, 0)
    Self.release(descriptor)
  }
}

/// `2026-11-24T12:00:00Z`.
package func timestamp(_ date: Date) -> String {
  date.formatted(Date.ISO8601FormatStyle(timeZone: .gmt))
}
