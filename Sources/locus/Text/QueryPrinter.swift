import Formats
import Lineage

/// The rows of a person's query as they come, in a format that needs no others beside them.
struct QueryPrinter {
  private let format: TextTable.Format
  private let write: (String) throws -> Void
  private var columns: [String] = []
  private var rows = 0
  private var waiting = ""
  /// Why nothing more can be written.
  private(set) var failure: (any Error)?

  private static let chunk = 1 << 16

  init(_ format: TextTable.Format, write: @escaping (String) throws -> Void) {
    self.format = format
    self.write = write
  }

  mutating func begin(_ columns: [String]) {
    self.columns = format == .json ? TextTable.jsonNames(columns) : columns
    switch format {
    case .csv: add(TextTable.csvHead(columns))
    case .markdown: add(TextTable.markdownHead(columns))
    case .json, .table: break
    }
  }

  /// Whether more can be written.
  mutating func add(_ row: [SQLValue]) -> Bool {
    let row = row.map(JSONValue.init)
    switch format {
    case .csv: add(TextTable.csvRow(row))
    case .markdown: add(TextTable.markdownRow(row))
    case .json, .table: add((rows == 0 ? "[\n" : ",\n") + TextTable.jsonRow(columns, row))
    }
    rows += 1
    return failure == nil
  }

  mutating func end() throws {
    if format == .json { add(rows == 0 ? "[]\n" : "\n]\n") }
    flush()
    if let failure { throw failure }
  }

  private mutating func add(_ text: String) {
    waiting += text
    if waiting.utf8.count >= Self.chunk { flush() }
  }

  private mutating func flush() {
    if failure != nil || waiting.isEmpty { return }
    do {
      try write(waiting)
    } catch {
      failure = error
    }
    waiting = ""
  }
}
