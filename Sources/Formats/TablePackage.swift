/// What a folder of CSV files says of them, as a Data Package (https://specs.frictionlessdata.io/data-package/): each
/// table's columns with types and sentences.
package struct TablePackage: Sendable {
  package struct Table: Sendable {
    package var name: String
    package var about: String
    /// Types are those of Table Schema: `integer`, `number`, `string`.
    package var columns: [DataField]

    package init(name: String, about: String, columns: [DataField]) {
      self.name = name
      self.about = about
      self.columns = columns
    }
  }

  package static let fileName = "datapackage.json"

  /// - Parameters:
  ///   - name: lower case, for programs.
  ///   - title: for people.
  package static func json(name: String, title: String, tables: [Table]) -> JSONValue {
    let resources = tables.map { table in
      JSONValue.object([
        "name": .string(table.name), "path": .string("\(table.name).csv"),
        "profile": .string("tabular-data-resource"), "description": .string(table.about),
        "format": .string("csv"), "mediatype": .string("text/csv"), "encoding": .string("utf-8"),
        "dialect": .object(["lineTerminator": .string("\n")]),
        "schema": .object([
          "fields": .array(
            table.columns.map {
              .object([
                "name": .string($0.name), "type": .string($0.type),
                "description": .string($0.sentence),
              ])
            }), "missingValues": .array([.string("")]),
        ]),
      ])
    }
    return .object([
      "profile": .string("tabular-data-package"), "name": .string(name), "title": .string(title),
      "resources": .array(resources),
    ])
  }
}
