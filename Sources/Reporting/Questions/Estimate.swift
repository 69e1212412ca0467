import Lineage
import Statistics

/// A value with its interval, as the store has it.
struct Estimate: Hashable {
  var value: Double
  var low: Double?
  var high: Double?
  var n: Int?
}

extension Estimate {
  var negated: Estimate {
    Estimate(value: -value, low: high.map { -$0 }, high: low.map { -$0 }, n: n)
  }

  init(_ interval: Interval) {
    self.init(value: interval.value, low: interval.low, high: interval.high, n: interval.n)
  }
}

extension Row {
  /// The value of a column with `ci_low`, `ci_high` and `n`, each after `prefix`.
  func estimate(_ column: String, _ prefix: String = "") throws -> Estimate {
    Estimate(
      value: try number(column), low: try optionalNumber(prefix + "ci_low"),
      high: try optionalNumber(prefix + "ci_high"), n: try optionalInteger(prefix + "n"))
  }

  func estimateIfAny(_ column: String, _ prefix: String = "") throws -> Estimate? {
    try optionalNumber(column) == nil ? nil : try estimate(column, prefix)
  }
}
