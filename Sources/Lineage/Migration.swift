extension Schema {
  /// Brings a database to this version and this vocabulary: tables by the migrations that it lacks,
  /// columns and tables that the vocabulary has anew, views and measures by their text.
  static func migrate(_ database: Connection, to vocabulary: Vocabulary) throws(StoreError) {
    try database.transaction { () throws(StoreError) in
      // Views may name what a migration changes; a person's are left as they are.
      try database.execute("PRAGMA legacy_alter_table = ON")
      for view in vocabulary.allViews {
        try database.execute("DROP VIEW IF EXISTS \"\(view.name)\"")
      }
      let version = try database.integer("PRAGMA user_version") ?? 0
      if version == 0 {
        try database.execute(tables(vocabulary))
      } else {
        for migration in migrations.dropFirst(version - 1) {
          try database.execute(migration.sql(vocabulary))
        }
        try extend(database, to: vocabulary)
      }
      for view in vocabulary.allViews {
        try database.execute(view.statement)
      }
      try write(vocabulary.measures, into: database)
      try database.execute("PRAGMA application_id = \(applicationID)")
      try database.execute("PRAGMA user_version = \(self.version)")
    }
  }

  /// Whether there is nothing to migrate.
  static func isCurrent(_ database: Connection, for vocabulary: Vocabulary) throws(StoreError)
    -> Bool
  {
    guard try database.integer("PRAGMA user_version") == version else { return false }
    if try !hasViews(database, of: vocabulary) { return false }
    if try !missing(of: vocabulary, in: database).isEmpty { return false }
    return try database.query("SELECT \(measureColumns) FROM measure ORDER BY rowid").rows
      == vocabulary.measures.map(values)
  }

  private static func hasViews(_ database: Connection, of vocabulary: Vocabulary)
    throws(StoreError) -> Bool
  {
    let views = try database.texts(
      "SELECT sql FROM sqlite_schema WHERE type = 'view' AND substr(lower(name), 1, length(?1)) <> ?1"
        + " ORDER BY rowid", [.text(SchemaItem.personalPrefix)])
    return views == vocabulary.allViews.map(\.statement)
  }

  /// Lets whoever reads see this version's views of a database with others, without a change to it.
  static func showViews(of vocabulary: Vocabulary, on database: Connection) throws(StoreError) {
    if try hasViews(database, of: vocabulary) { return }
    for view in vocabulary.allViews { try database.execute(view.temporaryStatement) }
  }

  /// Whether no column and no table of a vocabulary is missing.
  static func hasAll(of vocabulary: Vocabulary, in database: Connection) throws(StoreError) -> Bool
  {
    try missing(of: vocabulary, in: database).isEmpty
  }

  private static func extend(_ database: Connection, to vocabulary: Vocabulary) throws(StoreError) {
    for sql in try missing(of: vocabulary, in: database) { try database.execute(sql) }
  }

  /// The statements that make what a database lacks of a vocabulary's columns and tables.
  private static func missing(of vocabulary: Vocabulary, in database: Connection)
    throws(StoreError) -> [String]
  {
    let columns = Set(try database.texts("SELECT name FROM pragma_table_info('metric')"))
    let tables = Set(try database.texts("SELECT name FROM sqlite_schema WHERE type = 'table'"))
    return try vocabulary.dimensions.filter { !columns.contains($0.name) }
      .map { "ALTER TABLE metric ADD COLUMN \(column($0))" }
      + vocabulary.tables.filter { !tables.contains($0.name) }.map(table)
      + late(of: vocabulary.tables.filter { tables.contains($0.name) }, in: database)
  }

  private static func late(of tables: [TableDeclaration], in database: Connection)
    throws(StoreError) -> [String]
  {
    var statements: [String] = []
    for table in tables where table.columns.contains(where: \.isLate) {
      let found = Set(
        try database.texts("SELECT name FROM pragma_table_info(?)", [.text(table.name)]))
      for own in table.columns where own.isLate && !found.contains(own.name) {
        statements.append("ALTER TABLE \"\(table.name)\" ADD COLUMN \(column(own))")
      }
    }
    return statements
  }

  // MARK: - Measures

  private static let measureColumns = "name, unit, dimensions, interval, kinds, sentence, source"

  private static func values(_ row: MeasureRow) -> [SQLValue] {
    [
      .text(row.name), .optional(row.unit), .text(row.dimensions), .optional(row.interval),
      .text(row.kinds), .text(row.sentence), .text(row.source),
    ]
  }

  private static func write(_ measures: [MeasureRow], into database: Connection)
    throws(StoreError)
  {
    try database.execute("DELETE FROM measure")
    try database.insert(
      "INSERT INTO measure (\(measureColumns)) VALUES (?, ?, ?, ?, ?, ?, ?)", measures.map(values))
  }
}
