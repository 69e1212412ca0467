import Formats
import Foundation
import Scenes
import Workflow

/// What an artifact is, in a few facts: JSON that is hashed like any content and names the files that belong
/// to it by their hashes. Consumers know no more of an input than this, and what it names.
package protocol Manifest: Codable, Sendable {
  static var type: ArtifactType { get }
}

/// Raised when members of manifests change their meaning; older ones are then read by a migration.
private let manifestFormat = 1

extension Manifest {
  /// Canonical JSON: `type` and `format` beside the members.
  package func data() throws -> Data {
    var members = try json().object ?? [:]
    members["type"] = .string(Self.type.name)
    members["format"] = .integer(manifestFormat)
    return Data(JSONValue.object(members).canonicalText().utf8)
  }

  /// - Throws: `ArtifactError` for a file that is no manifest of this type and format.
  package init(_ file: StageFile) throws {
    let data = try file.data()
    let value: JSONValue
    do {
      value = try JSONValue.parse(data)
    } catch {
      throw ArtifactError(file: file, reason: "is no manifest: \(error)")
    }
    guard value["type"]?.string == Self.type.name else {
      throw ArtifactError(
        file: file,
        reason: "is the manifest of a \(value["type"]?.string ?? "?"), not of a \(Self.type)")
    }
    guard value["format"]?.integer == manifestFormat else {
      throw ArtifactError(
        file: file,
        reason: "has format \(value["format"]?.canonicalText() ?? "?"), this Locus knows"
          + " \(manifestFormat): use the version that made it")
    }
    do {
      self = try Self(json: value)
    } catch {
      throw ArtifactError(file: file, reason: "is no manifest of a \(Self.type): \(error)")
    }
  }
}

extension Encodable {
  /// Members in snake case.
  func json() throws -> JSONValue {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try JSONValue.parse(try encoder.encode(self))
  }
}

extension Decodable {
  init(json: JSONValue) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(Self.self, from: Data(json.canonicalText().utf8))
  }
}

/// A probe as `compare` sees it: of which denoiser, at which layouts, and a row a picture.
package struct LocalityManifest: Manifest {
  package static let type = ArtifactType.locality
  /// SHA-256 of the denoiser's manifest.
  package var denoiser: String
  package var conditions: Conditions
  /// SHA-256 of the changes at labelled objects, a `SensitivityTable`, and of the sensitivity maps, a PNG.
  package var changes: String
  package var map: String

  /// What decides layouts, noise and changes: only probes that share it are paired.
  package struct Conditions: Codable, Sendable, Hashable {
    package var seed: UInt64
    package var layouts: Int
    package var steps: Int
    package var window: Int
    package var camera: CameraKind
    package var size: Int
    package var cells: Int

    package init(
      seed: UInt64, layouts: Int, steps: Int, window: Int, camera: CameraKind, size: Int,
      cells: Int
    ) {
      self.seed = seed
      self.layouts = layouts
      self.steps = steps
      self.window = window
      self.camera = camera
      self.size = size
      self.cells = cells
    }
  }

  package init(denoiser: String, conditions: Conditions, changes: String, map: String) {
    self.denoiser = denoiser
    self.conditions = conditions
    self.changes = changes
    self.map = map
  }
}

package struct AgreementManifest: Manifest {
  package static let type = ArtifactType.agreement
  /// SHA-256 of the two denoisers' manifests: the one that predicts, and the one to be told.
  package var denoiser: String
  package var reference: String
  /// SHA-256 of the table.
  package var table: String

  package init(denoiser: String, reference: String, table: String) {
    self.denoiser = denoiser
    self.reference = reference
    self.table = table
  }
}

package struct QualityManifest: Manifest {
  package static let type = ArtifactType.quality
  /// SHA-256 of the manifests of the outcomes whose pictures are looked at, and of the training pictures.
  package var outcomes: String
  package var scenes: String
  /// SHA-256 of the judge's weights, and of the table.
  package var judge: String
  package var table: String

  package init(outcomes: String, scenes: String, judge: String, table: String) {
    self.outcomes = outcomes
    self.scenes = scenes
    self.judge = judge
    self.table = table
  }
}

package struct RealismManifest: Manifest {
  package static let type = ArtifactType.realism
  /// SHA-256 of the manifests of the two picture sets, of the judge's weights, and of the table.
  package var pictures: String
  package var renders: String
  package var judge: String
  package var table: String

  package init(pictures: String, renders: String, judge: String, table: String) {
    self.pictures = pictures
    self.renders = renders
    self.judge = judge
    self.table = table
  }
}

package struct VarianceManifest: Manifest {
  package static let type = ArtifactType.variance
  /// SHA-256 of the denoiser's manifest.
  package var denoiser: String
  /// What else decides a picture and what is found in it.
  package var conditions: OutcomesManifest.Conditions
  /// SHA-256 of the table.
  package var table: String

  package init(denoiser: String, conditions: OutcomesManifest.Conditions, table: String) {
    self.denoiser = denoiser
    self.conditions = conditions
    self.table = table
  }
}

package struct ComparisonManifest: Manifest {
  package static let type = ArtifactType.comparison
  /// SHA-256 of the compared evaluations' manifests, in the order of their hashes.
  package var evaluations: [String]
  /// The same of the compared probes.
  package var probes: [String]
  /// SHA-256 of the table.
  package var table: String

  package init(evaluations: [String], probes: [String], table: String) {
    self.evaluations = evaluations
    self.probes = probes
    self.table = table
  }
}

package struct TheoryManifest: Manifest {
  package static let type = ArtifactType.theory
  package var family: String
  /// SHA-256 of the enumerated worlds.
  package var worlds: String

  package init(family: String, worlds: String) {
    self.family = family
    self.worlds = worlds
  }
}

package struct CountsManifest: Manifest {
  package static let type = ArtifactType.counts
  /// SHA-256 of the table that came back.
  package var counts: String
  /// SHA-256 of the outcomes' manifests whose pictures were on the sheet.
  package var outcomes: [String]

  package init(counts: String, outcomes: [String]) {
    self.counts = counts
    self.outcomes = outcomes
  }
}
