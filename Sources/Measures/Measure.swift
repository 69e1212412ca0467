import Lineage
import Statistics

/// What a name in the table `metric` means: each measure once, whoever computes it.
///
/// A stage makes rows of it with `row(_:_:)`; views, queries and the report take its name from here.
package struct Measure: Sendable, Hashable {
  /// As in the store.
  package let name: String
  /// `nil` for shares and other pure numbers.
  package let unit: String?
  /// Where it may be measured. A row need not have all of them.
  package let dimensions: [MetricDimension]
  package let interval: IntervalMethod
  /// The kinds of stage that measure it.
  package let kinds: [String]
  package let sentence: String
  /// Where its definition comes from.
  package let source: Source

  init(
    _ name: String, unit: String? = nil, by dimensions: [MetricDimension] = [],
    interval: IntervalMethod = .none, in kinds: [String], _ sentence: String,
    source: Source = .locus
  ) {
    self.name = name
    self.unit = unit
    self.dimensions = dimensions
    self.interval = interval
    self.kinds = kinds
    self.sentence = sentence
    self.source = source
  }

  /// Who defined a measure.
  package enum Source: String, Sendable, CaseIterable {
    case locus = "Locus"
    case localScores = "arXiv 2509.16447"
    case scoreMachine = "arXiv 2412.20292"
    case heatMaps = "arXiv 2411.19339"
    case composition = "arXiv 2502.04549"
    case frechet = "arXiv 1706.08500"
    case diffusionClassifier = "arXiv 2303.16203"
    case textbook
  }
}

/// How the 95 % interval of a measure is made.
package enum IntervalMethod: String, Sendable, CaseIterable {
  case none = "none"
  case bootstrap = "bootstrap over layouts"
  case bootstrapOrWilson = "bootstrap over layouts; Wilson where all agree"
  case wilson = "Wilson"
  case inversion = "inverted tests of each K, Holm for the upper end"
  case profile = "likelihood ratio of the fitted curve"
  case pictures = "bootstrap over pictures"
  case picturesOrWilson = "bootstrap over pictures; Wilson where all agree"
  case movedToValue = "bootstrap over pictures, moved to the value"
  case halves = "95 % range over splits into halves"
  case exchanges = "95 % range over random exchanges"
  case randomSubspaces = "95 % range over random subspaces"
  case pivotal = "generalised pivotal quantities of mean squares"
  case strata = "Wilson's ends of each stratum, together"
  case tiles = "bootstrap over tiles within strata"
  case median = "bootstrap of the median over pictures"
  case integration = "1.96 standard errors over points, or the error of a quadrature"
}

extension Measure {
  /// One row of the table `metric`.
  ///
  /// - Parameter at: where it was measured, each dimension at most once; `nil` says nothing.
  package func row(_ value: Double, _ at: Coordinate?..., n: Int? = nil) -> MetricRow {
    row(value, at: at.compactMap { $0 }, n: n)
  }

  /// One row of the table `metric`, with the interval and its number of units.
  package func row(_ interval: Interval, _ at: Coordinate?...) -> MetricRow {
    row(
      interval.value, at: at.compactMap { $0 }, low: interval.low, high: interval.high,
      n: interval.n)
  }

  /// One row with the ends of an interval that was not made by `Statistics`.
  package func row(
    _ value: Double, low: Double?, high: Double?, _ at: Coordinate?..., n: Int? = nil
  )
    -> MetricRow
  {
    row(value, at: at.compactMap { $0 }, low: low, high: high, n: n)
  }

  private func row(
    _ value: Double, at: [Coordinate], low: Double? = nil, high: Double? = nil, n: Int?
  ) -> MetricRow {
    var row = MetricRow(name: name, value: value, ciLow: low, ciHigh: high, n: n, unit: unit)
    for coordinate in at {
      assert(
        dimensions.contains(coordinate.dimension), "\(name) has no \(coordinate.dimension.name)")
      if case .subject(let sha256) = coordinate {
        row.subject = sha256
      } else {
        row.dimensions[coordinate.dimension.name] = coordinate.value
      }
    }
    return row
  }
}
