import Artifacts
import Lineage
import Workflow

/// `locus names`: what the store at hand has names for, a line each, as completions offer them.
enum NamesCommand: Command {
  struct Options: StoreOptions {
    @Positional("WHAT", placeholder: .runs) var what: StoredNames
    @Positional("PIPELINE", "stages: of this file, not of the store") var pipeline: String?
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "names", summary: "List names in the store or in a pipeline file, for completions.",
    examples: [
      .init(command: "locus names denoisers", effect: "what `sample` and `denoise` take"),
      .init(
        command: "locus names stages Pipelines/quickstart.json5",
        effect: "what `run --only` and `--force` take"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let names =
      if let path = options.pipeline {
        try stages(of: path, context.kinds)
      } else {
        try options.what.all(in: context.openStore())
      }
    try context.console.write(names.map { $0 + "\n" }.joined())
    return 0
  }

  private static func stages(of path: String, _ kinds: [StageKind]) throws -> [String] {
    let pipeline = try Pipeline.read(path: path, kinds: kinds, extensions: [.claims])
    return pipeline.instances.flatMap { [$0.stage, $0.name] }.withoutRepetition
  }
}

/// Things of a store that have names.
enum StoredNames: String, CaseIterable {
  case stages, runs, pipelines, queries, denoisers
  /// Whatever `show` takes that can be typed.
  case things

  /// In the order in which a person is likely to want them.
  func all(in store: Store) throws -> [String] {
    switch self {
    case .runs:
      return ["latest"]
        + (try store.texts("SELECT id FROM run ORDER BY sequence DESC, id DESC LIMIT 100"))
    case .pipelines: return try store.texts("SELECT DISTINCT name FROM pipeline ORDER BY name")
    case .queries:
      return store.vocabulary.queries.map(\.name)
        + (try store.texts("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name"))
    case .stages:
      let names = try store.texts(Self.newest + " ORDER BY s.id")
      return (names + names.map { String($0.prefix { $0 != "[" }) }).withoutRepetition
    case .denoisers:
      return try store.texts(
        Self.newest
          + """
           AND EXISTS (SELECT 1 FROM execution_output o JOIN artifact a USING (sha256)
            WHERE o.execution_id = s.execution_id AND a.kind = '\(ArtifactType.denoiser.name)')
          ORDER BY s.id
          """)
    case .things: return try Self.runs.all(in: store) + Self.stages.all(in: store)
    }
  }

  private static let newest = """
    SELECT s.name FROM stage s WHERE s.run_id IN (SELECT id FROM newest_run)
    """
}

extension Array where Element: Hashable {
  /// Each element where it stands first.
  var withoutRepetition: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
