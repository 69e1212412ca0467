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

  private let folder: URL
  private let temporary: URL

  /// - Parameter key: of the execution; 64 hexadecimal digits, or nothing is ever kept.
  package init(store: Store, key: String) {
    folder = Self.all(store).appending(path: SHA256.isHash(key) ? key : "none")
    temporary = store.temporaryFolder
  }

  private static func all(_ store: Store) -> URL { store.folder.appending(path: "checkpoints") }

  /// The keys of the executions that have one.
  package static func keys(in store: Store) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: all(store).path)
    return (names ?? []).filter(SHA256.isHash).sorted()
  }

  private var manifestURL: URL { folder.appending(path: "manifest.json") }

  private func url(_ blob: Manifest.Blob) -> URL { folder.appending(path: blob.sha256) }

  /// `nil` when nothing was kept; throws when it is damaged.
  package func manifest() throws(StoreError) -> Manifest? {
    guard FileManager.default.fileExists(atPath: manifestURL.path) else { return nil }
    let manifest = try Receipt.read(Manifest.self, from: manifestURL)
    if let odd = manifest.blobs.values.first(where: { !SHA256.isHash($0.sha256) }) {
      throw .damaged(path: manifestURL.path, reason: "\(odd.sha256.prefix(80)) is no hash")
    }
    return manifest
  }

  /// The blobs of a manifest, each with the hash that it had.
  package func blobs(of manifest: Manifest) throws(StoreError) -> [String: Data] {
    var result: [String: Data] = [:]
    for (name, blob) in manifest.blobs {
      guard let data = try? Data(contentsOf: url(blob), options: .mappedIfSafe),
        data.count == blob.bytes, SHA256.hash(data) == blob.sha256
      else { throw .damaged(path: url(blob).path, reason: "is not what was saved") }
      result[name] = data
    }
    return result
  }

  /// Keeps `blobs` beside those of `manifest` that have other names.
  package func save(
    _ blobs: [String: Data], kind: String, version: Int, wallSeconds: Double, cpuSeconds: Double,
    after manifest: Manifest?
  ) throws(StoreError) -> Manifest {
    var new = Manifest(
      kind: kind, version: version, savedAt: timestamp(), wallSeconds: wallSeconds,
      cpuSeconds: cpuSeconds, blobs: manifest?.blobs ?? [:])
    for (name, data) in blobs {
      let blob = Manifest.Blob(sha256: SHA256.hash(data), bytes: data.count)
      if manifest?.blobs.values.contains(blob) != true {
        try AtomicFile.write(data, to: url(blob), temporary: temporary)
      }
      new.blobs[name] = blob
    }
    try AtomicFile.write(
      try Receipt.data(new, path: manifestURL.path), to: manifestURL, temporary: temporary)
    let kept = Set(new.blobs.values.map(\.sha256))
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    for name in names ?? [] where SHA256.isHash(name) && !kept.contains(name) {
      try? FileManager.default.removeItem(at: folder.appending(path: name))
    }
    return new
  }

  /// The manifest goes first: what is left after a crash is no checkpoint.
  package func remove() {
    try? FileManager.default.removeItem(at: manifestURL)
    try? FileManager.default.removeItem(at: folder)
  }
}
