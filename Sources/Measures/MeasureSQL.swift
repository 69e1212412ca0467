extension Measure {
  /// Its name as a text of SQL.
  package var sqlName: String { "'\(name)'" }
}

extension Sequence<Measure> {
  /// Their names for `IN (…)`.
  package var sqlNames: String { map(\.sqlName).joined(separator: ", ") }
}
