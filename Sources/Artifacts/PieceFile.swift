import Formats
import Foundation
import Lineage
import Workflow

/// An output that is written piece by piece: a set of any size in the memory of a piece.
package final class PieceFile {
  package let url: URL
  private let role: String
  private let kind: String
  private let format: OutputFormat
  private let handle: FileHandle
  private var hasher = SHA256()

  fileprivate init(_ role: String, kind: String, _ format: OutputFormat, in folder: URL) throws {
    self.role = role
    self.kind = kind
    self.format = format
    url = folder.appendingPathComponent(role + "." + format.fileExtension)
    try Data().write(to: url)
    handle = try FileHandle(forWritingTo: url)
  }

  package func append(_ data: Data) throws {
    data.withUnsafeBytes { hasher.update($0) }
    try handle.write(contentsOf: data)
  }

  /// Everything of another file.
  package func append(_ other: PieceFile) throws {
    let source = try FileHandle(forReadingFrom: other.url)
    defer { try? source.close() }
    while let piece = try source.read(upToCount: 1 << 20), !piece.isEmpty { try append(piece) }
  }

  /// Closes it; nothing can be added then.
  package func finish() throws -> (sha256: String, file: StageOutput.File) {
    try handle.synchronize()
    try handle.close()
    return (
      hasher.finish(),
      StageOutput.File(role: role, url: url, kind: kind, mediaType: format.mediaType)
    )
  }
}

extension StageContext {
  /// An output in the scratch folder, to be written piece by piece.
  package func pieces(_ role: String, kind: String, _ format: OutputFormat) throws -> PieceFile {
    try PieceFile(role, kind: kind, format, in: scratch)
  }
}

/// A file outside of the store as it is read, with the hash of what was read.
package final class OutsidePieces: ByteSource, @unchecked Sendable {
  // One reader holds it.
  private let handle: FileHandle
  private let url: URL
  private var hasher = SHA256()

  package init(_ content: OutsideContent) throws {
    url = content.url
    do {
      handle = try FileHandle(forReadingFrom: content.url)
    } catch {
      throw OutsideError(
        content.url, reason: "cannot be read: \(message(of: error))", category: .missing)
    }
  }

  package func piece() throws(FormatError) -> ArraySlice<UInt8> {
    do {
      guard let data = try handle.read(upToCount: 1 << 18) else { return [] }
      data.withUnsafeBytes { hasher.update($0) }
      return ArraySlice(data)
    } catch {
      throw FormatError(url.lastPathComponent, "reading failed: \(message(of: error))")
    }
  }

  /// - Throws: unless what was read is what the plan had hashed.
  package func checkIsUnchanged(_ content: OutsideContent) throws {
    while try !piece().isEmpty {}
    guard hasher.finish() == content.sha256 else { throw OutsideError.changed(url) }
  }
}

/// Something outside of the store that a stage reads and that is not what it should be.
package struct OutsideError: CategorizedError, CustomStringConvertible {
  package var url: URL
  package var reason: String
  package var category: ErrorCategory

  package init(_ url: URL, reason: String, category: ErrorCategory = .data) {
    self.url = url
    self.reason = reason
    self.category = category
  }

  package static func changed(_ url: URL) -> OutsideError {
    OutsideError(url, reason: "it changed after the plan had read it; run again")
  }

  package var description: String { "\(url.path): \(reason)" }
}
