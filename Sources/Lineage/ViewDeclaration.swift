import Foundation

/// A column of a view, as whoever reads it sees it.
package struct ViewColumn: Sendable, Hashable {
  package var name: String
  package var type: ColumnType
  /// What it says, with its unit.
  package var sentence: String

  package init(_ name: String, _ type: ColumnType, _ sentence: String) {
    self.name = name
    self.type = type
    self.sentence = sentence
  }

  package init(_ dimension: MetricDimension) {
    self.init(dimension.name, dimension.type, dimension.sentence)
  }

  /// The same column where something else is to be said of it.
  package func saying(_ sentence: String) -> ViewColumn { ViewColumn(name, type, sentence) }
}

/// A view: its text is the same in every store, or it is made anew.
///
/// SQLite's own dialect stays out of it, so that what reads SQLite files with an SQL of its own (DuckDB)
/// reads the views too: conditions of a CROSS JOIN stand in WHERE, and what is computed is cast, since it
/// has no declared type, to names that mean the same width everywhere (BIGINT, DOUBLE, TEXT).
package struct ViewDeclaration: Sendable, Hashable {
  package var name: String
  /// One sentence on what a row is.
  package var about: String
  package var columns: [ViewColumn]
  package var sql: String

  package init(name: String, about: String, columns: [ViewColumn], sql: String) {
    self.name = name
    self.about = about
    self.columns = columns
    self.sql = sql
  }

  /// What makes it. SQLite keeps the text with its comments, and `.schema` shows it.
  package var statement: String {
    let lines = columns.map { "--   \($0.name) \($0.type.rawValue): \($0.sentence)" }
    return (["CREATE VIEW \(name) AS", "-- \(about)"] + lines + [sql]).joined(separator: "\n")
  }

  /// What makes it for one connection alone, before a view of the same name in the file.
  var temporaryStatement: String { "CREATE TEMP VIEW \(name) AS\n\(sql)" }

  /// What names a set of views by their statements, which stand in the order of their names.
  package static func digest(_ statements: [String]) -> String {
    SHA256.hash(Data(statements.joined(separator: "\n").utf8))
  }

  /// `run_NAME` over every run, and `NAME` over the latest run of each pipeline.
  ///
  /// - Parameters:
  ///   - order: the order of `NAME`: columns of `run_NAME`, which has the stage's place in its run too.
  ///   - sql: gives `run_id`, the columns, and `position`.
  ///   - latest: gives the same of the latest runs alone, where that is not merely chosen from `sql`.
  package static func pair(
    _ name: String, about: String, columns: [ViewColumn], order: String, _ sql: String,
    latest: String? = nil
  ) -> [ViewDeclaration] {
    let chosen = "run_\(name) WHERE run_id IN (SELECT id FROM latest_run)"
    let names = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
    return [
      ViewDeclaration(
        name: "run_" + name, about: about, columns: [.runID] + columns + [.position],
        sql: sql),
      ViewDeclaration(
        name: name, about: "\(about) Of the latest whole run of each pipeline.", columns: columns,
        sql: """
          SELECT \(names) FROM \(latest.map { "(\n\($0)) latest" } ?? chosen)
          ORDER BY pipeline, \(order)
          """),
    ]
  }
}

extension ViewColumn {
  package static let runID = ViewColumn("run_id", .text, "the run")
  package static let position = ViewColumn(
    "position", .integer, "a number that grows with the stage's place in its run")
  package static let name = ViewColumn(
    "name", .text, "the instance that tells, as in the pipeline: stage[axis=value,...]")
  package static let pipeline = ViewColumn("pipeline", .text, "the pipeline's name")
}

extension ViewDeclaration {
  /// An expression for a text within JSON. Other databases give it in its quotation marks, and SQLite's own
  /// `->>` is younger than its strict tables.
  package static func text(_ json: String, _ path: String) -> String {
    "trim(json_extract(\(json), '\(path)'), '\"')"
  }

  /// An expression for a whole number within JSON.
  package static func integer(_ json: String, _ path: String) -> String {
    "CAST(json_extract(\(json), '\(path)') AS BIGINT)"
  }

  /// The first stage of the run with the execution of a stage: equal stages are one execution, which stands
  /// under one name.
  package static func firstOfEqual(_ stage: String) -> String {
    """
    (SELECT min(z.id) FROM stage z
          WHERE z.execution_id = \(stage).execution_id AND z.run_id = \(stage).run_id)
    """
  }
}
