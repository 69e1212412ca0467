import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Looking at what lies in a store.
///
/// Only what is not there is missing. What is there and cannot be read (no permission, a failing disk, too
/// many open files) may be whole: that is an error, and nothing is decided from it. Nothing follows a link
/// or waits for the other end of a FIFO.
package enum StoreFile {
  /// What lies somewhere.
  enum Kind: Sendable, Hashable, CustomStringConvertible {
    case file, folder, link
    /// By its name.
    case other(String)

    init(_ mode: mode_t) {
      switch mode & S_IFMT {
      case S_IFREG: self = .file
      case S_IFDIR: self = .folder
      case S_IFLNK: self = .link
      case S_IFIFO: self = .other("a FIFO")
      case S_IFSOCK: self = .other("a socket")
      default: self = .other("a device")
      }
    }

    var description: String {
      switch self {
      case .file: "a file"
      case .folder: "a folder"
      case .link: "a symbolic link"
      case .other(let name): name
      }
    }
  }

  /// Asked before every look; a code other than 0 makes it fail as the system's own would. Tests let disks
  /// fail with it.
  @TaskLocal static var injection: @Sendable (String) -> Int32 = { _ in 0 }

  /// What the system says of a name itself; `nil` when there is none.
  static func status(_ path: String) throws(StoreError) -> stat? {
    let fault = injection(path)
    var status = stat()
    if fault == 0, lstat(path, &status) == 0 { return status }
    let code = fault == 0 ? errno : fault
    if code == ENOENT { return nil }
    throw StoreError(code, reading: path)
  }

  static func kind(_ url: URL) throws(StoreError) -> Kind? {
    try status(url.path).map { Kind($0.st_mode) }
  }

  /// A file's content; `nil` when there is none.
  package static func read(_ url: URL) throws(StoreError) -> Data? {
    guard let file = try OpenFile(url.path) else { return nil }
    var data = Data()
    data.reserveCapacity(file.size)
    while true {
      // One byte more than there should be, so that the end is seen at once.
      let piece = try file.next(min(max(file.size - data.count, 0) + 1, 1 << 20))
      if piece.isEmpty { return data }
      data.append(contentsOf: piece)
    }
  }

  /// Reads a file for no other end than to see that it can be read.
  static func skim(_ path: String) throws(StoreError) {
    guard let file = try OpenFile(path) else { return }
    while try !file.next().isEmpty {}
  }

  /// The hash of a file's content; `nil` when there is none.
  ///
  /// - Parameter checkCancellation: is called between pieces of a mebibyte.
  static func hash(_ url: URL, checkCancellation: () throws -> Void = {}) throws -> String? {
    guard let file = try OpenFile(url.path) else { return nil }
    var hasher = SHA256()
    while true {
      let piece = try file.next()
      if piece.isEmpty { return hasher.finish() }
      try checkCancellation()
      piece.withUnsafeBytes { hasher.update($0) }
    }
  }

  /// The names in a folder, in order; none when there is no folder.
  package static func names(in folder: URL) throws(StoreError) -> [String] {
    let fault = injection(folder.path)
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let descriptor = fault == 0 ? open(folder.path, flags) : -1
    guard descriptor >= 0 else {
      let code = fault == 0 ? errno : fault
      if code == ENOENT { return [] }
      throw StoreError(code, reading: folder.path)
    }
    return try names(descriptor, folder.path)
  }

  /// Closes `descriptor`.
  static func names(_ descriptor: Int32, _ path: String) throws(StoreError) -> [String] {
    guard let stream = fdopendir(descriptor) else {
      let code = errno
      close(descriptor)
      throw StoreError(code, reading: path)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw StoreError(errno, reading: path) }
        return names.sorted()
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  /// An ordinary file, opened to be read.
  final class OpenFile {
    private let descriptor: Int32
    private let path: String
    let size: Int

    /// `nil` when there is no such file.
    init?(_ path: String) throws(StoreError) {
      let fault = StoreFile.injection(path)
      // A FIFO without a writer would be waited for.
      let flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC
      let descriptor = fault == 0 ? open(path, flags) : -1
      guard descriptor >= 0 else {
        let code = fault == 0 ? errno : fault
        if code == ENOENT { return nil }
        throw StoreError(code, reading: path)
      }
      var status = stat()
      let isKnown = fstat(descriptor, &status) == 0
      let code = errno
      guard isKnown, Kind(status.st_mode) == .file else {
        close(descriptor)
        if !isKnown { throw StoreError(code, reading: path) }
        throw .wrongKind(
          path: path, found: "\(Kind(status.st_mode))", needed: "\(Kind.file)")
      }
      self.descriptor = descriptor
      self.path = path
      size = Int(status.st_size)
    }

    /// At most `count` bytes; none at the end.
    func next(_ count: Int = 1 << 20) throws(StoreError) -> [UInt8] {
      var code: Int32 = 0
      let piece = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while true {
          let count = systemRead(descriptor, buffer.baseAddress, buffer.count)
          if count < 0 && errno == EINTR { continue }
          if count < 0 { code = errno }
          filled = max(0, count)
          return
        }
      }
      if code != 0 { throw StoreError(code, reading: path) }
      return piece
    }

    deinit { close(descriptor) }
  }
}

/// `StoreFile` has a `read` of its own.
private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int
{
  read(descriptor, bytes, count)
}

extension StoreError {
  /// What the system's `code` means for the reading of what is there.
  init(_ code: Int32, reading path: String) {
    if [ENOTDIR, ELOOP, ENXIO].contains(code) {
      // Something on the way is no folder, or what is there is no file.
      var place = URL(filePath: path)
      while place.path.count > 1 {
        var status = stat()
        if lstat(place.path, &status) == 0 {
          switch StoreFile.Kind(status.st_mode) {
          case .link: self = .link(path: place.path)
          case let kind:
            let needed = place.path == path && code == ENXIO ? StoreFile.Kind.file : .folder
            self = .wrongKind(path: place.path, found: "\(kind)", needed: "\(needed)")
          }
          return
        }
        place.deleteLastPathComponent()
      }
    }
    self = .cannotRead(path: path, reason: String(cString: strerror(code)))
  }
}
