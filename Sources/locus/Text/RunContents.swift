import Formats
import Foundation
import Lineage

/// What a run was and what it measured, to be held beside other runs.
struct RunContents {
  struct Stage {
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

  /// What names a metric's row in every run: a seed does not, since runs may differ in it.
  struct Key: Hashable {
    var stage: String
    var name: String
    /// Along each of `places`.
    var place: [SQLValue]
    /// The stage whose result it is about, or which of several things it is of.
    var about: String?
    var repetition = 0
  }

  struct Value: Hashable {
    var value: Double
    var low: Double?
    var high: Double?
    var n: Int?

    /// With its interval, where it has one.
    func text(_ digits: (Double) -> String) -> String {
      guard let low, let high else { return digits(value) }
      return "\(digits(value)) [\(digits(low)), \(digits(high))]"
    }
  }

  let id: String
  /// One row: when and how it ran.
  let facts: TextTable
  let stages: [Stage]
  /// In the order in which they were measured.
  let keys: [Key]
  let values: [Key: Value]

  /// - Parameter all: points of curves too.
  init(_ id: String, in store: Store, all: Bool) throws {
    self.id = id
    facts = try Self.runs(id, store)
    stages = try Self.stages(id, store)
    (keys, values) = try Self.values(id, store, all: all)
  }

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
  static func places(_ store: Store) -> [String] {
    store.vocabulary.dimensions.filter { $0.role == .condition || $0.role == .axis }.map(\.name)
  }

}
