/// `locus lineage`: what a result came from.
enum LineageCommand: Command {
  static let declaration = CommandDeclaration(
    name: "lineage", summary: "Show everything that an artifact or an instance came from.",
    positionals: [
      PositionalDeclaration(
        name: "ARTIFACT|INSTANCE",
        help: "the beginning of an artifact's hash or an execution's id, or an instance's name")
    ],
    options: [
      OptionDeclaration(
        "--format", "FORMAT", values: formats, help: "text, mermaid, dot or json (default: text)"),
      CommandDeclaration.json,
      CommandDeclaration.store,
    ],
    examples: [
      .init(command: "locus lineage comparison", effect: "a tree, from the result to the scenes"),
      .init(
        command: "locus lineage 'baseline[labelling=single]' --format mermaid",
        effect: "a graph for a markdown page"),
      .init(
        command: "locus lineage 3fa9c1 --format dot | dot -Tsvg > lineage.svg",
        effect: "a picture, drawn by Graphviz"),
    ])

  private static let formats = ["text", "mermaid", "dot", "json"]

  static func run(_ context: CommandContext) throws -> Int32 {
    let asked = try context.arguments.choice("--format", among: formats)
    let format = asked ?? (context.arguments.has("--json") ? "json" : "text")
    let store = try context.openStore()
    let graph = try LineageGraph(
      StoreReference(context.arguments.positional(0) ?? "", in: store), in: store)
    switch format {
    case "mermaid": try context.console.write(graph.mermaid)
    case "dot": try context.console.write(graph.dot)
    case "json": try context.console.write(graph.json.prettyText())
    default: try context.console.write(graph.text)
    }
    return 0
  }
}
