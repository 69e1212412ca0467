import Formats
import Foundation
import Lineage

/// `locus query`: questions to the store, by name or in SQL.
enum QueryCommand: Command {
  struct Options: StoreOptions {
    @Positional("NAME|SQL", names: .queries, "without it: the list of queries, views and tables")
    var question: String?
    @Option("--format", "FORMAT", shown: "table") var format: TextTable.Format?
    @Flag(.json) var json
    @Option(
      "--limit", "SECONDS", in: 1...86_400, default: 60, "stop a query that takes longer")
    var limit: Int
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "query", summary: "Ask the store, by the name of a query or view, or in SQL.",
    discussion: """
      A query is one statement that only reads: ATTACH, pragmas that change something and everything
      that writes are refused, and so is a second statement. It is stopped after --limit seconds of
      work, or when it takes more than 64 MiB or a row of it more than 16 MiB. A table shows the first
      32 MiB of rows and 2000 characters of a value, and says what it left out; the other formats give
      all, row by row.

      \(TextTable.fitting)
      """,
    examples: [
      .init(command: "locus query", effect: "what can be asked"),
      .init(command: "locus query k-max --format markdown", effect: "the K_max table for a report"),
      .init(
        command: "locus query \"SELECT model, k, recall FROM length_generalization WHERE k > 3\"",
        effect: "any question in SQL"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let format = options.format ?? (options.json ? .json : .table)
    let store = try context.openStore()
    guard let question = options.question else {
      let list = try list(store)
      try context.console.write(
        format == .table ? list.text(for: context.console, whole: whole) : list.text(format))
      return 0
    }
    let query = try query(question, in: store)
    let sql = query.sql
    let limits = QueryLimits(seconds: Double(options.limit))
    let console = context.console
    // Within one function of SQL nothing but the end of the process stops it.
    let overrun: @Sendable () -> Void = {
      let error = StoreError.timeLimit(seconds: limits.seconds)
      console.tell("locus: \(error)")
      _exit(error.exitCode)
    }
    if format == .table {
      try printTable(
        try store.queryReadOnly(sql, limits: limits, overrun: overrun), query, console)
      return 0
    }
    var printer = QueryPrinter(format, write: console.write)
    try store.stream(
      sql, limits: limits, overrun: overrun, columns: { printer.begin($0) },
      row: { printer.add($0) })
    try printer.end()
    return 0
  }

  private static let whole = "--format csv has all"

  /// A longer value would make every row as long.
  private static let mostCharacters = 2000

  private static func printTable(
    _ found: (result: QueryResult, isCut: Bool), _ query: NamedQuery, _ console: Console
  ) throws {
    var result = found.result
    var cut = 0
    for row in result.rows.indices {
      for column in result.rows[row].indices {
        guard let short = shortened(result.rows[row][column]) else { continue }
        result.rows[row][column] = short
        cut += 1
      }
    }
    let table = TextTable(result)
    try console.write(table.text(for: console, dispensable: query.descriptions, whole: whole))
    if cut > 0 {
      console.tell(
        "locus: \(cut) values are cut to \(mostCharacters) characters; --format csv has them whole")
    }
    if found.isCut {
      console.tell(
        "locus: there are more rows than these \(table.rows.count); --format csv has them all")
    }
  }

  /// `nil` for a value that is short enough.
  private static func shortened(_ value: SQLValue) -> SQLValue? {
    switch value {
    case .text(let text):
      guard text.utf8.count > mostCharacters,
        let end = text.index(text.startIndex, offsetBy: mostCharacters, limitedBy: text.endIndex),
        end < text.endIndex
      else { return nil }
      return .text(text[..<end] + "…")
    case .blob(let data) where 2 * data.count > mostCharacters:
      guard case .string(let text) = JSONValue(.blob(data.prefix(mostCharacters / 2))) else {
        return nil
      }
      return .text(text + "…")
    case .blob, .null, .integer, .real: return nil
    }
  }

  /// A single word is a name; anything else is SQL.
  private static func query(_ question: String, in store: Store) throws -> NamedQuery {
    let queries = store.vocabulary.allQueries
    if let named = queries.first(where: { $0.name == question }) { return named }
    guard question.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }) else {
      return NamedQuery(name: "", summary: "", sql: question)
    }
    let relations = try store.relations()
    if relations[question] != nil {
      return NamedQuery(
        name: question, summary: "", sql: "SELECT * FROM " + Escape.sqlName(question),
        descriptions: queries.flatMap(\.descriptions))
    }
    throw UsageError.unknownQuery(
      question, known: queries.map(\.name) + relations.keys.sorted())
  }

  private static func list(_ store: Store) throws -> TextTable {
    let named = store.vocabulary.allQueries.map { query -> [JSONValue] in
      [.string(query.name), .string("query"), .string(query.summary)]
    }
    let relations = try store.query(
      """
      SELECT m.name, m.type, (SELECT group_concat(name, ', ') FROM pragma_table_info(m.name)) AS what
      FROM sqlite_schema m
      WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%' ORDER BY m.type DESC, m.name
      """)
    return TextTable(columns: ["name", "type", "what"], rows: named + TextTable(relations).rows)
  }
}
