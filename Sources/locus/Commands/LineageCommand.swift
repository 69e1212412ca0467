/// `locus lineage`: what a result came from.
enum LineageCommand: Command {
  enum Format: String, CaseIterable { case text, mermaid, dot, json }

  struct Options: StoreOptions {
    @Positional(
      "ARTIFACT|INSTANCE", names: .stages,
      "the beginning of an artifact's hash or an execution's id, or an instance's name")
    var subject: String
    @Option("--format", "FORMAT", shown: "text") var format: Format?
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "lineage", summary: "Show everything that an artifact or an instance came from.",
    examples: [
      .init(command: "locus lineage comparison", effect: "a tree, from the result to the scenes"),
      .init(
        command: "locus lineage 'baseline[labelling=single]' --format mermaid",
        effect: "a graph for a markdown page"),
      .init(
        command: "locus lineage 3fa9c1 --format dot | dot -Tsvg > lineage.svg",
        effect: "a picture, drawn by Graphviz"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let store = try context.openStore()
    let graph = try LineageGraph(
      StoreReference(context.options.subject, in: store), in: store)
    switch context.options.format ?? (context.options.json ? .json : .text) {
    case .mermaid: try context.console.write(graph.mermaid)
    case .dot: try context.console.write(graph.dot)
    case .json: try context.console.write(graph.json.prettyText())
    case .text: try context.console.write(graph.text)
    }
    return 0
  }
}
