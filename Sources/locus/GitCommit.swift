import Foundation

/// The commit that the working copy around a folder stands on, read from git's own files; `nil`
/// outside of one. Running git would take longer than the rest of a run with nothing to do.
func gitCommit(around folder: URL) -> String? {
  var folder = folder.standardizedFileURL
  while true {
    if let found = gitFolder(folder.appending(path: ".git")) { return commit(in: found) }
    let parent = folder.deletingLastPathComponent().standardizedFileURL
    if parent.path == folder.path || folder.path == "/" { return nil }
    folder = parent
  }
}

/// `.git` is a folder, or in a linked working tree a file that names one.
private func gitFolder(_ url: URL) -> URL? {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    return nil
  }
  if isFolder.boolValue { return url }
  guard let path = line(url)?.trimmed(after: "gitdir: ") else { return nil }
  return resolved(path, from: url.deletingLastPathComponent())
}

private func resolved(_ path: String, from folder: URL) -> URL {
  path.hasPrefix("/") ? URL(filePath: path) : folder.appending(path: path).standardizedFileURL
}

private func commit(in folder: URL) -> String? {
  guard let head = line(folder.appending(path: "HEAD")) else { return nil }
  guard let reference = head.trimmed(after: "ref: ") else { return hash(head) }
  guard reference.hasPrefix("refs/"), !reference.contains("..") else { return nil }
  let common =
    line(folder.appending(path: "commondir")).map { resolved($0, from: folder) } ?? folder
  if let loose = line(common.appending(path: reference)) { return hash(loose) }
  let packed = try? String(contentsOf: common.appending(path: "packed-refs"), encoding: .utf8)
  let entry = packed?.split(separator: "\n").first { $0.hasSuffix(" \(reference)") }
  return entry.flatMap { hash(String($0.prefix { $0 != " " })) }
}

private func hash(_ text: String) -> String? {
  [40, 64].contains(text.count) && text.allSatisfy(\.isHexDigit) ? text : nil
}

private func line(_ url: URL) -> String? {
  (try? String(contentsOf: url, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
}

extension String {
  fileprivate func trimmed(after prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
