import Formats
import Lineage

/// One SQL text that is both run and shown, and what its rows mean.
struct Question<Answer> {
  /// On one line, so that it can stand in a page; complete, so that anybody can run it.
  let sql: String
  private let read: (Row) throws -> Answer

  init(_ sql: String, _ read: @escaping (Row) throws -> Answer) {
    self.sql = sql.split(whereSeparator: \.isNewline).map {
      String($0.drop { $0 == " " })
    }.joined(separator: " ")
    self.read = read
  }

  var block: Block { .question(sql: sql) }

  /// The same question of every execution, or, of so many that a page would be full of it, one of them all.
  static func blocks(_ executions: [String], _ question: (String) -> Question<Answer>) -> [Block] {
    guard executions.count > 12, let first = executions.first else {
      return executions.map { question($0).block }
    }
    let own = "execution_id = \(Escape.sql(first))"
    let all = "execution_id IN (\(executions.map(Escape.sql).joined(separator: ", ")))"
    return [
      .question(
        sql: question(first).sql.replacing(
          "SELECT ", with: "SELECT execution_id, ", maxReplacements: 1
        )
        .replacing(own, with: all).replacing("ORDER BY ", with: "ORDER BY execution_id, "))
    ]
  }

  func rows(_ store: Store) throws -> [Answer] {
    try store.rows(sql).map(read)
  }
}
