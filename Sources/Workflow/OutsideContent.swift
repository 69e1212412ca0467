import Foundation
import Lineage

/// A parameter of a kind that names a file or a folder outside of the store, or a list of them.
///
/// Before a plan decides anything the path becomes the hash of what lies there, which goes into the key in its
/// place: the same content elsewhere is the same stage, and other content at the same place is another one.
package struct OutsideDeclaration: Sendable {
  package enum Form: Sendable {
    case file
    /// The files of one ending in a folder, not in those within it.
    case folder(ending: String)
    /// A file, or a folder with all that lies in it and below, but for what begins with a dot.
    case tree
  }
  /// The parameter's name; where its text is empty nothing is meant.
  package var parameter: String
  package var form: Form
  /// How to get it, for whoever lacks it.
  package var remedy: String

  package init(_ parameter: String, _ form: Form, remedy: String) {
    self.parameter = parameter
    self.form = form
    self.remedy = remedy
  }
}

/// What lies where a parameter says.
package struct OutsideContent: Sendable, Hashable {
  package let url: URL
  /// Of a file its own; of a folder that of its files' hashes and names, a line each, sorted.
  package let sha256: String
  /// Of a folder: the hash of each file by its name, of a tree by its path within it. Whoever reads one holds it
  /// against this.
  package let files: [String: String]

  /// Of a file.
  package var bytes: Int {
    get throws { try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0 }
  }

  /// What a plan found, as a work order tells it.
  init(_ url: URL, sha256: String, files: [String: String]) {
    self.url = url
    self.sha256 = sha256
    self.files = files
  }

  /// - Parameter checkCancellation: is called between files.
  init(
    _ url: URL, _ declaration: OutsideDeclaration, stage: String,
    checkCancellation: () throws -> Void = {}
  ) throws {
    self.url = url
    func absent(_ reason: String) -> WorkflowError {
      .outside(
        stage: stage, parameter: declaration.parameter, path: url.path, reason: reason,
        remedy: declaration.remedy)
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw absent("is not there")
    }
    func hash(_ file: URL) throws -> String {
      do {
        return try SHA256.hash(fileAt: file)
      } catch {
        throw absent("cannot be read: \(message(of: error))")
      }
    }
    /// The files of a folder, and its hash.
    func gather(_ names: [String]) throws -> (files: [String: String], sha256: String) {
      var found: [String: String] = [:]
      for name in names {
        try checkCancellation()
        found[name] = try hash(url.appending(path: name))
      }
      let lines = found.map { "\($0.value)  \($0.key)\n" }.sorted()
      return (found, SHA256.hash(Data(lines.joined().utf8)))
    }
    switch declaration.form {
    case .tree where isFolder.boolValue:
      let names = try Self.tree(url, absent)
      if names.isEmpty { throw absent("holds no file") }
      (files, sha256) = try gather(names)
    case .file, .tree:
      if isFolder.boolValue { throw absent("is a folder, a file is expected") }
      sha256 = try hash(url)
      files = [:]
    case .folder(let ending):
      if !isFolder.boolValue { throw absent("is a file, a folder is expected") }
      let names: [String]
      do {
        names = try FileManager.default.contentsOfDirectory(atPath: url.path)
          .filter { $0.hasSuffix(ending) }
      } catch {
        throw absent("cannot be read: \(message(of: error))")
      }
      if names.isEmpty { throw absent("holds no file that ends in \(ending)") }
      (files, sha256) = try gather(names)
    }
  }

  /// The paths of the files in a folder and below, from it. Links are followed to files alone: there are no rings.
  private static func tree(_ url: URL, _ absent: (String) -> WorkflowError) throws -> [String] {
    let all: [String]
    do {
      all = try FileManager.default.subpathsOfDirectory(atPath: url.path)
    } catch {
      throw absent("cannot be read: \(message(of: error))")
    }
    return all.filter { path in
      var isFolder: ObjCBool = false
      return !path.split(separator: "/").contains { $0.hasPrefix(".") }
        && FileManager.default.fileExists(
          atPath: url.appending(path: path).path, isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted()
  }
}

extension StageInstance {
  /// With the hashes of what lies outside in the place of its paths, which count from `folder`.
  func located(in folder: URL) throws -> StageInstance {
    if kind.outside.isEmpty { return self }
    guard case .object(var members) = parameters else { return self }
    var instance = self
    for declaration in kind.outside {
      func content(_ path: String) throws -> OutsideContent {
        try OutsideContent(
          URL(filePath: path, relativeTo: folder).standardizedFileURL, declaration, stage: name)
      }
      switch members[declaration.parameter] {
      case .string(let path)? where !path.isEmpty:
        let content = try content(path)
        members[declaration.parameter] = .string(content.sha256)
        instance.outside[declaration.parameter] = content
      case .array(let paths)?:
        let contents = try paths.compactMap(\.string).map(content)
        members[declaration.parameter] = .array(contents.map { .string($0.sha256) })
        for (place, content) in contents.enumerated() {
          instance.outside["\(declaration.parameter)[\(place)]"] = content
        }
      default: break
      }
    }
    instance.parameters = .object(members)
    return instance
  }
}
