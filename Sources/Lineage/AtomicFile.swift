import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files that are there whole or not at all, and on the disk before they are believed.
enum AtomicFile {
  /// Writes `data` beside `url`, then moves it there.
  static func write(_ data: Data, to url: URL, temporary: URL) throws(StoreError) {
    let draft = temporary.appending(path: "write-" + UUID().uuidString)
    do {
      try data.write(to: draft)
    } catch {
      try? FileManager.default.removeItem(at: draft)
      throw failure(error, path: url.path)
    }
    try move(draft, to: url)
  }

  /// Moves a finished file in place: its content reaches the disk first, then its name.
  static func move(_ draft: URL, to url: URL) throws(StoreError) {
    let folder = url.deletingLastPathComponent()
    try makeFolder(folder)
    try synchronize(draft)
    if rename(draft.path, url.path) != 0 {
      let reason = String(cString: strerror(errno))
      try? FileManager.default.removeItem(at: draft)
      throw .inputOutput(path: url.path, reason: reason)
    }
    try synchronize(folder)
  }

  static func makeFolder(_ url: URL) throws(StoreError) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(path: url.path, reason: reason(error))
    }
  }

  /// Waits until a file or a folder is on the disk.
  private static func synchronize(_ url: URL) throws(StoreError) {
    let descriptor = open(url.path, O_RDONLY)
    guard descriptor >= 0 else {
      throw .inputOutput(path: url.path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    if fsync(descriptor) != 0 {
      throw .inputOutput(path: url.path, reason: String(cString: strerror(errno)))
    }
  }

  static func failure(_ error: any Error, path: String) -> StoreError {
    if let error = error as? CocoaError {
      switch error.code {
      case .fileWriteNoPermission, .fileWriteVolumeReadOnly:
        return .cannotWrite(path: path, reason: reason(error))
      default: break
      }
    }
    return .inputOutput(path: path, reason: reason(error))
  }

  /// The system's own words where Foundation hides them.
  static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
    let posix = (underlying as? POSIXError) ?? (error as? POSIXError)
    if let posix { return String(cString: strerror(posix.code.rawValue)) }
    return error.localizedDescription
  }
}
