import Formats
import Foundation

extension ExecutionRow {
  /// An execution with everything that the tables hold of it: what its lost receipt said.
  static func whole(_ id: String, in database: Connection, _ vocabulary: Vocabulary)
    throws(StoreError) -> ExecutionRecord
  {
    let found = try database.rows("SELECT * FROM execution WHERE id = ?", [.text(id)])
    guard let row = found.first else { throw .reference("execution \(id)") }
    var record = try record(row, in: database)
    // Which of several successes counts follows from all of them.
    if record.status == "replaced" { record.status = "succeeded" }
    for row in try database.rows(
      """
      SELECT DISTINCT a.*, m.body FROM execution_output o JOIN artifact a USING (sha256)
      LEFT JOIN manifest m USING (sha256) WHERE o.execution_id = ? ORDER BY o.role
      """, [.text(id)])
    {
      record.artifacts.append(
        ArtifactRecord(
          sha256: try row.text("sha256"), kind: try row.text("kind"),
          mediaType: try row.text("media_type"), bytes: try row.integer("bytes"),
          createdAt: try row.text("created_at"),
          manifest: try row.optionalText("body").flatMap { try? JSONValue.parse(Data($0.utf8)) }))
    }
    for row in try database.rows(
      "SELECT * FROM metric WHERE execution_id = ? ORDER BY rowid", [.text(id)])
    {
      record.metrics.append(try metric(row, vocabulary.dimensions))
    }
    for table in vocabulary.tables {
      let columns = table.columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
      let rows = try database.query(
        "SELECT \(columns) FROM \"\(table.name)\" WHERE execution_id = ?", [.text(id)]
      ).rows
      if !rows.isEmpty { record.tables[table.name] = try tableRows(rows, of: table, database) }
    }
    return record
  }

  private static func metric(_ row: Row, _ dimensions: [MetricDimension]) throws(StoreError)
    -> MetricRow
  {
    var metric = MetricRow(
      name: try row.text("name"), value: try row.number("value"),
      subject: try row.optionalText("subject"), ciLow: try row.optionalNumber("ci_low"),
      ciHigh: try row.optionalNumber("ci_high"), n: try row.optionalInteger("n"),
      unit: try row.optionalText("unit"))
    for dimension in dimensions {
      metric.dimensions[dimension.name] = try ColumnValue(row.value(dimension.name))
    }
    return metric
  }

  /// Columns of which no row has a value are left out, as they were.
  private static func tableRows(
    _ rows: [[SQLValue]], of table: TableDeclaration, _ database: Connection
  ) throws(StoreError) -> TableRows {
    let used = table.columns.indices.filter { index in rows.contains { $0[index] != .null } }
    var result = TableRows(columns: used.map { table.columns[$0].name }, rows: [])
    for row in rows {
      let values = used.compactMap { ColumnValue(row[$0]) }
      guard values.count == used.count else {
        throw .damaged(path: database.path, reason: "table \(table.name) has a row without a value")
      }
      result.rows.append(values)
    }
    return result
  }
}

extension ColumnValue {
  fileprivate init?(_ value: SQLValue) {
    switch value {
    case .integer(let number): self = .integer(Int(number))
    case .real(let number): self = .number(number)
    case .text(let text): self = .text(text)
    case .null, .blob: return nil
    }
  }
}
