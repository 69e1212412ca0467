import Foundation

/// What the file system says of a file without reading it. All of it changes when the content does,
/// even when somebody sets the time of modification back: nobody can set `changed`.
struct FileStamp: Sendable, Hashable {
  var device: UInt64
  var inode: UInt64
  var size: UInt64
  /// Nanoseconds since 1970.
  var modified: Int64
  var changed: Int64

  /// `nil` for anything but an ordinary file.
  init?(path: String) throws(StoreError) {
    guard let status = try StoreFile.status(path), StoreFile.Kind(status.st_mode) == .file else {
      return nil
    }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = UInt64(status.st_size)
    #if canImport(Darwin)
      let (modification, change) = (status.st_mtimespec, status.st_ctimespec)
    #else
      let (modification, change) = (status.st_mtim, status.st_ctim)
    #endif
    modified = Self.nanoseconds(modification)
    changed = Self.nanoseconds(change)
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    // Anybody can set a time that nanoseconds since 1970 do not reach.
    let (seconds, isOut) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isBeyond) = seconds.addingReportingOverflow(Int64(time.tv_nsec))
    return isOut || isBeyond ? (time.tv_sec < 0 ? .min : .max) : sum
  }

  fileprivate init?(_ fields: ArraySlice<ArraySlice<UInt8>>) {
    let values = fields.compactMap(Self.number)
    guard values.count == 5, fields.count == 5 else { return nil }
    device = UInt64(bitPattern: values[0])
    inode = UInt64(bitPattern: values[1])
    size = UInt64(bitPattern: values[2])
    (modified, changed) = (values[3], values[4])
  }

  /// A decimal number of an `Int64`.
  private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
    let isNegative = digits.first == UInt8(ascii: "-")
    var value: Int64 = 0
    for digit in isNegative ? digits.dropFirst() : digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      let (tens, isOut) = value.multipliedReportingOverflow(by: 10)
      let next = Int64(digit - UInt8(ascii: "0"))
      let (sum, isBeyond) = tens.addingReportingOverflow(isNegative ? -next : next)
      if isOut || isBeyond { return nil }
      value = sum
    }
    return digits.count > (isNegative ? 1 : 0) ? value : nil
  }

  fileprivate var text: String {
    let numbers = [device, inode, size].map { Int64(bitPattern: $0) } + [modified, changed]
    return numbers.map(String.init).joined(separator: " ")
  }
}

/// Remembers which objects had their own hash, so that a run need not read them all again.
///
/// An object counts as read while its stamp is the one it had then. A file that changes during or
/// just after the reading could keep its stamp, since clocks have ticks; so a stamp is remembered
/// only if it was already old when the reading began (git does likewise with what it calls racily
/// clean entries).
package final class HashMemory {
  /// Older than this is old: more than any file system's tick (FAT has two seconds).
  static let settled: Int64 = 3_000_000_000
  private static let heading = "locus object stamps 1"

  private let store: Store
  /// With the slash at its end: paths are made for every object of every run.
  private let objects: String
  private let now: () -> Date
  private var stamps: [String: FileStamp] = [:]
  private var isChanged = false

  /// Reads what is remembered in a store; what cannot be read is forgotten.
  package convenience init(_ store: Store) { self.init(store, now: { Date() }) }

  init(_ store: Store, now: @escaping () -> Date) {
    self.store = store
    self.now = now
    objects = store.folder.appending(path: "objects").path + "/"
    guard let data = try? StoreFile.read(Self.url(in: store)) else { return }
    var lines = [UInt8](data).split(separator: UInt8(ascii: "\n"))
    guard lines.first.map({ String(decoding: $0, as: UTF8.self) }) == Self.heading else { return }
    lines.removeFirst()
    stamps.reserveCapacity(lines.count)
    for line in lines {
      let fields = line.split(separator: UInt8(ascii: " "))
      guard fields.count == 6, let stamp = FileStamp(fields[1...]) else { continue }
      stamps[String(decoding: fields[0], as: UTF8.self)] = stamp
    }
  }

  private static func url(in store: Store) -> URL { store.folder.appending(path: "stamps") }

  /// Whether an object has the stamp that it had when it was last read, and nobody found it damaged.
  package func isKnown(_ sha256: String) throws(StoreError) -> Bool {
    guard let stamp = stamps[sha256], !store.doubts.objects.contains(sha256) else { return false }
    return try FileStamp(path: "\(objects)\(sha256.prefix(2))/\(sha256.dropFirst(2))") == stamp
  }

  /// Whether an object is what its hash says. Reads it.
  ///
  /// - Parameter checkCancellation: is called between pieces of a file that is read.
  /// - Throws: also when it cannot be read; then nobody knows.
  package func isIntact(_ sha256: String, checkCancellation: () throws -> Void = {}) throws -> Bool
  {
    let url = store.objectURL(sha256)
    guard let before = try FileStamp(path: url.path) else { return false }
    isChanged = stamps.removeValue(forKey: sha256) != nil || isChanged
    let start = Int64(now().timeIntervalSince1970 * 1e9)
    let found = try StoreFile.hash(url, checkCancellation: checkCancellation)
    guard found == sha256 else { return false }
    let isSettled = max(before.modified, before.changed) < start - Self.settled
    if isSettled, try FileStamp(path: url.path) == before {
      stamps[sha256] = before
      isChanged = true
    }
    return true
  }

  /// Where an object lies that is what its hash says: by its stamp, else by reading it.
  ///
  /// - Throws: `StoreError.damaged`, also for one that is not there.
  package func intactObject(_ sha256: String) throws -> URL {
    let url = store.objectURL(sha256)
    if try isKnown(sha256) || isIntact(sha256) { return url }
    let isThere = try StoreFile.kind(url) != nil
    throw StoreError.damaged(
      path: url.path, reason: isThere ? "its content has another hash" : "it is missing")
  }

  /// Keeps what was learnt. That it cannot be kept only costs time.
  package func save() {
    if !isChanged { return }
    let lines = stamps.map { "\($0.key) \($0.value.text)" }.sorted()
    let text = ([Self.heading] + lines).joined(separator: "\n") + "\n"
    do {
      try AtomicFile.write(
        Data(text.utf8), to: Self.url(in: store), in: store.folder, isLasting: false)
      isChanged = false
    } catch {}
  }
}
