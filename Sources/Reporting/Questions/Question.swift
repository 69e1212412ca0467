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

  func rows(_ store: Store) throws -> [Answer] {
    try store.rows(sql).map(read)
  }
}
