import Lineage

/// One row of the table `place`: what became of one requested place.
package struct PlaceRow: Sendable, Hashable {
  package var k: Int
  package var layout: Int
  package var seed: Int
  /// Within its layout, from 0.
  package var place: Int
  /// Centre of the requested cell, in px.
  package var x: Double
  package var y: Double
  /// Px to the nearest other requested place; the picture's diagonal where there is none.
  package var nearest: Double
  package var found: Bool
  package var foundBackground: Bool
  /// Of the object that the judge finds there; 0 where it finds none.
  package var opacity: Double

  package init(
    k: Int, layout: Int, seed: Int, place: Int, x: Double, y: Double, nearest: Double, found: Bool,
    foundBackground: Bool, opacity: Double
  ) {
    self.k = k
    self.layout = layout
    self.seed = seed
    self.place = place
    self.x = x
    self.y = y
    self.nearest = nearest
    self.found = found
    self.foundBackground = foundBackground
    self.opacity = opacity
  }
}

extension PlaceRow {
  static let table = TableDeclaration(
    "place", about: "One requested place of a generated picture.",
    columns: [
      .init("k", .integer, "labels asked for"),
      .init("layout", .integer, "the request's place among those of its K, from 0"),
      .init("seed", .integer, "seed of the layouts and the noise"),
      .init("place", .integer, "the place's own number within its layout, from 0"),
      .init("x", .real, "centre of the requested cell, px from the left"),
      .init("y", .real, "centre of the requested cell, px from the top"),
      .init(
        "nearest", .real, "px to the nearest other place; the diagonal where there is none"),
      .init(
        "found", .integer, "1 when the judge finds an object, else 0", check: "found IN (0, 1)"),
      .init(
        "found_background", .integer, "1 when the background detector does, else 0",
        check: "found_background IN (0, 1)"),
      .init("opacity", .real, "of the object that the judge finds, 0 to 1; 0 where it finds none"),
    ], key: ["seed", "k", "layout", "place"])

  /// The rows of an execution, as the store takes them.
  package static func tables(_ rows: [PlaceRow]) -> [String: TableRows] {
    if rows.isEmpty { return [:] }
    return [
      table.name: TableRows(
        columns: table.columns.map(\.name),
        rows: rows.map { row in
          [row.k, row.layout, row.seed, row.place].map(ColumnValue.integer)
            + [row.x, row.y, row.nearest].map(ColumnValue.number)
            + [row.found, row.foundBackground].map { .integer($0 ? 1 : 0) }
            + [.number(row.opacity)]
        })
    ]
  }
}
