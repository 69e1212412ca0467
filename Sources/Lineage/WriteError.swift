import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

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
