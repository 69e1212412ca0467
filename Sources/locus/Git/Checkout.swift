import Foundation

/// A working copy of git, as git's own files tell of it: that starts no program.
struct Checkout: Hashable {
  /// The working copy's upper folder.
  let top: URL
  /// The commit that it stands on.
  let commit: String
  /// Where git keeps what belongs to this working copy, and what to all of the repository.
  private let folders: [URL]

  /// The working copy around a folder; `nil` outside of one, and before its first commit.
  init?(around folder: URL) {
    var folder = folder.standardizedFileURL
    while true {
      if let found = Self.gitFolder(folder.appending(path: ".git")) {
        let common =
          Self.line(found.appending(path: "commondir")).map { Self.resolved($0, from: found) }
          ?? found
        guard let commit = Self.commit(in: found, common) else { return nil }
        top = folder
        self.commit = commit
        folders = [common, found]
        return
      }
      let parent = folder.deletingLastPathComponent().standardizedFileURL
      if parent.path == folder.path || folder.path == "/" { return nil }
      folder = parent
    }
  }

  /// Filters that the repository itself names, programs through which git would read files; `nil` where
  /// that cannot be told: it includes further settings, or has names that no command line can turn off.
  var filters: [String]? {
    var filters: Set<String> = []
    for name in ["config", "config.worktree"] {
      for folder in folders {
        guard let settings = try? Data(contentsOf: folder.appending(path: name)) else { continue }
        guard let found = Self.filters(in: settings) else { return nil }
        filters.formUnion(found)
      }
    }
    return filters.sorted()
  }

  /// By bytes: every run asks. A section may begin anywhere in a line.
  private static func filters(in settings: Data) -> [String]? {
    var filters: [String] = []
    for section in settings.split(separator: UInt8(ascii: "[")).dropFirst(
      settings.first == UInt8(ascii: "[") ? 0 : 1)
    {
      let word = section.prefix {
        ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z")
      }
      switch String(decoding: word.map { $0 | 0x20 }, as: UTF8.self) {
      case "include", "includeif": return nil
      case "filter":
        // `[filter "name"]`; what is written otherwise cannot be told for certain.
        let rest = section[word.endIndex...].drop { $0 == UInt8(ascii: " ") }
        guard rest.first == UInt8(ascii: "\""),
          let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\"")),
          let name = String(
            validating: rest[rest.index(after: rest.startIndex)..<end], as: UTF8.self),
          rest[end...].dropFirst().first == UInt8(ascii: "]"),
          !name.contains(where: { "\\=\n".contains($0) })
        else { return nil }
        filters.append(name)
      default: break
      }
    }
    return filters
  }

  /// `.git` is a folder, or in a linked working tree a file that names one.
  private static func gitFolder(_ url: URL) -> URL? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      return nil
    }
    if isFolder.boolValue { return url }
    guard let path = line(url)?.trimmed(after: "gitdir: ") else { return nil }
    return resolved(path, from: url.deletingLastPathComponent())
  }

  private static func resolved(_ path: String, from folder: URL) -> URL {
    path.hasPrefix("/") ? URL(filePath: path) : folder.appending(path: path).standardizedFileURL
  }

  private static func commit(in folder: URL, _ common: URL) -> String? {
    guard let head = line(folder.appending(path: "HEAD")) else { return nil }
    guard let reference = head.trimmed(after: "ref: ") else { return hash(head) }
    guard reference.hasPrefix("refs/"), !reference.contains("..") else { return nil }
    if let loose = line(common.appending(path: reference)) { return hash(loose) }
    let packed = try? String(contentsOf: common.appending(path: "packed-refs"), encoding: .utf8)
    let entry = packed?.split(separator: "\n").first { $0.hasSuffix(" \(reference)") }
    return entry.flatMap { hash(String($0.prefix { $0 != " " })) }
  }

  private static func hash(_ text: String) -> String? {
    [40, 64].contains(text.count) && text.allSatisfy(\.isHexDigit) ? text : nil
  }

  private static func line(_ url: URL) -> String? {
    (try? String(contentsOf: url, encoding: .utf8))?.trimmingCharacters(
      in: .whitespacesAndNewlines)
  }
}

extension String {
  fileprivate func trimmed(after prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
