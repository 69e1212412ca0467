import Reporting
import Workflow

/// `locus dag`: what a pipeline file would run, before anything ran.
enum GraphCommand: Command {
  enum Format: String, CaseIterable { case text, mermaid, dot, json }

  struct Options: CommandOptions {
    @Positional("PIPELINE", "a pipeline file (JSON5)") var pipeline: String
    @Option(
      repeated: "--set", "KEY=VALUE",
      "override seed, scale or STAGE.PARAMETER, as if in the file"
    )
    var overrides: [String]
    @Option("--format", "FORMAT", shown: "text") var format: Format?
    @Flag(.json) var json
  }

  static let about = CommandSummary(
    name: "dag", summary: "Show the stages of a pipeline file and what each reads of others.",
    discussion: """
      Needs no store and runs nothing; the file is checked as `locus run` checks it. The instances of a
      matrix are one box with their number. `locus run --dry-run` tells which of them would run, and
      `locus lineage` what a result came from.
      """,
    examples: [
      .init(command: "locus dag Pipelines/quickstart.json5", effect: "a line a stage"),
      .init(
        command: "locus dag Pipelines/quickstart.json5 --format mermaid",
        effect: "a graph for a markdown page"),
      .init(
        command: "locus dag study.json5 --format dot | dot -Tsvg > study.svg",
        effect: "a picture, drawn by Graphviz"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let graph = PipelineGraph(
      try Pipeline.read(
        path: options.pipeline, kinds: context.kinds, overrides: options.overrides,
        extensions: [.claims]))
    switch options.format ?? (options.json ? .json : .text) {
    case .text: try context.console.write(graph.text)
    case .mermaid: try context.console.write(graph.mermaid)
    case .dot: try context.console.write(graph.dot)
    case .json: try context.console.write(graph.json.prettyText())
    }
    return 0
  }
}
