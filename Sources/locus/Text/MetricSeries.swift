import Formats
import Lineage

/// The metrics of an execution for people: single values in one table, curves in another, a row a curve.
struct MetricSeries {
  private(set) var values: TextTable
  private(set) var curves: TextTable

  /// As few points are not worth leaving out.
  private static let least = 4

  /// What a curve's points have in common.
  private struct Key: Hashable {
    var axis: Int
    var place: [JSONValue]
  }

  /// - Parameter table: has the columns `name`, `value`, the dimensions, `subject` and `unit`.
  init(_ table: TextTable, dimensions: [MetricDimension]) {
    func place(_ name: String) -> Int { table.columns.firstIndex(of: name) ?? 0 }
    let axes = dimensions.filter { $0.role == .axis }.map { place($0.name) }
    let others =
      [place("name")] + dimensions.map { place($0.name) }.filter { !axes.contains($0) }
      + [place("subject"), place("unit")]
    var points: [Key: [[JSONValue]]] = [:]
    var order: [Key] = []
    func key(_ row: [JSONValue]) -> Key? {
      let along = axes.filter { row[$0] != .null }
      return along.count == 1 ? Key(axis: along[0], place: others.map { row[$0] }) : nil
    }
    for row in table.rows {
      guard let key = key(row) else { continue }
      if points[key] == nil { order.append(key) }
      points[key, default: []].append(row)
    }
    let curves = order.filter { (points[$0]?.count ?? 0) >= Self.least }
    let known = Set(curves)
    values = TextTable(
      columns: table.columns,
      rows: table.rows.filter { row in key(row).map { !known.contains($0) } ?? true }
    ).without(empty: dimensions.map(\.name) + ["subject"])
    let value = place("value")
    self.curves = TextTable(
      columns: others.map { table.columns[$0] }
        + ["along", "from", "to", "points", "first", "last", "least"],
      rows: curves.map { key in
        let rows = points[key, default: []].sorted {
          ($0[key.axis].number ?? 0) < ($1[key.axis].number ?? 0)
        }
        let least = rows.compactMap { $0[value].number }.min()
        return key.place + [
          .string(table.columns[key.axis]), rows.first?[key.axis] ?? .null,
          rows.last?[key.axis] ?? .null, .integer(rows.count), rows.first?[value] ?? .null,
          rows.last?[value] ?? .null, least.map(JSONValue.number) ?? .null,
        ]
      }
    ).without(empty: dimensions.map(\.name) + ["subject", "unit"])
  }
}
