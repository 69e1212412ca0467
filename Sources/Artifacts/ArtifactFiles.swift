import Diffusion
import Formats
import Foundation
import Lineage
import Workflow

/// A file that a stage was given and could not read, or that is not what it should be.
package struct ArtifactError: CategorizedError, CustomStringConvertible {
  package var file: StageFile
  package var reason: String
  package var category: ErrorCategory

  package init(file: StageFile, reason: String, category: ErrorCategory = .data) {
    self.file = file
    self.reason = reason
    self.category = category
  }

  package var description: String {
    "\(file.url.path): \(reason); `locus verify` tells whether the store is damaged"
  }
}

extension StageFile {
  /// Bytes.
  package var size: Int {
    get throws {
      do {
        return try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
      } catch {
        throw ArtifactError(
          file: self, reason: "cannot be read: \(error.localizedDescription)",
          category: Workflow.category(of: error))
      }
    }
  }

  package func data() throws -> Data {
    do {
      return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
      throw ArtifactError(
        file: self, reason: "cannot be read: \(error.localizedDescription)",
        category: Workflow.category(of: error))
    }
  }

  /// JSON of tables, which may be long and is never deep.
  func table() throws -> JSONValue {
    do {
      return try JSONValue.parse(
        try data(), limits: JSON5.Limits(maximumBytes: 1 << 28, maximumDepth: 16))
    } catch let error as JSON5Error {
      throw ArtifactError(file: self, reason: error.description)
    }
  }

  func bytes() throws -> (shape: [Int], values: [UInt8]) {
    let array = try self.array()
    guard case .uint8(let values) = array.elements else {
      throw ArtifactError(file: self, reason: "holds no bytes")
    }
    return (array.shape, values)
  }

  func array() throws -> NPYArray {
    do {
      return try NPYArray(npy: try data())
    } catch let error as FormatError {
      throw ArtifactError(file: self, reason: error.description)
    }
  }

  func normMoments() throws -> NormMoments {
    do {
      return try NormMoments(data: try data())
    } catch let error as FormatError {
      throw ArtifactError(file: self, reason: error.description)
    }
  }

  func weights() throws -> WeightsFile {
    do {
      return try WeightsFile(data: try data())
    } catch let error as WeightsFileError {
      throw ArtifactError(file: self, reason: error.description)
    }
  }
}

extension StageInput {
  /// A file of an input by its output role.
  package func file(_ role: String) throws -> StageFile {
    guard let file = files[role] else { throw MissingFile(role: role, found: files.keys.sorted()) }
    return file
  }

  /// The file that says what the input is.
  package var manifest: StageFile { get throws { try file(OutputFormat.manifestRole) } }
}

/// An input without a file that its type promises, for an earlier Locus made it otherwise.
struct MissingFile: CategorizedError, CustomStringConvertible {
  var role: String
  var found: [String]
  var category: ErrorCategory { .missing }
  var description: String {
    "an input has no \(role), only \(found.joined(separator: ", ")); run its stage with --force"
  }
}

extension StageContext {
  /// The one input of a role.
  package func input(_ role: String) throws -> StageInput {
    guard let input = inputs[role]?.first else { throw MissingFile(role: role, found: []) }
    return input
  }

  /// Writes an output into the scratch folder.
  package func output(_ role: String, kind: String, _ format: OutputFormat, _ data: Data) throws
    -> StageOutput.File
  {
    let url = scratch.appendingPathComponent(role + "." + format.fileExtension)
    try AtomicFile.write(data, to: url)
    return StageOutput.File(role: role, url: url, kind: kind, mediaType: format.mediaType)
  }

  /// Writes what says what the stage made.
  package func output(_ manifest: some Manifest) throws -> StageOutput.File {
    try output(
      OutputFormat.manifestRole, kind: type(of: manifest).type.name, .manifest,
      try manifest.data())
  }
}

/// The formats of artifacts.
package enum OutputFormat: Sendable {
  case npy, safetensors, json, csv, png, manifest

  /// The output role of every stage's manifest.
  static let manifestRole = "manifest"

  var fileExtension: String {
    switch self {
    case .npy: "npy"
    case .safetensors: "safetensors"
    case .csv: "csv"
    case .json, .manifest: "json"
    case .png: "png"
    }
  }

  var mediaType: String {
    switch self {
    case .npy: "application/x-npy"
    case .safetensors: "application/x-safetensors"
    case .json: "application/json"
    case .csv: "text/csv"
    case .png: "image/png"
    case .manifest: "application/vnd.locus.manifest+json"
    }
  }
}
