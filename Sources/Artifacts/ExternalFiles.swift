import External
import Foundation
import Workflow

/// The folder where a peer starts: what it needs under the names that it knows, and nothing else.
///
/// Small files are copies, for a program looks beside a script where it really lies; large ones are links to
/// objects, which are read-only. The folder goes with this value.
final class ExternalFiles: Sendable {
  let url: URL
  private static let largestCopy = 16 << 20

  /// - Parameter files: by path from the folder.
  init(_ files: [(path: String, file: StageFile)]) throws {
    let manager = FileManager.default
    url = manager.temporaryDirectory.appending(path: "locus-peer-\(UUID().uuidString)")
    try manager.createDirectory(at: url, withIntermediateDirectories: true)
    do {
      for (path, file) in files {
        let target = url.appending(path: path)
        try manager.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        if try file.size <= Self.largestCopy {
          try file.data().write(to: target)
        } else {
          try manager.createSymbolicLink(
            at: target, withDestinationURL: file.url.absoluteURL.resolvingSymlinksInPath())
        }
      }
    } catch {
      try? manager.removeItem(at: url)
      throw error
    }
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}

extension DenoiserManifest.External {
  /// The model, started and asked who it is.
  ///
  /// - Throws: `PeerError`, of another model than this describes among them.
  package func denoiser(
    object: (String) throws -> StageFile, note: @escaping @Sendable (String) -> Void,
    checkCancellation: @escaping @Sendable () throws -> Void
  ) throws -> ExternalDenoiser {
    let peer = try started(object, note, checkCancellation)
    return try ExternalDenoiser(peer, directions: directions, note: note)
  }

  /// The same of any shape.
  package func model(
    object: (String) throws -> StageFile, note: @escaping @Sendable (String) -> Void,
    checkCancellation: @escaping @Sendable () throws -> Void
  ) throws -> PeerModel { PeerModel(try started(object, note, checkCancellation)) }

  private func started(
    _ object: (String) throws -> StageFile, _ note: @escaping @Sendable (String) -> Void,
    _ checkCancellation: @escaping @Sendable () throws -> Void
  ) throws -> Peer {
    let peer = try Self.peer(
      command, files.map { ($0.path, try object($0.sha256)) }, timeout: timeout, note: note,
      checkCancellation: checkCancellation)
    try peer.require(identity: identity)
    return peer
  }

  /// A program in a folder of its own.
  package static func peer(
    _ command: [String], _ files: [(path: String, file: StageFile)], timeout: Double,
    note: @escaping @Sendable (String) -> Void,
    checkCancellation: @escaping @Sendable () throws -> Void
  ) throws -> Peer {
    let folder = try ExternalFiles(files)
    return try Peer(
      PeerCommand(command, in: folder.url.path, limit: timeout), keeping: folder,
      checkCancellation: checkCancellation,
      hear: { note("was told by its peer: \($0)") })
  }
}
