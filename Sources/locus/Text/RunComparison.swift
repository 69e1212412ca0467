import Formats
import Foundation
import Lineage
import Workflow

/// Two runs side by side.
struct RunComparison {
  /// Tables `runs`, `stages`, `parameters`, `inputs`, `results of one key` and `metrics`: only what differs.
  private(set) var sheet = Sheet()
  /// As in `sheet`, with values and intervals in one cell.
  private(set) var text = ""

  init(_ a: String, _ b: String, in store: Store, all: Bool, for console: Console) throws {
    let runs = [try Self.runs(a, store), try Self.runs(b, store)]
    let stages = [try Self.stages(a, store), try Self.stages(b, store)]
    let names =
      stages[0].map(\.name)
      + stages[1].map(\.name).filter { name in
        !stages[0].contains { $0.name == name }
      }
    let pairs = names.map { name in
      (name: name, sides: stages.map { side in side.first { $0.name == name } })
    }
    sheet.add("runs", Self.differing(runs[0], runs[1], always: ["run", "started_at"]))
    sheet.add("stages", Self.presence(pairs.map { ($0.name, $0.sides.map { $0?.status }) }))
    sheet.add("parameters", Self.parameters(pairs))
    sheet.add("inputs", Self.inputs(pairs))
    sheet.add("results of one key", try Self.results(a, b, store))
    let others = sheet.text(for: console)
    let metrics = try Self.metrics(a, b, store, all: all)
    let places = Self.places(store)
    sheet.add("metrics", Self.table(metrics, places))
    text = String(others.drop { $0 == "\n" })
    if !metrics.isEmpty {
      text += "\nmetrics\n" + Self.short(metrics, places, for: console)
    }
    if sheet.sections.count == 1 { text += "\nnothing else differs\n" }
  }

  private static let sides = ["a", "b"]

  private static func runs(_ id: String, _ store: Store) throws -> TextTable {
    TextTable(
      try store.query(
        """
        SELECT r.id AS run, p.name AS pipeline, p.source_sha256 AS source, r.started_at, r.status,
          r.seed, r.options,
          r.locus_version, r.git_commit, r.host, r.machine
        FROM run r JOIN pipeline p ON p.id = r.pipeline_id WHERE r.id = ?
        """, [.text(id)])
    ).withOptions(asTyped: true)
  }

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

  private struct Stage {
    var name: String
    var status: String
    var parameters: JSONValue
    var seed: JSONValue
    var inputs: [String: String]
  }

  private static func stages(_ run: String, _ store: Store) throws -> [Stage] {
    let found = try store.rows(
      """
      SELECT s.name, s.status, e.params, e.seed FROM stage s
      LEFT JOIN execution e ON e.id = s.execution_id WHERE s.run_id = ? ORDER BY s.id
      """, [.text(run)])
    var inputs: [String: [String: String]] = [:]
    for row in try store.rows(
      """
      SELECT s.name, i.role, i.sha256,
        (SELECT min(o.name) FROM stage o JOIN execution_output x USING (execution_id)
          WHERE o.run_id = s.run_id AND x.sha256 = i.sha256) AS maker
      FROM stage s JOIN execution_input i USING (execution_id) WHERE s.run_id = ?
      ORDER BY i.role DESC
      """, [.text(run)])
    {
      let role = input(try row.text("role"), from: try row.optionalText("maker"))
      inputs[try row.text("name"), default: [:]][role] = try row.text("sha256")
    }
    return try found.map { row in
      let name = try row.text("name")
      // A stage that has no execution has no parameters to differ.
      let parameters = try row.optionalText("params").map { try JSONValue.parse(Data($0.utf8)) }
      return Stage(
        name: name, status: try row.text("status"), parameters: parameters ?? .object([:]),
        seed: JSONValue(try row.value("seed")), inputs: inputs[name] ?? [:])
    }
  }

  /// The place of a gathered input follows from its content: its maker names it better.
  private static func input(_ role: String, from maker: String?) -> String {
    guard let maker, let open = role.firstIndex(of: "["), let close = role.firstIndex(of: "]")
    else { return role }
    return role[..<open] + role[role.index(after: close)...] + " of " + maker
  }

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

  /// What names a metric's row in both runs: a seed does not, since runs may differ in it.
  private struct Key: Hashable {
    var stage: String
    var name: String
    /// Along each of `places`.
    var place: [SQLValue]
    /// The stage whose result it is about, or which of several things it is of.
    var about: String?
    var repetition = 0
  }

  private struct Value: Equatable {
    var value: Double
    var low: Double?
    var high: Double?
    var n: Int?
  }

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

  private static func metrics(_ a: String, _ b: String, _ store: Store, all: Bool) throws -> [Row] {
    let (first, second) = (try values(a, store, all: all), try values(b, store, all: all))
    var rows = first.keys.map { Row(key: $0, a: first.values[$0], b: second.values[$0]) }
    rows += second.keys.filter { first.values[$0] == nil }.map {
      Row(key: $0, b: second.values[$0])
    }
    return all ? rows : rows.filter { $0.a != $0.b }
  }

  private static func values(_ run: String, _ store: Store, all: Bool) throws -> (
    keys: [Key], values: [Key: Value]
  ) {
    let dimensions = store.vocabulary.dimensions
    func columns(_ role: MetricDimension.Role) -> [String] {
      dimensions.filter { $0.role == role }.map { "m.\"\($0.name)\"" }
    }
    let points = all ? [] : columns(.axis).map { "AND \($0) IS NULL" }
    let found = try store.rows(
      """
      SELECT s.name AS stage, m.*, coalesce(
          (SELECT min(o.name) FROM stage o JOIN execution_output x USING (execution_id)
            WHERE o.run_id = s.run_id AND x.sha256 = m.subject),
          \((["m.subject"] + columns(.category)).joined(separator: ", "))) AS about
      FROM stage s JOIN metric m USING (execution_id)
      WHERE s.run_id = ? \(points.joined(separator: " ")) ORDER BY s.id, m.rowid
      """, [.text(run)])
    var keys: [Key] = []
    var values: [Key: Value] = [:]
    for row in found {
      var key = Key(
        stage: try row.text("stage"), name: try row.text("name"),
        place: try places(store).map { try row.value($0) }, about: try row.optionalText("about"))
      while values[key] != nil { key.repetition += 1 }
      keys.append(key)
      values[key] = Value(
        value: try row.number("value"), low: try row.optionalNumber("ci_low"),
        high: try row.optionalNumber("ci_high"), n: try row.optionalInteger("n"))
    }
    return (keys, values)
  }

  /// The dimensions that tell rows apart.
  private static func places(_ store: Store) -> [String] {
    store.vocabulary.dimensions.filter { $0.role == .condition || $0.role == .axis }.map(\.name)
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
    func cell(_ value: Value?) -> JSONValue {
      guard let value else { return .string("—") }
      guard let low = value.low, let high = value.high else { return .string(digits(value.value)) }
      return .string("\(digits(value.value)) [\(digits(low)), \(digits(high))]")
    }
    return [
      cell(row.a), cell(row.b), row.difference.map { .string(digits($0)) } ?? .null,
      .string(row.isApart ? "apart" : ""),
    ]
  }
}
