import CSQLite
import Foundation
import Synchronization

@testable import Lineage

/// A disk that refuses to be written to from the nth step on, for files below one folder: those that
/// Locus writes itself, and those that SQLite does.
final class FaultyDisk: Sendable {
  private struct State {
    var steps = 0
    var first = Int.max
    var last = Int.max
    var code: Int32 = 0
    var hasFailed = false
  }

  private let state = Mutex(State())
  private let folder: String

  init(below folder: URL) {
    self.folder = folder.path + "/"
    _ = Self.install
    Self.disks.withLock { $0.append(self) }
  }

  /// Runs `body` with the steps from `first` to `last` failing with the system's `code`.
  func withFault<T>(
    _ code: Int32, from first: Int = .max, to last: Int = .max, _ body: () throws -> T
  ) rethrows -> T {
    state.withLock { $0 = State(first: first, last: last, code: code) }
    defer { state.withLock { $0.first = .max } }
    return try AtomicFile.$injection.withValue(
      { [self] _, url in url.path.hasPrefix(folder) ? step() : 0 }, operation: body)
  }

  var steps: Int { state.withLock { $0.steps } }
  var hasFailed: Bool { state.withLock { $0.hasFailed } }

  private func step() -> Int32 {
    state.withLock { state in
      state.steps += 1
      guard state.first <= state.steps, state.steps <= state.last else { return 0 }
      state.hasFailed = true
      return state.code
    }
  }

  /// The code with which a write of SQLite's to this file fails, or 0.
  fileprivate static func fault(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
    let path = file.flatMap { file in paths.withLock { $0[UInt(bitPattern: file)] } } ?? ""
    let disk = disks.withLock { disks in disks.first { path.hasPrefix($0.folder) } }
    return disk?.step() ?? 0
  }

  private static let disks = Mutex<[FaultyDisk]>([])
  fileprivate static let paths = Mutex<[UInt: String]>([:])
  /// A file's own methods, by the file.
  fileprivate static let methods = Mutex<[UInt: UInt]>([:])

  /// Puts itself before SQLite's own file system, for every connection that is opened from here on.
  private static let install: Void = {
    guard let own = sqlite3_vfs_find(nil) else { return }
    let shim = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    shim.initialize(to: own.pointee)
    shim.pointee.zName = UnsafePointer(strdup("locus-faulty"))
    shim.pointee.pNext = nil
    shim.pointee.xOpen = { _, name, file, flags, out in
      guard let own = sqlite3_vfs_find("unix"), let file,
        let code = own.pointee.xOpen?(own, name, file, flags, out)
      else { return SQLITE_ERROR }
      guard code == SQLITE_OK, let name, let methods = file.pointee.pMethods else { return code }
      let key = UInt(bitPattern: file)
      FaultyDisk.paths.withLock { $0[key] = String(cString: name) }
      FaultyDisk.methods.withLock { $0[key] = UInt(bitPattern: methods) }
      let table = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
      table.initialize(to: methods.pointee)
      table.pointee.xWrite = { file, bytes, count, offset in
        let code = FaultyDisk.fault(file)
        if code != 0 {
          errno = code
          return code == ENOSPC ? SQLITE_FULL : SQLITE_IOERR | 3 << 8
        }
        return ownMethods(file)?.pointee.xWrite?(file, bytes, count, offset) ?? SQLITE_ERROR
      }
      file.pointee.pMethods = UnsafePointer(table)
      return code
    }
    sqlite3_vfs_register(shim, 1)
  }()
}

private func ownMethods(_ file: UnsafeMutablePointer<sqlite3_file>?)
  -> UnsafePointer<sqlite3_io_methods>?
{
  guard let file else { return nil }
  let address = FaultyDisk.methods.withLock { $0[UInt(bitPattern: file)] }
  return address.flatMap { UnsafePointer(bitPattern: $0) }
}
