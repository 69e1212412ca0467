import Lineage

/// What a word on the command line means in a store.
enum StoreReference: Hashable {
  case run(String)
  case execution(String)
  case artifact(String)

  var id: String {
    switch self {
    case .run(let id), .execution(let id), .artifact(let id): id
    }
  }

  /// A run, an execution or an artifact by an unambiguous beginning of its id; an instance such as
  /// `baseline[labelling=single]` means what it used or did last; `latest` is the newest run.
  ///
  /// A stage's name means its instance, where it has one alone.
  init(_ word: String, in store: Store) throws {
    if word == "latest" {
      let newest = try store.texts("SELECT id FROM run ORDER BY sequence DESC, id DESC LIMIT 1")
      guard let id = newest.first else { throw UsageError.unknownReference(word) }
      self = .run(id)
      return
    }
    let instances = try Self.instances(of: word, in: store)
    if instances.count > 1 {
      throw UsageError.ambiguousReference(word, candidates: instances.map(\.name))
    }
    if let instance = instances.first {
      self = .execution(instance.execution)
      return
    }
    var found: [StoreReference] = []
    for (table, column, make) in Self.places where !word.isEmpty {
      let ids = try store.texts(
        "SELECT \(column) FROM \(table) WHERE substr(\(column), 1, length(?1)) = ?1 LIMIT 6",
        [.text(word)])
      found += ids.map(make)
    }
    if let exact = found.first(where: { $0.id == word }) {
      self = exact
    } else if found.count > 1 {
      throw UsageError.ambiguousReference(word, candidates: found.map(\.id))
    } else if let only = found.first {
      self = only
    } else {
      let names = try store.texts("SELECT DISTINCT name FROM stage ORDER BY name")
      throw UsageError.unknownReference(word, known: names)
    }
  }

  /// The id of the run that a word means.
  static func run(_ word: String, in store: Store) throws -> String {
    guard case .run(let id) = try StoreReference(word, in: store) else {
      throw UsageError.noRun(word)
    }
    return id
  }

  /// The instance of this name, or all of the stage of this name in the newest run that had it, each with
  /// what it used or did last.
  static func instances(of word: String, in store: Store) throws -> [(
    name: String, execution: String, run: String
  )] {
    func find(_ condition: String) throws -> [(name: String, execution: String, run: String)] {
      try store.rows(
        """
        SELECT s.name, s.execution_id, s.run_id FROM stage s WHERE s.execution_id IS NOT NULL
          AND \(condition) AND s.run_id = (
            SELECT s.run_id FROM stage s JOIN run r ON r.id = s.run_id
            WHERE s.execution_id IS NOT NULL AND \(condition)
            ORDER BY r.sequence DESC, s.id DESC LIMIT 1)
        ORDER BY s.id
        """, [.text(word)]
      ).map { (try $0.text("name"), try $0.text("execution_id"), try $0.text("run_id")) }
    }
    let named = try find("s.name = ?1")
    return named.isEmpty ? try find("substr(s.name, 1, length(?1) + 1) = ?1 || '['") : named
  }

  private static let places: [(String, String, @Sendable (String) -> StoreReference)] = [
    ("run", "id", { .run($0) }), ("execution", "id", { .execution($0) }),
    ("artifact", "sha256", { .artifact($0) }),
  ]
}
