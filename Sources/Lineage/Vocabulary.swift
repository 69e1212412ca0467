/// What a program adds to a store: the words that Lineage itself does not know.
///
/// Columns of `metric`, further tables, views, queries and the catalogue of what is measured. Every
/// opening is given one, and brings the store to it.
public struct Vocabulary: Sendable {
  /// The columns of `metric` that say where a value was measured; the first is in its index.
  public var dimensions: [MetricDimension]
  public var tables: [TableDeclaration]
  /// In the order in which they are made: a view may use those before it.
  public var views: [ViewDeclaration]
  public var queries: [NamedQuery]
  public var measures: [MeasureRow]
  public var upgrade: Upgrade

  public init(
    dimensions: [MetricDimension] = [], tables: [TableDeclaration] = [], views: [ViewDeclaration] = [],
    queries: [NamedQuery] = [], measures: [MeasureRow] = [], upgrade: Upgrade = .none
  ) {
    self.dimensions = dimensions
    self.tables = tables
    self.views = views
    self.queries = queries
    self.measures = measures
    self.upgrade = upgrade
  }

  /// Lineage's own views, then the program's.
  var allViews: [ViewDeclaration] { ViewDeclaration.own + views }

  /// Lineage's own queries, then the program's.
  public var allQueries: [NamedQuery] { NamedQuery.own + queries }
}

/// A type of SQLite's strict tables.
public enum ColumnType: String, Sendable, Hashable {
  case integer = "INTEGER"
  case real = "REAL"
  case text = "TEXT"
}

/// Where a value was measured: a column of `metric`.
public struct MetricDimension: Sendable, Hashable {
  /// What it is to a value.
  public enum Role: Sendable, Hashable {
    /// A condition that was set: values at different ones are different questions.
    case condition
    /// The axis of a curve, of which one point alone says little.
    case axis
    /// One of several repetitions of the same.
    case repetition
    /// Which of several things it is of.
    case category
  }
  public var name: String
  public var type: ColumnType
  public var role: Role
  public var sentence: String

  public init(_ name: String, _ type: ColumnType, _ role: Role, _ sentence: String) {
    self.name = name
    self.type = type
    self.role = role
    self.sentence = sentence
  }
}

/// A further table, with a set of rows an execution; its first column, `execution_id`, goes without
/// saying.
public struct TableDeclaration: Sendable, Hashable {
  public struct Column: Sendable, Hashable {
    public var name: String
    public var type: ColumnType
    /// What SQL shall check of it.
    public var check: String?

    public init(_ name: String, _ type: ColumnType, check: String? = nil) {
      self.name = name
      self.type = type
      self.check = check
    }
  }
  public var name: String
  public var columns: [Column]
  /// The columns that, with `execution_id`, tell rows apart.
  public var key: [String]

  public init(_ name: String, columns: [Column], key: [String]) {
    self.name = name
    self.columns = columns
    self.key = key
  }
}

/// A view: its text is the same in every store, or it is made anew.
public struct ViewDeclaration: Sendable, Hashable {
  public var name: String
  public var sql: String

  public init(name: String, sql: String) {
    self.name = name
    self.sql = sql
  }

  /// `run_NAME` over every run, and `NAME` with these columns over the latest run of each pipeline.
  ///
  /// - Parameter sql: gives `run_id` and the columns.
  public static func pair(_ name: String, columns: String, _ sql: String) -> [ViewDeclaration] {
    [
      ViewDeclaration(name: "run_" + name, sql: sql),
      ViewDeclaration(
        name: name,
        sql: "SELECT \(columns) FROM run_\(name) WHERE run_id IN (SELECT id FROM latest_run)"),
    ]
  }
}

/// A question that people ask often, under a name for `locus query`.
public struct NamedQuery: Sendable, Hashable {
  public var name: String
  public var summary: String
  public var sql: String

  public init(name: String, summary: String, sql: String) {
    self.name = name
    self.summary = summary
    self.sql = sql
  }
}

/// One row of the table `measure`: what a name in `metric` means.
public struct MeasureRow: Sendable, Hashable {
  public var name: String
  public var unit: String?
  public var dimensions: String
  /// How its interval is made; `nil` for a value that has none.
  public var interval: String?
  /// The kinds of stage that measure it.
  public var kinds: String
  public var sentence: String
  public var source: String

  public init(
    name: String, unit: String?, dimensions: String, interval: String?, kinds: String,
    sentence: String, source: String
  ) {
    self.name = name
    self.unit = unit
    self.dimensions = dimensions
    self.interval = interval
    self.kinds = kinds
    self.sentence = sentence
    self.source = source
  }
}

/// Brings what was recorded before there were vocabularies to this one.
public struct Upgrade: Sendable {
  /// Fills `metric` from the rows of schema 2, which stand in `metric_2`.
  public var sql: String
  /// A metric from the members that it has in a receipt of format 1.
  public var metric: @Sendable ([String: ColumnValue]) throws -> MetricRow
  /// The member of a receipt of format 1 that holds the rows of a further table, by the table.
  public var tables: [String: String]

  public init(
    sql: String, metric: @escaping @Sendable ([String: ColumnValue]) throws -> MetricRow,
    tables: [String: String]
  ) {
    self.sql = sql
    self.metric = metric
    self.tables = tables
  }

  /// For a program that has no past.
  public static let none = Upgrade(
    sql: """
      INSERT INTO metric (execution_id, name, value, ci_low, ci_high, n, unit)
      SELECT execution_id, name, value, ci_low, ci_high, n, unit FROM metric_2 ORDER BY rowid
      """,
    metric: { try MetricRow(unplaced: $0) }, tables: [:])
}
