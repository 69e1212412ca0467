import Lineage

/// One SQL text that is both run and shown, and what its rows mean.
struct Question<Row> {
  /// On one line, so that it can stand in a page; complete, so that anybody can run it.
  let sql: String
  private let read: (ResultRow) throws -> Row

  init(_ sql: String, _ read: @escaping (ResultRow) throws -> Row) {
    self.sql = sql.split(whereSeparator: \.isNewline).map {
      String($0.drop { $0 == " " })
    }.joined(separator: " ")
    self.read = read
  }

  var block: Block { .question(sql: sql) }

  func rows(_ store: Store) throws -> [Row] {
    let result = try store.query(sql)
    return try result.rows.map { try read(ResultRow(columns: result.columns, values: $0)) }
  }
}

/// A value as SQL text: quotes doubled.
func quoted(_ text: String) -> String {
  "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
}
