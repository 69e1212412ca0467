/// What a program adds to a store: the words that Lineage itself does not know.
///
/// Columns of `metric`, further tables, views, queries and the catalogue of what is measured. Every
/// opening is given one, and brings the store to it.
package struct Vocabulary: Sendable {
  /// The columns of `metric` that say where a value was measured; the first is in its index.
  package var dimensions: [MetricDimension]
  package var tables: [TableDeclaration]
  /// In the order in which they are made: a view may use those before it.
  package var views: [ViewDeclaration]
  /// Digests of all views as earlier builds of the schema's version made them: a store that has such ones
  /// was not tampered with, and gets today's when it is next written to.
  package var formerViews: Set<String>
  package var queries: [NamedQuery]
  package var measures: [MeasureRow]
  package var upgrade: Upgrade

  package init(
    dimensions: [MetricDimension] = [], tables: [TableDeclaration] = [],
    views: [ViewDeclaration] = [], formerViews: Set<String> = [],
    queries: [NamedQuery] = [], measures: [MeasureRow] = [], upgrade: Upgrade = .none
  ) {
    self.dimensions = dimensions
    self.tables = tables
    self.views = views
    self.formerViews = formerViews
    self.queries = queries
    self.measures = measures
    self.upgrade = upgrade
  }

  /// Lineage's own views, then the program's.
  var allViews: [ViewDeclaration] { ViewDeclaration.own + views }

  /// Each table that receipts fill, with the column that says to whom its rows belong; a table comes after
  /// those that it names rows of.
  var tablesOfReceipts: [(name: String, subject: String)] {
    [
      ("pipeline", "name"), ("run", "id"), ("execution", "id"), ("stage", "run_id"),
      ("event", "run_id"), ("artifact", "sha256"), ("manifest", "sha256"),
      ("execution_input", "execution_id"), ("execution_output", "execution_id"),
      ("metric", "execution_id"),
    ] + tables.map { ($0.name, "execution_id") }
  }

  /// Lineage's own queries, then the program's.
  package var allQueries: [NamedQuery] { NamedQuery.own + queries }
}

/// A type of SQLite's strict tables.
package enum ColumnType: String, Sendable, Hashable {
  case integer = "INTEGER"
  case real = "REAL"
  case text = "TEXT"
}

/// Where a value was measured: a column of `metric`.
package struct MetricDimension: Sendable, Hashable {
  /// What it is to a value.
  package enum Role: Sendable, Hashable {
    /// A condition that was set: values at different ones are different questions.
    case condition
    /// The axis of a curve, of which one point alone says little.
    case axis
    /// One of several repetitions of the same.
    case repetition
    /// Which of several things it is of.
    case category
  }
  package var name: String
  package var type: ColumnType
  package var role: Role
  package var sentence: String
  /// Whether it came after stores had been made: its column stands last in every store, as it does in those
  /// to which it is added.
  package var isLate: Bool

  package init(
    _ name: String, _ type: ColumnType, _ role: Role, _ sentence: String, isLate: Bool = false
  ) {
    self.isLate = isLate
    self.name = name
    self.type = type
    self.role = role
    self.sentence = sentence
  }
}

/// A further table, with a set of rows an execution; its first column, `execution_id`, goes without
/// saying.
package struct TableDeclaration: Sendable, Hashable {
  package struct Column: Sendable, Hashable {
    package var name: String
    package var type: ColumnType
    /// What it says, with its unit.
    package var sentence: String
    /// What SQL shall check of it.
    package var check: String?
    /// Whether it came after stores had been made: it is added to them, and rows from before have none.
    package var isLate: Bool

    package init(
      _ name: String, _ type: ColumnType, _ sentence: String = "", check: String? = nil,
      isLate: Bool = false
    ) {
      self.isLate = isLate
      self.sentence = sentence
      self.name = name
      self.type = type
      self.check = check
    }
  }
  package var name: String
  /// One sentence on what a row is.
  package var about: String
  /// Late ones last.
  package var columns: [Column]
  /// The columns that, with `execution_id`, tell rows apart.
  package var key: [String]

  package init(_ name: String, about: String = "", columns: [Column], key: [String]) {
    self.name = name
    self.about = about
    self.columns = columns
    self.key = key
  }
}

/// A question that people ask often, under a name for `locus query`.
package struct NamedQuery: Sendable, Hashable {
  package var name: String
  package var summary: String
  package var sql: String
  /// The columns that only describe: what has little room does without them, in this order.
  package var descriptions: [String]

  package init(name: String, summary: String, sql: String, descriptions: [String] = []) {
    self.name = name
    self.summary = summary
    self.sql = sql
    self.descriptions = descriptions
  }
}

/// One row of the table `measure`: what a name in `metric` means.
package struct MeasureRow: Sendable, Hashable {
  package var name: String
  package var unit: String?
  package var dimensions: String
  /// How its interval is made; `nil` for a value that has none.
  package var interval: String?
  /// The kinds of stage that measure it.
  package var kinds: String
  package var sentence: String
  package var source: String

  package init(
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
package struct Upgrade: Sendable {
  /// Fills `metric` from the rows of schema 2, which stand in `metric_2`.
  package var sql: String
  /// A metric from the members that it has in a receipt of format 1.
  package var metric: @Sendable ([String: ColumnValue]) throws -> MetricRow
  /// The member of a receipt of format 1 that holds the rows of a further table, by the table.
  package var tables: [String: String]

  package init(
    sql: String, metric: @escaping @Sendable ([String: ColumnValue]) throws -> MetricRow,
    tables: [String: String]
  ) {
    self.sql = sql
    self.metric = metric
    self.tables = tables
  }

  /// For a program that has no past.
  package static let none = Upgrade(
    sql: """
      INSERT INTO metric (execution_id, name, value, ci_low, ci_high, n, unit)
      SELECT execution_id, name, value, ci_low, ci_high, n, unit FROM metric_2 ORDER BY rowid
      """,
    metric: { try MetricRow(unplaced: $0) }, tables: [:])
}
