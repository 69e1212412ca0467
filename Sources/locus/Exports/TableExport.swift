import Formats
import Foundation
import Lineage

/// The tables and views of a store as CSV files, with a `datapackage.json` that documents every column.
struct TableExport {
  private let store: Store
  private let folder: OutputFolder

  /// A row that needs more, or a view that takes longer, is a store that is not used as it is meant.
  private static let limits = QueryLimits(seconds: 86_400, rowBytes: 64 << 20, memoryBytes: 1 << 30)

  init(_ store: Store, into folder: OutputFolder) {
    self.store = store
    self.folder = folder
  }

  /// - Parameter run: its id: of the views over every run its rows alone, under the views' plain names; without
  ///   one everything.
  /// - Returns: how many tables.
  func write(run: String?) throws -> Int {
    let prefix = "run_"
    let relations = store.vocabulary.relations.filter { run == nil || $0.name.hasPrefix(prefix) }
    var tables: [TablePackage.Table] = []
    for relation in relations {
      let name = run == nil ? relation.name : String(relation.name.dropFirst(prefix.count))
      let condition = run.map { " WHERE run_id = \(Escape.sql($0)) ORDER BY position" } ?? ""
      try write("SELECT * FROM \(Escape.sqlName(relation.name))\(condition)", to: name)
      tables.append(
        TablePackage.Table(
          name: name, about: relation.about,
          columns: relation.columns.map {
            DataField($0.name, Self.type($0.type), $0.sentence)
          }))
    }
    let title = run.map { "The run \($0) of Locus" } ?? "A store of Locus"
    let package = TablePackage.json(
      name: run == nil ? "locus-store" : "locus-run", title: title, tables: tables)
    try folder.append(Data(package.prettyText().utf8), to: TablePackage.fileName)
    return tables.count
  }

  private func write(_ sql: String, to name: String) throws {
    var printer = QueryPrinter(.csv) { try folder.append(Data($0.utf8), to: name + ".csv") }
    try store.stream(
      sql, limits: Self.limits, columns: { printer.begin($0) }, row: { printer.add($0) })
    try printer.end()
  }

  private static func type(_ type: ColumnType) -> String {
    switch type {
    case .integer: "integer"
    case .real: "number"
    case .text: "string"
    }
  }
}
