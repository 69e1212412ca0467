import Formats
import Probing
import Workflow

/// What a probe found at labelled objects, a row a picture.
package struct SensitivityTable: Sendable {
  package struct Picture: Sendable, Hashable {
    /// How its inputs came about.
    package var inputs: String
    /// Objects in it.
    package var k: Int
    package var sigma: Double
    package var picture: Int
    package var changes: RemoteChanges

    package init(
      inputs: String, k: Int, sigma: Double, picture: Int, changes: RemoteChanges
    ) {
      self.inputs = inputs
      self.k = k
      self.sigma = sigma
      self.picture = picture
      self.changes = changes
    }
  }
  package var pictures: [Picture]

  package init(_ pictures: [Picture]) {
    self.pictures = pictures
  }

  package func counts(of inputs: String) -> Set<Int> {
    Set(pictures.filter { $0.inputs == inputs }.map(\.k))
  }

  package func sigmas(of inputs: String) -> Set<Double> {
    Set(pictures.filter { $0.inputs == inputs }.map(\.sigma))
  }

  /// Over noise levels, each with the pictures in their order.
  package func average(of inputs: String, k: Int, sigmas: Set<Double>) -> RemoteAverage {
    RemoteAverage(
      levels: sigmas.sorted().map { sigma in
        pictures.filter { $0.inputs == inputs && $0.k == k && $0.sigma == sigma }
          .sorted { $0.picture < $1.picture }.map(\.changes)
      })
  }
}

extension SensitivityTable {
  private static let columns = [
    "inputs", "k", "sigma", "picture", "labels", "own", "swapped", "replaced", "remote_labels",
    "remote_own", "single", "removed", "moved",
  ]

  package var json: JSONValue {
    .object([
      "columns": .array(Self.columns.map(JSONValue.string)),
      "rows": .array(
        pictures.map { row in
          let changes = row.changes
          return .array([
            .string(row.inputs), .integer(row.k), .number(row.sigma), .integer(row.picture),
            .integer(changes.labels), .number(changes.own), .number(changes.swapped),
            .number(changes.replaced), .integer(changes.remoteLabels),
            .number(changes.remoteOwn), .number(changes.single), .number(changes.removed),
            .number(changes.moved),
          ])
        }),
    ])
  }

  /// - Throws: `ArtifactError` for rows that are not as `json` writes them.
  package init(_ file: StageFile) throws {
    let value = try file.table()
    guard let rows = value["rows"]?.array,
      value["columns"] == .array(Self.columns.map(JSONValue.string))
    else { throw ArtifactError(file: file, reason: "lacks rows, or has other columns") }
    pictures = try rows.map { row in
      let cells = row.array ?? []
      let numbers = cells.dropFirst().compactMap(\.number)
      guard cells.count == Self.columns.count, numbers.count == cells.count - 1,
        let inputs = cells[0].string, let k = cells[1].integer, let picture = cells[3].integer,
        let labels = cells[4].integer, let remoteLabels = cells[8].integer,
        numbers.allSatisfy({ $0 >= 0 && $0.isFinite })
      else {
        throw ArtifactError(file: file, reason: "has a row that is not a name and twelve numbers")
      }
      var changes = RemoteChanges()
      (changes.labels, changes.remoteLabels) = (labels, remoteLabels)
      (changes.own, changes.swapped, changes.replaced) = (numbers[4], numbers[5], numbers[6])
      (changes.remoteOwn, changes.single) = (numbers[8], numbers[9])
      (changes.removed, changes.moved) = (numbers[10], numbers[11])
      return Picture(
        inputs: inputs, k: k, sigma: numbers[1], picture: picture, changes: changes)
    }
  }
}
