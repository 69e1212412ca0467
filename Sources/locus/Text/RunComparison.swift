import Formats
import Foundation
import Lineage
import Workflow

/// Two runs side by side.
struct RunComparison {
  private typealias Stage = RunContents.Stage
  private typealias Key = RunContents.Key
  private typealias Value = RunContents.Value

  /// Tables `runs`, `stages`, `parameters`, `inputs`, `results of one key` and `metrics`: only what differs.
  private(set) var sheet = Sheet()
  /// As in `sheet`, with values and intervals in one cell.
  private(set) var text = ""

  init(_ a: String, _ b: String, in store: Store, all: Bool, for console: Console) throws {
    let runs = try [a, b].map { try RunContents($0, in: store, all: all) }
    let stages = runs.map(\.stages)
    let names =
      stages[0].map(\.name)
      + stages[1].map(\.name).filter { name in
        !stages[0].contains { $0.name == name }
      }
    let pairs = names.map { name in
      (name: name, sides: stages.map { side in side.first { $0.name == name } })
    }
    sheet.add("runs", Self.differing(runs[0].facts, runs[1].facts, always: ["run", "started_at"]))
    sheet.add("stages", Self.presence(pairs.map { ($0.name, $0.sides.map { $0?.status }) }))
    sheet.add("parameters", Self.parameters(pairs))
    sheet.add("inputs", Self.inputs(pairs))
    sheet.add("results of one key", try Self.results(a, b, store))
    let others = sheet.text(for: console)
    let metrics = Self.metrics(runs[0], runs[1], all: all)
    let places = RunContents.places(store)
    sheet.add("metrics", Self.table(metrics, places))
    text = String(others.drop { $0 == "\n" })
    if !metrics.isEmpty {
      text += "\nmetrics\n" + Self.short(metrics, places, for: console)
    }
    if sheet.sections.count == 1 { text += "\nnothing else differs\n" }
  }

  private static let sides = ["a", "b"]

  private static func differing(_ a: TextTable, _ b: TextTable, always: [String]) -> TextTable {
    let rows = a.columns.enumerated().compactMap { index, column -> [JSONValue]? in
      guard let first = a.rows.first?[index], let second = b.rows.first?[index],
        first != second || always.contains(column)
      else { return nil }
      return [.string(column), first, second]
    }
    return TextTable(columns: ["run"] + sides, rows: rows)
  }

  // MARK: - Stages

  /// Stages that only one of the runs has, or that only one of them finished.
  private static func presence(_ stages: [(name: String, statuses: [String?])]) -> TextTable {
    let finished = ["executed", "reused"]
    let rows = stages.filter { stage in
      stage.statuses.contains { $0 == nil }
        || Set(stage.statuses.map { finished.contains($0 ?? "") }).count > 1
    }.map { stage in
      [.string(stage.name)] + stage.statuses.map { $0.map(JSONValue.string) ?? .string("—") }
    }
    return TextTable(columns: ["stage"] + sides, rows: rows)
  }

  private static func parameters(_ pairs: [(name: String, sides: [Stage?])]) -> TextTable {
    var rows: [[JSONValue]] = []
    for case (let name, let sides) in pairs {
      guard let a = sides[0], let b = sides[1] else { continue }
      func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .string("—") }
      rows += ParameterDifference.all(from: a.parameters, to: b.parameters).map {
        [.string(name), .string($0.path), text($0.old), text($0.new)]
      }
      if a.seed != b.seed {
        rows.append([.string(name), .string("seed"), a.seed, b.seed])
      }
    }
    return TextTable(columns: ["stage", "parameter"] + sides, rows: rows)
  }

  private static func inputs(_ pairs: [(name: String, sides: [Stage?])]) -> TextTable {
    var rows: [[JSONValue]] = []
    for case (let name, let sides) in pairs {
      guard let a = sides[0], let b = sides[1] else { continue }
      for role in Set(a.inputs.keys).union(b.inputs.keys).sorted()
      where a.inputs[role] != b.inputs[role] {
        func text(_ hash: String?) -> JSONValue {
          .string(hash.map { String($0.prefix(12)) } ?? "—")
        }
        rows.append([.string(name), .string(role), text(a.inputs[role]), text(b.inputs[role])])
      }
    }
    return TextTable(columns: ["stage", "input"] + sides, rows: rows)
  }

  /// What the same parameters, seed and inputs made in both runs, with other bytes.
  private static func results(_ a: String, _ b: String, _ store: Store) throws -> TextTable {
    TextTable(
      try store.query(
        """
        SELECT s.name AS stage, o.role, coalesce(e.instructions, 'unknown') || ' '
            || substr(o.sha256, 1, 12) AS a,
          coalesce(f.instructions, 'unknown') || ' ' || substr(p.sha256, 1, 12) AS b
        FROM stage s CROSS JOIN stage t ON t.run_id = ?2 AND t.name = s.name AND t.key = s.key
        CROSS JOIN execution e ON e.id = s.execution_id
        CROSS JOIN execution f ON f.id = t.execution_id
        CROSS JOIN execution_output o ON o.execution_id = e.id
        CROSS JOIN execution_output p ON p.execution_id = f.id AND p.role = o.role
        WHERE s.run_id = ?1 AND p.sha256 <> o.sha256 ORDER BY s.id, o.role
        """, [.text(a), .text(b)]))
  }

  // MARK: - Metrics

  private struct Row {
    var key: Key
    var a: Value?
    var b: Value?

    var difference: Double? { a.flatMap { a in b.map { $0.value - a.value } } }
    /// Whether both have intervals and these do not overlap.
    var isApart: Bool {
      guard let aLow = a?.low, let aHigh = a?.high, let bLow = b?.low, let bHigh = b?.high else {
        return false
      }
      return aHigh < bLow || bHigh < aLow
    }
  }

  private static func metrics(_ first: RunContents, _ second: RunContents, all: Bool) -> [Row] {
    var rows = first.keys.map { Row(key: $0, a: first.values[$0], b: second.values[$0]) }
    rows += second.keys.filter { first.values[$0] == nil }.map {
      Row(key: $0, b: second.values[$0])
    }
    return all ? rows : rows.filter { $0.a != $0.b }
  }

  private static func table(_ rows: [Row], _ places: [String]) -> TextTable {
    func number(_ value: Double?) -> JSONValue { value.map(JSONValue.number) ?? .null }
    return TextTable(
      columns: ["stage", "metric"] + places + ["about"]
        + sides.flatMap { [$0, $0 + "_low", $0 + "_high", $0 + "_n"] } + ["difference", "apart"],
      rows: rows.map { row in
        [.string(row.key.stage), .string(row.key.name)] + row.key.place.map(JSONValue.init)
          + [row.key.about.map(JSONValue.string) ?? .null]
          + [row.a, row.b].flatMap {
            [
              number($0?.value), number($0?.low), number($0?.high),
              $0?.n.map(JSONValue.integer) ?? .null,
            ]
          } + [number(row.difference), .bool(row.isApart)]
      })
  }

  /// For people: four digits, the interval behind the value. On a terminal, whose width a row would not fit,
  /// a table a stage with all that names a value in one cell.
  private static func short(_ rows: [Row], _ places: [String], for console: Console) -> String {
    let head = sides + ["b − a", ""]
    if console.outputWidth() == nil {
      return TextTable(
        columns: ["stage", "metric"] + places + ["about"] + head,
        rows: rows.map { row in
          [.string(row.key.stage), .string(row.key.name)] + row.key.place.map(JSONValue.init)
            + [row.key.about.map(JSONValue.string) ?? .null]
            + cells(row) { String(format: "%.4g", $0) }
        }
      ).without(empty: places).text(.table)
    }
    var stages: [String] = []
    for row in rows where stages.last != row.key.stage { stages.append(row.key.stage) }
    return stages.map { stage in
      let table = TextTable(
        columns: ["metric"] + head,
        rows: rows.filter { $0.key.stage == stage }.map { row in
          let place = zip(places, row.key.place).filter { $1 != .null }.map { name, value in
            "\(name) \(JSONValue(value).canonicalText())"
          }
          let about = row.key.about.map { [$0] } ?? []
          return [.string(([row.key.name] + place + about).joined(separator: ", "))]
            + cells(row, Shown.digits)
        })
      return "\(Escape.line(stage))\n\(table.text(for: console))"
    }.joined(separator: "\n")
  }

  private static func cells(_ row: Row, _ digits: (Double) -> String) -> [JSONValue] {
    func cell(_ value: Value?) -> JSONValue { .string(value?.text(digits) ?? "—") }
    return [
      cell(row.a), cell(row.b), row.difference.map { .string(digits($0)) } ?? .null,
      .string(row.isApart ? "apart" : ""),
    ]
  }
}
