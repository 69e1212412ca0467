import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where what is damaged goes: the same path below `damaged`, so that nothing is lost and nothing uses it
/// again. Where something lies there already, the next free name is taken (`NAME.1`, …).
enum Aside {
  /// The name that is tried first.
  static func url(_ url: URL, in folder: URL) -> URL {
    folder.appending(path: "damaged/" + path(url, in: folder))
  }

  private static func path(_ url: URL, in folder: URL) -> String {
    url.pathComponents.dropFirst(folder.pathComponents.count).joined(separator: "/")
  }

  /// - Returns: the path within the store that it has now.
  @discardableResult
  static func move(_ url: URL, in folder: URL) throws(StoreError) -> String {
    var place = "damaged"
    try AtomicFile.makeFolder(folder.appending(path: place))
    let parts = path(url, in: folder).split(separator: "/")
    for part in parts.dropLast() {
      place = try free("\(place)/\(part)", in: folder) { $0 == nil || $0 == .folder }
      try AtomicFile.makeFolder(folder.appending(path: place))
    }
    place = try free("\(place)/\(parts.last ?? "")", in: folder) { $0 == nil }
    let target = folder.appending(path: place)
    let fault = AtomicFile.injection(.rename, target)
    if fault != 0 || rename(url.path, target.path) != 0 {
      throw StoreError(fault == 0 ? errno : fault, writing: target)
    }
    return place
  }

  private static func free(
    _ path: String, in folder: URL, _ isFree: (StoreFile.Kind?) -> Bool
  ) throws(StoreError) -> String {
    var name = path
    var number = 0
    while !isFree(try StoreFile.kind(folder.appending(path: name))) {
      number += 1
      name = "\(path).\(number)"
    }
    return name
  }
}
