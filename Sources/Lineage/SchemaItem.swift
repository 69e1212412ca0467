/// A row of `sqlite_schema`: a table, an index, a view or a trigger.
///
/// Names come from a file that may be anybody's: they are compared and bound, never pasted into SQL.
struct SchemaItem: Hashable {
  var type: String
  var name: String
  /// The table or view that it belongs to; its own name for a table or a view.
  var owner: String

  /// What people add to a store begins like this; the rest of the names are Locus' own.
  static let personalPrefix = "my_"

  /// SQLite tells names apart without regard to case.
  private static func isPersonal(_ name: String) -> Bool {
    name.lowercased().hasPrefix(personalPrefix)
  }

  /// A table or view of a person's, or an index or trigger that belongs to one: kept as it is.
  var isPersonal: Bool { Self.isPersonal(name) && Self.isPersonal(owner) }

  /// All of a database but what SQLite makes for itself.
  static func all(in database: Connection) throws(StoreError) -> [SchemaItem] {
    var items: [SchemaItem] = []
    for row in try database.rows(
      "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'")
    {
      items.append(
        SchemaItem(
          type: try row.text("type"), name: try row.text("name"), owner: try row.text("tbl_name")))
    }
    return items
  }
}

extension Schema {
  /// Everything that this version makes in a database, whatever older version it began as.
  static func own(_ vocabulary: Vocabulary) -> Set<SchemaItem> {
    var items = Set(
      vocabulary.allViews.map { SchemaItem(type: "view", name: $0.name, owner: $0.name) })
    // The statements themselves say what they make: `CREATE [UNIQUE] INDEX name ON table (…`.
    for statement in tables(vocabulary).split(separator: ";") {
      let head = statement.drop { $0.isWhitespace }.prefix { $0 != "(" }
      let words = head.split { $0 == " " || $0 == "\"" }.filter { $0 != "UNIQUE" }.map(String.init)
      guard words.count > 2, words[0] == "CREATE" else { continue }
      switch words[1] {
      case "TABLE": items.insert(SchemaItem(type: "table", name: words[2], owner: words[2]))
      case "INDEX" where words.count > 4:
        items.insert(SchemaItem(type: "index", name: words[2], owner: words[4]))
      default: break
      }
    }
    return items
  }

  /// What earlier versions made and a migration drops.
  private static let former = [
    SchemaItem(type: "index", name: "execution_success", owner: "execution"),
    SchemaItem(type: "index", name: "run_by_start", owner: "run"),
    SchemaItem(type: "index", name: "stage_by_name", owner: "stage"),
  ]

  /// Refuses a database in which something stands that neither Locus nor a person under the prefix for it
  /// has made: written to, it could do what nobody asked for.
  ///
  /// - Throws: `StoreError.stranger`.
  static func refuseStrangers(in database: Connection, _ vocabulary: Vocabulary) throws(StoreError)
  {
    var own = own(vocabulary)
    if try database.integer("PRAGMA user_version") ?? 0 < version { own.formUnion(former) }
    let strangers = try SchemaItem.all(in: database).filter { !own.contains($0) && !$0.isPersonal }
    guard let first = strangers.first else { return }
    throw .stranger(
      path: database.path, type: first.type, name: first.name, more: strangers.count - 1)
  }
}
