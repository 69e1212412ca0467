import Foundation

/// What an unfinished execution has done so far: named blobs in `checkpoints/KEY`.
///
/// A manifest names the blobs with their hashes. It is written last and replaces its predecessor at
/// once, so that a crash at any moment leaves the older state or the newer one, never a mixture.
package struct CheckpointFolder: Sendable {
  /// What a manifest says; its own hash guards it as a receipt's does.
  package struct Manifest: Sendable, Codable, Hashable, ReceiptContent {
    struct Blob: Sendable, Codable, Hashable {
      var sha256: String
      var bytes: Int
    }
    package var kind: String
    package var version: Int
    /// UTC, ISO 8601.
    package var savedAt: String
    /// What the work so far took.
    package var wallSeconds: Double
    package var cpuSeconds: Double
    var blobs: [String: Blob]
  }

  private let store: URL
  private let name: String

  /// - Parameter key: of the execution; 64 hexadecimal digits, or nothing is ever kept.
  package init(store: Store, key: String) { self.init(folder: store.folder, key: key) }

  /// - Parameter folder: where objects lie.
  package init(folder: URL, key: String) {
    store = folder
    name = "checkpoints/" + (SHA256.isHash(key) ? key : "none")
  }

  /// The keys of the executions that have one.
  package static func keys(in store: Store) throws(StoreError) -> [String] {
    try keys(in: store.folder)
  }

  static func keys(in store: URL) throws(StoreError) -> [String] {
    try StoreFile.names(in: store.appending(path: "checkpoints")).filter(SHA256.isHash)
  }

  private var folder: URL { store.appending(path: name) }

  private static let manifestName = "manifest.json"

  private var manifestURL: URL { folder.appending(path: Self.manifestName) }

  private func url(_ blob: Manifest.Blob) -> URL { folder.appending(path: blob.sha256) }

  /// `nil` when nothing was kept; throws when it is damaged.
  package func manifest() throws(StoreError) -> Manifest? {
    try Places.check(folder, is: .folder)
    guard try StoreFile.kind(manifestURL) != nil else { return nil }
    let manifest = try Receipt.read(Manifest.self, from: manifestURL)
    if let odd = manifest.blobs.values.first(where: { !SHA256.isHash($0.sha256) }) {
      throw .damaged(path: manifestURL.path, reason: "\(odd.sha256.prefix(80)) is no hash")
    }
    return manifest
  }

  /// `nil` also when it is damaged.
  package func wholeManifest() throws(StoreError) -> Manifest? {
    do {
      return try manifest()
    } catch .damaged {
      return nil
    }
  }

  /// The blobs of a manifest, each with the hash that it had.
  package func blobs(of manifest: Manifest) throws(StoreError) -> [String: Data] {
    var result: [String: Data] = [:]
    for (name, blob) in manifest.blobs {
      let data: Data?
      do {
        data = try StoreFile.read(url(blob))
      } catch .link, .wrongKind {
        data = nil
      }
      guard let data, data.count == blob.bytes, SHA256.hash(data) == blob.sha256 else {
        throw .damaged(path: url(blob).path, reason: "is not what was saved")
      }
      result[name] = data
    }
    return result
  }

  /// Keeps `blobs` beside those of `manifest` that have other names.
  package func save(
    _ blobs: [String: Data], kind: String, version: Int, wallSeconds: Double, cpuSeconds: Double,
    after manifest: Manifest?
  ) throws(StoreError) -> Manifest {
    try Places.check(folder, is: .folder)
    var new = Manifest(
      kind: kind, version: version, savedAt: timestamp(), wallSeconds: wallSeconds,
      cpuSeconds: cpuSeconds, blobs: manifest?.blobs ?? [:])
    for (name, data) in blobs {
      let blob = Manifest.Blob(sha256: SHA256.hash(data), bytes: data.count)
      if manifest?.blobs.values.contains(blob) != true {
        try AtomicFile.write(data, to: url(blob), in: store)
      }
      new.blobs[name] = blob
    }
    try AtomicFile.write(
      try Receipt.data(new, path: manifestURL.path), to: manifestURL, in: store)
    let kept = Set(new.blobs.values.map(\.sha256))
    try Self.removeFiles(of: name, from: store) { $0 != Self.manifestName && !kept.contains($0) }
    return new
  }

  /// The manifest goes first: what is left after a crash is no checkpoint.
  package func remove() throws(StoreError) { try Self.remove(name, from: store) }

  static func remove(_ path: String, from store: URL) throws(StoreError) {
    try Places.check(store.appending(path: path), is: .folder)
    let place = try StoreFolder(store)
    try place.removeFile("\(path)/\(manifestName)")
    try removeFiles(of: path, from: store) { _ in true }
    try place.removeIfEmpty(path)
  }

  /// Files that a checkpoint is made of; what else lies there stays.
  private static func removeFiles(
    of path: String, from store: URL, where isGone: (String) -> Bool
  ) throws(StoreError) {
    let place = try StoreFolder(store)
    for file in try StoreFile.names(in: store.appending(path: path))
    where (file == manifestName || SHA256.isHash(file)) && isGone(file) {
      try place.removeFile("\(path)/\(file)")
    }
  }
}
