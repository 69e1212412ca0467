import Foundation

/// Files that a person named: where they lead is where their content goes.
package enum OutputFile {
  /// Replaces a plain file at once, and keeps its mode; a new name appears at once. Through a link,
  /// into a FIFO and onto a device it writes as any other program does.
  ///
  /// - Parameters:
  ///   - temporary: a folder of the same disk, where what is half written lies; beside it otherwise.
  ///   - mode: of a new file; without it, as the process makes files.
  /// - Throws: `StoreError.full`, `.cannotWrite` or `.inputOutput`, which name `url`.
  package static func write(_ data: Data, to url: URL, temporary: URL? = nil, mode: mode_t? = nil)
    throws(StoreError)
  {
    var named = stat()
    guard lstat(url.path, &named) == 0 else {
      if errno != ENOENT { throw StoreError(errno, writing: url) }
      return try AtomicFile.write(data, to: url, temporary: temporary, mode: mode)
    }
    guard named.st_mode & S_IFMT == S_IFREG else {
      return try write(data, to: url, flags: O_TRUNC | O_NOCTTY, shown: url)
    }
    // A file that is not to be written is not to be replaced.
    if access(url.path, W_OK) != 0 { throw StoreError(errno, writing: url) }
    try AtomicFile.write(
      data, to: url, temporary: temporary, mode: named.st_mode & 0o7777)
  }

  /// Says before any work what would keep a file from being written: only what can be known by looking.
  ///
  /// - Throws: as `write`.
  package static func check(_ url: URL) throws(StoreError) {
    var found = stat()
    if stat(url.path, &found) == 0 {
      if found.st_mode & S_IFMT == S_IFDIR { throw StoreError(EISDIR, writing: url) }
      if access(url.path, W_OK) != 0 { throw StoreError(errno, writing: url) }
      return
    }
    if errno != ENOENT { throw StoreError(errno, writing: url) }
    // What a link leads to may come to be anywhere.
    if lstat(url.path, &found) == 0 { return }
    try checkFolder(url.deletingLastPathComponent(), for: url)
  }

  /// The same of files in a folder that will be made where there is none.
  package static func check(filesIn folder: URL) throws(StoreError) {
    var place = folder.standardizedFileURL
    var found = stat()
    while lstat(place.path, &found) != 0, errno == ENOENT, place.path != "/" {
      place = place.deletingLastPathComponent().standardizedFileURL
    }
    try checkFolder(place, for: folder)
  }

  private static func checkFolder(_ folder: URL, for url: URL) throws(StoreError) {
    var found = stat()
    if stat(folder.path, &found) != 0 { throw StoreError(errno, writing: url) }
    if found.st_mode & S_IFMT != S_IFDIR { throw StoreError(ENOTDIR, writing: url) }
    if access(folder.path, W_OK | X_OK) != 0 { throw StoreError(errno, writing: url) }
  }

  /// Makes a folder, with those around it, for files that a person named; nothing where there is one.
  package static func makeFolder(_ url: URL) throws(StoreError) { try AtomicFile.makeFolder(url) }

  /// Writes to a file, which is made where there is none.
  ///
  /// - Parameter shown: the name that an error tells.
  static func write(_ data: Data, to file: URL, flags: Int32, shown: URL) throws(StoreError) {
    var descriptor: Int32
    repeat {
      descriptor = open(file.path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o644)
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw StoreError(errno, writing: shown, needed: data.count) }
    let sent = AtomicFile.send(data, to: descriptor)
    // Some file systems tell of a full disk only here.
    let code = close(descriptor) == 0 || sent != 0 ? sent : errno
    if code != 0 { throw StoreError(code, writing: shown, needed: data.count) }
  }

  /// Whether this process's standard output is that very file.
  package static func isStandardOutput(_ url: URL) -> Bool {
    var named = stat()
    var opened = stat()
    return stat(url.path, &named) == 0 && fstat(STDOUT_FILENO, &opened) == 0
      && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino
  }
}
