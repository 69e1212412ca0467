import Formats
import Foundation
import Lineage

/// `locus show`: all that the store knows of one thing.
enum ShowCommand: Command {
  struct Options: StoreOptions {
    @Positional(
      "ID", names: .things, "the beginning of an id or hash, an instance's name, or `latest`")
    var id: String
    @Flag("--all", "every point of a curve too") var all
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "show", summary: "Show a run, an execution or an artifact in full.",
    discussion: """
      An execution's curves (a loss against the pictures seen, a share against windows) are a row each:
      how many points from where to where, the first value, the last and the least. --all and --json
      have every point.

      \(TextTable.fitting)
      """,
    examples: [
      .init(command: "locus show latest", effect: "the newest run, its stages and events"),
      .init(
        command: "locus show 'baseline[labelling=single]'",
        effect: "the execution that this instance used last"),
      .init(command: "locus show 3fa9c1 --json", effect: "whatever begins so, for a program"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let store = try context.openStore()
    let instances = try StoreReference.instances(of: context.options.id, in: store)
    if instances.count > 1 {
      let sheet = try stage(context.options.id, run: instances[0].run, store)
      try context.console.write(
        context.options.json ? sheet.json : sheet.text(for: context.console))
      return 0
    }
    let sheet =
      switch try StoreReference(context.options.id, in: store) {
      case .run(let id): try run(id, store, isForPeople: !context.options.json)
      case .execution(let id):
        try execution(
          id, store, isForPeople: !context.options.json,
          hasPoints: context.options.all || context.options.json)
      case .artifact(let hash): try artifact(hash, store)
      }
    try context.console.write(
      context.options.json ? sheet.json : sheet.text(for: context.console))
    return 0
  }

  private static func run(_ id: String, _ store: Store, isForPeople: Bool) throws -> Sheet {
    func table(_ sql: String) throws -> TextTable {
      TextTable(try store.query(sql, [.text(id)]))
    }
    var sheet = Sheet()
    sheet.add(
      try table(
        """
        SELECT r.id AS run, p.name AS pipeline, p.path, r.status, r.started_at, r.finished_at,
          r.seed, r.trigger,
          r.options, r.host,
          r.locus_version, r.git_commit, r.machine
        FROM run r JOIN pipeline p ON p.id = r.pipeline_id WHERE r.id = ?
        """
      ).withOptions(asTyped: isForPeople))
    sheet.add(
      "stages",
      try table(
        """
        SELECT s.name, s.status, round(e.wall_seconds, 1) AS seconds, s.execution_id AS execution,
          s.reason
        FROM stage s LEFT JOIN execution e ON e.id = s.execution_id
        WHERE s.run_id = ? ORDER BY s.id
        """))
    sheet.add(
      "events",
      try table("SELECT at, level, message FROM event WHERE run_id = ? ORDER BY rowid"))
    return sheet
  }

  /// Every instance of a stage in the newest run that had it.
  private static func stage(_ name: String, run: String, _ store: Store) throws -> Sheet {
    var sheet = Sheet()
    sheet.fields += [("stage", .string(name)), ("run", .string(run))]
    sheet.add(
      "instances",
      TextTable(
        try store.query(
          """
          SELECT s.name, s.status, e.status AS execution_status,
            round(e.wall_seconds, 1) AS seconds, e.id AS execution
          FROM stage s JOIN execution e ON e.id = s.execution_id
          WHERE s.run_id = ? AND substr(s.name, 1, ?) = ? ORDER BY s.id
          """, [.text(run), .integer(Int64(name.count + 1)), .text(name + "[")])))
    return sheet
  }

  private static func execution(
    _ id: String, _ store: Store, isForPeople: Bool, hasPoints: Bool
  ) throws -> Sheet {
    func table(_ sql: String) throws -> TextTable {
      TextTable(try store.query(sql, [.text(id)]))
    }
    var sheet = Sheet()
    sheet.add(
      try table(
        """
        SELECT id AS execution, kind, key, params, seed, status, error, attempt, started_at,
          finished_at, wall_seconds, cpu_seconds, peak_rss_bytes, threads
        FROM execution WHERE id = ?
        """))
    if let index = sheet.fields.firstIndex(where: { $0.name == "params" }),
      let text = sheet.fields[index].value.string,
      let value = try? JSONValue.parse(Data(text.utf8))
    {
      sheet.fields[index].value = isForPeople ? .string(value.prettyText()) : value
    }
    for (title, relation) in [("inputs", "execution_input"), ("outputs", "execution_output")] {
      sheet.add(
        title,
        try table(
          """
          SELECT x.role, a.kind, a.bytes, x.sha256 FROM \(relation) x JOIN artifact a USING (sha256)
          WHERE x.execution_id = ? ORDER BY x.role
          """))
    }
    sheet.add(
      "stages",
      try table(
        "SELECT run_id AS run, name, status, reason FROM stage WHERE execution_id = ? ORDER BY id DESC"
      ))
    let dimensions = store.vocabulary.dimensions.map(\.name)
    let metrics = try table(
      """
      SELECT name, value, \(dimensions.map { "\"\($0)\", " }.joined())subject, ci_low, ci_high, n, unit
      FROM metric WHERE execution_id = ? ORDER BY rowid
      """)
    if hasPoints {
      // People need not see along which dimensions nothing was measured.
      sheet.add("metrics", isForPeople ? metrics.without(empty: dimensions + ["subject"]) : metrics)
    } else {
      let series = MetricSeries(metrics, dimensions: store.vocabulary.dimensions)
      sheet.add("metrics", series.values)
      sheet.add("curves", series.curves)
    }
    return sheet
  }

  private static func artifact(_ hash: String, _ store: Store) throws -> Sheet {
    func table(_ sql: String) throws -> TextTable {
      TextTable(try store.query(sql, [.text(hash)]))
    }
    var sheet = Sheet()
    sheet.add(
      try table(
        "SELECT sha256 AS artifact, kind, media_type, bytes, created_at FROM artifact WHERE sha256 = ?"
      ))
    sheet.fields.append(("file", .string(store.objectURL(hash).path)))
    for (title, relation) in [("made by", "execution_output"), ("used by", "execution_input")] {
      sheet.add(
        title,
        try table(
          """
          SELECT x.execution_id AS execution, e.kind, x.role, e.status, (
            SELECT s.name FROM stage s WHERE s.execution_id = e.id ORDER BY s.id DESC LIMIT 1)
            AS stage
          FROM \(relation) x JOIN execution e ON e.id = x.execution_id
          WHERE x.sha256 = ? ORDER BY e.finished_at
          """))
    }
    return sheet
  }
}
