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
  init(_ word: String, in store: Store) throws {
    if word == "latest" {
      let newest = try store.texts("SELECT id FROM run ORDER BY sequence DESC, id DESC LIMIT 1")
      guard let id = newest.first else { throw UsageError.unknownReference(word) }
      self = .run(id)
      return
    }
    let instance = try store.texts(
      """
      SELECT s.execution_id FROM stage s JOIN run r ON r.id = s.run_id
      WHERE s.name = ? AND s.execution_id IS NOT NULL ORDER BY r.sequence DESC, s.id DESC LIMIT 1
      """, [.text(word)])
    if let id = instance.first {
      self = .execution(id)
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

  private static let places: [(String, String, @Sendable (String) -> StoreReference)] = [
    ("run", "id", { .run($0) }), ("execution", "id", { .execution($0) }),
    ("artifact", "sha256", { .artifact($0) }),
  ]
}
