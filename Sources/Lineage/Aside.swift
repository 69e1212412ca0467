import Foundation

/// Where what is damaged goes: the same path below `damaged`, so that nothing is lost and nothing uses it
/// again. Where something lies there already, the next free name is taken (`NAME.1`, …).
enum Aside {
  /// The name that is tried first.
  static func url(_ url: URL, in folder: URL) -> URL {
    folder.appending(path: "damaged/" + Places.path(url, in: folder))
  }

  /// - Returns: the path within the store that it has now.
  @discardableResult
  static func move(_ url: URL, in folder: URL) throws(StoreError) -> String {
    var place = "damaged"
    let parts = Places.path(url, in: folder).split(separator: "/")
    for part in parts.dropLast() {
      place = try free("\(place)/\(part)", in: folder) { $0 == nil || $0 == .folder }
    }
    place = try free("\(place)/\(parts.last ?? "")", in: folder) { $0 == nil }
    let store = try StoreFolder(folder)
    let (source, name) = try store.place(of: url)
    let (target, new) = try store.place(of: folder.appending(path: place))
    try source.rename(name, to: new, in: target)
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
