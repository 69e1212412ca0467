import Formats

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
    discussion: """
      `--format mermaid` gives what GitHub draws: a graph of at most 500 arrows and 50,000 characters. A
      larger one has one box for all instances of a stage, with their number, and where that is still too
      large it is a Markdown table. The other formats have every execution.
      """,
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
    case .mermaid: try draw(graph.chart, context.console)
    case .dot: try context.console.write(graph.dot)
    case .json: try context.console.write(graph.json.prettyText())
    case .text: try context.console.write(graph.text)
    }
    return 0
  }

  private static func draw(_ chart: Flowchart, _ console: Console) throws {
    let tooLarge =
      "locus: \(chart.arrows.count) arrows between \(chart.nodes.count) boxes are more than GitHub draws"
    switch chart.drawing {
    case .whole(let text): try console.write(text + "\n")
    case .collapsed(let text):
      console.tell(tooLarge + ": the instances of a stage are one box; --format dot has each")
      try console.write(text + "\n")
    case .table(let drawn):
      console.tell(tooLarge + ", with one box a stage too: a table; --format dot has each arrow")
      let table = TextTable(
        columns: drawn.columns, rows: drawn.rows.map { $0.map(JSONValue.string) })
      try console.write(table.text(.markdown))
    }
  }
}
