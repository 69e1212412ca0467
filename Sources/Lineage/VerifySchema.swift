/// Holds what a database is made of against what this version makes: a view that says something else, an
/// index that is gone, a trigger that nobody asked for.
struct SchemaComparison {
  /// Has the database of a store attached as `old`; its `main` is of this version.
  let index: Connection
  let vocabulary: Vocabulary

  /// What is wrong, each with the name of what it is about.
  func problems() throws(StoreError) -> [(subject: String, problem: String)] {
    var problems: [(subject: String, problem: String)] = []
    let application = try index.integer("PRAGMA old.application_id") ?? 0
    let version = try index.integer("PRAGMA old.user_version") ?? 0
    if application != Schema.applicationID {
      problems.append(("locus.sqlite", "has the application id \(application)"))
    }
    // What an older version made is brought to this one when it is next written to.
    if version != Schema.version { return problems }
    var found = try items("old")
    var expected = try items("main")
    // Nor are views a fault that an earlier build of this version made: they hold nothing.
    let isFormer = vocabulary.formerViews.contains(Self.digest(ofViews: found))
    if isFormer {
      found = found.filter { $0.key.type != "view" }
      expected = expected.filter { $0.key.type != "view" }
    }
    for (item, sql) in found.sorted(by: { $0.key.name < $1.key.name }) {
      guard let own = expected[item] else {
        if !item.isPersonal {
          problems.append(("\(item.type) \(item.name)", "was not made by Locus"))
        }
        continue
      }
      // A table that was migrated has another text than a new one, with the same columns.
      let isSame = item.type == "table" ? try columnsAreEqual(item.name, isFormer) : sql == own
      if !isSame { problems.append(("\(item.type) \(item.name)", "is not as Locus makes it")) }
    }
    // Nor is what such a build did not have yet: it is added when the store is next written to.
    let tables = isFormer ? Set(vocabulary.tables.map(\.name)) : []
    for item in expected.keys.sorted(by: { $0.name < $1.name })
    where found[item] == nil && !tables.contains(item.name) {
      problems.append(("\(item.type) \(item.name)", "is missing"))
    }
    return problems
  }

  private func lateColumns(of table: String) -> Set<String> {
    let dimensions = table == "metric" ? vocabulary.dimensions.filter(\.isLate).map(\.name) : []
    let columns = vocabulary.tables.filter { $0.name == table }.flatMap(\.columns)
    return Set(dimensions + columns.filter(\.isLate).map(\.name))
  }

  private static func digest(ofViews items: [SchemaItem: String]) -> String {
    let views = items.filter { $0.key.type == "view" && !$0.key.isPersonal }
    return ViewDeclaration.digest(
      views.sorted { $0.key.name.utf8.lexicographicallyPrecedes($1.key.name.utf8) }.map(\.value))
  }

  private func items(_ place: String) throws(StoreError) -> [SchemaItem: String] {
    var items: [SchemaItem: String] = [:]
    for row in try index.rows(
      "SELECT type, name, tbl_name, sql FROM \(place).sqlite_schema"
        + " WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'")
    {
      let item = SchemaItem(
        type: try row.text("type"), name: try row.text("name"), owner: try row.text("tbl_name"))
      items[item] = try row.optionalText("sql") ?? ""
    }
    return items
  }

  private func columnsAreEqual(_ table: String, _ isFormer: Bool) throws(StoreError) -> Bool {
    func columns(_ place: String) throws(StoreError) -> [[SQLValue]] {
      try index.query(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, ?)"
          + " ORDER BY name", [.text(table), .text(place)]
      ).rows
    }
    func constraints(_ place: String) throws(StoreError) -> QueryResult {
      try index.query(
        "SELECT \"from\", \"table\", \"to\" FROM pragma_foreign_key_list(?, ?) ORDER BY 1, 2, 3",
        [.text(table), .text(place)])
    }
    let old = try columns("old")
    let late = isFormer ? lateColumns(of: table) : []
    let isSame =
      try old
      == columns("main").filter { own in
        !late.contains(own[0].text ?? "") || old.contains(own)
      }
    let areConstraints = try constraints("old") == constraints("main")
    return isSame && areConstraints
  }
}
