extension Schema {
  /// Brings a database to this version, tables by the migrations that it lacks, views by their text.
  static func migrate(_ database: Connection) throws(StoreError) {
    let version = try database.query("PRAGMA user_version").rows.first?.first?.integer ?? 0
    try database.transaction { () throws(StoreError) in
      // Views may name what a migration changes.
      let old = try database.query("SELECT name FROM sqlite_schema WHERE type = 'view'")
      for name in old.column("name").compactMap(\.text) {
        try database.execute("DROP VIEW \"\(name)\"")
      }
      for migration in migrations.dropFirst(version) { try database.execute(migration.sql) }
      for view in Views.all {
        try database.execute("CREATE VIEW \(view.name) AS \(view.sql)")
      }
      try database.execute("PRAGMA application_id = \(applicationID)")
      try database.execute("PRAGMA user_version = \(self.version)")
    }
  }
}
