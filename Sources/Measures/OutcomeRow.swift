import Lineage

/// One row of the table `outcome`: what was found in one generated picture.
package struct OutcomeRow: Sendable, Hashable {
  package var k: Int
  package var layout: Int
  package var seed: Int
  package var requested: Int
  package var found: Int
  package var drawn: Int
  package var exact: Bool
  /// As the background detector sees it, and as any other layout would be found; `nil` in rows of before.
  package var foundBackground: Int?
  package var chance: Double?
  package var chanceBackground: Double?
  /// Requested places with an object of opacity ½ or more.
  package var foundSolid: Int?

  package init(
    k: Int, layout: Int, seed: Int, requested: Int, found: Int, drawn: Int, exact: Bool,
    foundBackground: Int? = nil, chance: Double? = nil, chanceBackground: Double? = nil,
    foundSolid: Int? = nil
  ) {
    self.chanceBackground = chanceBackground
    self.foundSolid = foundSolid
    self.foundBackground = foundBackground
    self.chance = chance
    self.k = k
    self.layout = layout
    self.seed = seed
    self.requested = requested
    self.found = found
    self.drawn = drawn
    self.exact = exact
  }
}

extension OutcomeRow {
  static let table = TableDeclaration(
    "outcome", about: "One generated picture of an evaluation.",
    columns: [
      .init("k", .integer, "labels asked for"),
      .init("layout", .integer, "the request's place among those of its K, from 0"),
      .init("seed", .integer, "seed of the layouts and the noise"),
      .init("requested", .integer, "places, or words, asked for"),
      .init("found", .integer, "of these, those at which the judge finds an object"),
      .init("drawn", .integer, "objects that the judge finds anywhere"),
      .init(
        "exact", .integer, "1 when just the requested objects are there, else 0",
        check: "exact IN (0, 1)"),
      .init(
        "found_background", .integer, "found, as the background detector sees it", isLate: true),
      .init(
        "chance", .real, "found, had other layouts of the same K been requested", isLate: true),
      .init(
        "found_solid", .integer, "found, by objects of opacity 1/2 or more alone", isLate: true),
      .init(
        "chance_background", .real, "chance, as the background detector sees it", isLate: true),
    ], key: ["seed", "k", "layout"])

  /// The rows of an execution, as the store takes them.
  package static func tables(_ rows: [OutcomeRow]) -> [String: TableRows] {
    if rows.isEmpty { return [:] }
    let late = rows.allSatisfy {
      $0.foundBackground != nil && $0.chance != nil && $0.foundSolid != nil
        && $0.chanceBackground != nil
    }
    return [
      table.name: TableRows(
        columns: table.columns.filter { late || !$0.isLate }.map(\.name),
        rows: rows.map { row in
          [row.k, row.layout, row.seed, row.requested, row.found, row.drawn, row.exact ? 1 : 0]
            .map(ColumnValue.integer)
            + (late
              ? [
                .integer(row.foundBackground ?? 0), .number(row.chance ?? 0),
                .integer(row.foundSolid ?? 0), .number(row.chanceBackground ?? 0),
              ] : [])
        })
    ]
  }

  /// From a row with the columns of the table.
  package init(_ row: Row) throws(StoreError) {
    self.init(
      k: try row.integer("k"), layout: try row.integer("layout"), seed: try row.integer("seed"),
      requested: try row.integer("requested"), found: try row.integer("found"),
      drawn: try row.integer("drawn"), exact: try row.flag("exact"),
      foundBackground: try row.optionalInteger("found_background"),
      chance: try row.optionalNumber("chance"),
      chanceBackground: try row.optionalNumber("chance_background"),
      foundSolid: try row.optionalInteger("found_solid"))
  }
}
