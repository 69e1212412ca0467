import Lineage

/// One row of the table `sensitivity`: squared changes of the output at the labelled objects of one picture,
/// summed over them, from which every `remote.` measure follows.
package struct SensitivityRow: Sendable, Hashable {
  package var inputs: ProbeInputs
  package var k: Int
  package var sigma: Double
  package var picture: Int
  /// Labelled objects.
  package var labels: Int
  /// By what changes.
  package var own: Double
  package var swapped: Double
  package var replaced: Double
  /// Objects with labels remote to them, and the changes at these.
  package var remoteLabels: Int
  package var remoteOwn: Double
  package var removed: Double
  package var moved: Double

  package init(
    inputs: ProbeInputs, k: Int, sigma: Double, picture: Int, labels: Int, own: Double,
    swapped: Double, replaced: Double, remoteLabels: Int, remoteOwn: Double, removed: Double,
    moved: Double
  ) {
    self.inputs = inputs
    self.k = k
    self.sigma = sigma
    self.picture = picture
    self.labels = labels
    self.own = own
    self.swapped = swapped
    self.replaced = replaced
    self.remoteLabels = remoteLabels
    self.remoteOwn = remoteOwn
    self.removed = removed
    self.moved = moved
  }
}

extension SensitivityRow {
  static let table = TableDeclaration(
    "sensitivity",
    about: "One probed picture: squared changes of the output at its labelled objects, summed.",
    columns: [
      .init("inputs", .text, "law: noised training-law pictures, trajectory: states of sampling"),
      .init("k", .integer, "labels of the picture"), .init("sigma", .real, "noise level"),
      .init("picture", .integer, "the picture's number, from 0"),
      .init("labels", .integer, "labelled objects"),
      .init("own", .real, "change when each object's own label goes"),
      .init("swapped", .real, "change when the pixels outside windows are another picture's"),
      .init("replaced", .real, "change when all pixels are another picture's"),
      .init("remote_labels", .integer, "objects that have labels remote to them"),
      .init("remote_own", .real, "own, at these objects alone"),
      .init("removed", .real, "change at these when all remote labels go at once"),
      .init("moved", .real, "change at these when the remote labels move"),
    ], key: ["inputs", "k", "sigma", "picture"])

  /// The rows of an execution, as the store takes them.
  package static func tables(_ rows: [SensitivityRow]) -> [String: TableRows] {
    if rows.isEmpty { return [:] }
    return [
      table.name: TableRows(
        columns: table.columns.map(\.name),
        rows: rows.map { row in
          [
            .text(row.inputs.rawValue), .integer(row.k), .number(row.sigma), .integer(row.picture),
            .integer(row.labels), .number(row.own), .number(row.swapped), .number(row.replaced),
            .integer(row.remoteLabels), .number(row.remoteOwn), .number(row.removed),
            .number(row.moved),
          ]
        })
    ]
  }
}
