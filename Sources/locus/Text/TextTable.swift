import Formats
import Foundation
import Lineage

/// Rows of values as people or programs want them.
struct TextTable {
  enum Format: String, CaseIterable {
    case table, csv, json, markdown
  }
  var columns: [String]
  var rows: [[JSONValue]]

  init(columns: [String], rows: [[JSONValue]]) {
    self.columns = columns
    self.rows = rows
  }

  init(_ result: QueryResult) {
    columns = result.columns
    rows = result.rows.map { $0.map(JSONValue.init) }
  }

  /// Without those of these columns in which every row is null.
  func without(empty candidates: [String]) -> TextTable {
    let kept = columns.indices.filter { column in
      !candidates.contains(columns[column]) || rows.contains { $0[column] != .null }
    }
    return TextTable(
      columns: kept.map { columns[$0] }, rows: rows.map { row in kept.map { row[$0] } })
  }

  /// One object a row.
  var objects: [JSONValue] {
    rows.map { row in
      .object(Dictionary(zip(columns, row), uniquingKeysWith: { first, _ in first }))
    }
  }

  /// For people: on a terminal as wide as it is, elsewhere whole.
  ///
  /// - Parameters:
  ///   - dispensable: the columns that a narrow terminal does without first.
  ///   - whole: says how all of it is to be had.
  func text(for console: Console, dispensable: [String] = [], whole: String = "--json has all")
    -> String
  {
    guard let width = console.outputWidth() else { return aligned }
    return FittedTable(
      self, width: width, now: Date(), dispensable: dispensable, whole: whole
    ).text
  }

  /// What commands that print tables say of this.
  static let fitting = """
    On a terminal a table is as wide as it is (80 columns when that is not known): numbers have three
    or four digits, times are ages, commits and hashes are short, and what does not fit is told below.
    Into a pipe or a file it is whole, with every digit.
    """

  func text(_ format: Format) -> String {
    switch format {
    case .table: aligned
    case .csv: csv
    case .json: json
    case .markdown: markdown
    }
  }

  private var aligned: String {
    let cells = ([columns.map(JSONValue.string)] + rows).map {
      $0.map { Escape.line(Self.plain($0)) }
    }
    let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    let isNumeric = columns.indices.map { column in
      !rows.isEmpty && rows.allSatisfy { $0[column].number != nil || $0[column] == .null }
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return isNumeric[column] ? space + cell : cell + space
      }
      var text = padded.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      return text + "\n"
    }
    let rule = line(widths.map { String(repeating: "-", count: $0) })
    return line(cells[0]) + rule + cells.dropFirst().map(line).joined()
  }

  private var csv: String { Self.csvHead(columns) + rows.map(Self.csvRow).joined() }

  static func csvHead(_ columns: [String]) -> String { Escape.csvLine(columns) }
  static func csvRow(_ row: [JSONValue]) -> String { Escape.csvLine(row.map(plain)) }

  /// One object a row, in the order of the columns.
  private var json: String {
    let names = Self.jsonNames(columns)
    let objects = rows.map { Self.jsonRow(names, $0) }
    return objects.isEmpty ? "[]\n" : "[\n\(objects.joined(separator: ",\n"))\n]\n"
  }

  /// With the column `options` of runs, a JSON list, as a list, or for people as it was typed.
  func withOptions(asTyped: Bool) -> TextTable {
    guard let column = columns.firstIndex(of: "options") else { return self }
    var table = self
    for row in rows.indices {
      guard let text = rows[row][column].string,
        let words = (try? JSONValue.parse(Data(text.utf8)))?.array
      else { continue }
      let typed = words.compactMap(\.string).map(Escape.shellWord).joined(separator: " ")
      table.rows[row][column] =
        words.isEmpty ? .null : asTyped ? .string(typed) : .array(words)
    }
    return table
  }

  /// Names of columns that an object can have all of: a second `a` is `a_2`.
  static func jsonNames(_ columns: [String]) -> [String] {
    var seen: Set<String> = []
    return columns.map { column in
      var name = column
      var number = 2
      while !seen.insert(name).inserted {
        name = "\(column)_\(number)"
        number += 1
      }
      return name
    }
  }

  static func jsonRow(_ columns: [String], _ row: [JSONValue]) -> String {
    let members = zip(columns, row).map { name, value in
      "\(JSONValue.string(name).canonicalText()): \(value.canonicalText())"
    }
    return "  {\(members.joined(separator: ", "))}"
  }

  private var markdown: String { Self.markdownHead(columns) + rows.map(Self.markdownRow).joined() }

  static func markdownHead(_ columns: [String]) -> String {
    markdownLine(columns.map(Escape.markdown)) + markdownLine(columns.map { _ in "---" })
  }
  static func markdownRow(_ row: [JSONValue]) -> String {
    markdownLine(row.map { Escape.markdown(plain($0)) })
  }
  private static func markdownLine(_ cells: [String]) -> String {
    "| \(cells.joined(separator: " | ")) |\n"
  }

  private static func plain(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .string(let text): text
    default: value.canonicalText()
    }
  }
}

extension JSONValue {
  /// JSON has no infinite numbers and no bytes: the former become null, the latter hexadecimal.
  init(_ value: SQLValue) {
    self =
      switch value {
      case .null: .null
      case .integer(let number): .integer(Int(number))
      case .real(let number): number.isFinite ? .number(number) : .null
      case .text(let text): .string(text)
      case .blob(let data): .string(Self.hexadecimal(data))
      }
  }

  private static func hexadecimal(_ data: Data) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: 2 * data.count) { text in
      var place = 0
      for byte in data {
        text[place] = digits[Int(byte >> 4)]
        text[place + 1] = digits[Int(byte & 15)]
        place += 2
      }
      return place
    }
  }
}
