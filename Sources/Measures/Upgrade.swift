import Lineage

/// Before there were dimensions, `step` and `arm` meant several things each; the measure tells which.
private enum Former {
  /// What `step` may have meant.
  static let steps: [MetricDimension] = [.pictures, .window, .radius, .coupling]
  /// What `arm` may have meant.
  static let arms: [MetricDimension] = [.detector, .score, .view, .pair, .subject]

  /// Names in `metric` whose `step`, or `arm`, was this dimension.
  static func names(_ dimension: MetricDimension) -> [Measure] {
    Measure.all.filter { $0.dimensions.contains(dimension) }
  }
}

extension Upgrade {
  static let fromStepsAndArms = Upgrade(
    sql: sql, metric: { try metric($0) }, tables: ["outcomes": OutcomeRow.table.name])

  private static let sql: String = {
    let same: [MetricDimension] = [.k, .sigma, .seed]
    func moved(_ column: String, to dimension: MetricDimension) -> String {
      let value =
        dimension.type == .integer ? "CAST(\(column) AS INTEGER)" : column
      return "CASE WHEN name IN (\(Former.names(dimension).sqlNames)) THEN \(value) END"
    }
    var columns = same.map { (name: $0.name, value: $0.name) }
    columns += Former.steps.map { (name: $0.name, value: moved("step", to: $0)) }
    columns += Former.arms.map { (name: $0.name, value: moved("arm", to: $0)) }
    return """
      INSERT INTO metric (execution_id, name, value, ci_low, ci_high, n, unit,
        \(columns.map { "\"\($0.name)\"" }.joined(separator: ", ")))
      SELECT execution_id, name, value, ci_low, ci_high, n, unit,
        \(columns.map(\.value).joined(separator: ",\n  "))
      FROM metric_2 ORDER BY rowid
      """
  }()

  private static func metric(_ members: [String: ColumnValue]) throws -> MetricRow {
    var row = try MetricRow(unplaced: members)
    for dimension in [MetricDimension.k, .sigma, .seed] {
      row.dimensions[dimension.name] = members[dimension.name]
    }
    let own = Measure.named(row.name)?.dimensions ?? []
    if let dimension = Former.steps.first(where: own.contains) {
      row.dimensions[dimension.name] = members["step"]
    }
    switch Former.arms.first(where: own.contains) {
    case .subject?: row.subject = members["arm"]?.text
    case let dimension?: row.dimensions[dimension.name] = members["arm"]
    case nil: break
    }
    return row
  }
}
