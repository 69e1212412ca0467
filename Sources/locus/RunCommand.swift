import Formats
import Foundation
import Lineage
import Workflow

/// `locus run`: brings a pipeline up to date.
enum RunCommand: Command {
  static let declaration = CommandDeclaration(
    name: "run", summary: "Run what a pipeline still needs; reuse the rest.",
    positionals: [PositionalDeclaration(name: "PIPELINE", help: "a pipeline file (JSON5)")],
    options: [
      OptionDeclaration(
        "--only", "STAGE", repeats: true,
        help: "only this stage or instance, and what it needs"),
      OptionDeclaration(
        "--force", "STAGE", repeats: true, help: "run this stage or instance again"),
      OptionDeclaration(
        "--set", "KEY=VALUE", repeats: true,
        help: "override seed or STAGE.PARAMETER, as if it stood in the file"),
      OptionDeclaration(
        "--threads", "N", help: "threads a stage may use (default: all cores); no result changes"),
      OptionDeclaration("--dry-run", help: "tell what would run and why, then stop"),
      OptionDeclaration("--quiet", help: "print nothing but, at its end, why a run failed"),
      CommandDeclaration.json,
      ReportCommand.reports,
      OptionDeclaration("--trigger", "WORD", help: "what started it, for the record"),
      CommandDeclaration.store,
    ],
    discussion: """
      A stage runs when its kind, parameters, seed or the content of its inputs are not those of
      an earlier success. An interrupted run goes on with the same command. At its end, even after
      a failure, a run writes its report and prints the report's path.
      """,
    examples: [
      .init(
        command: "locus run Pipelines/quickstart.json5",
        effect: "run it, or what is left of it"),
      .init(
        command: "locus run Pipelines/quickstart.json5 --dry-run --set baseline.network.width=32",
        effect: "which stages would a wider network run again, and why"),
      .init(
        command: "locus run study.json5 --only 'baseline[labelling=single]' --force baseline",
        effect: "train one instance again, whether or not anything changed"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let arguments = context.arguments
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let threads = try arguments.integer("--threads", in: 1...1024) ?? cores
    let path = arguments.positional(0) ?? ""
    let overrides = arguments.all("--set")
    let first = try Pipeline.read(path: path, kinds: context.kinds, overrides: overrides)
    let existing = try store(context)
    // With as many replicates as this run shall have, for a pipeline that grows.
    let pipeline = try Pipeline.growing(store: existing) { replicates in
      guard let replicates else { return first }
      return try Pipeline.parse(
        bytes: Array(first.source.utf8), path: path, kinds: context.kinds, overrides: overrides,
        replicates: replicates)
    }
    // Planning only reads: a wrong selection leaves no store behind.
    let plan = try Plan(
      pipeline, store: existing, only: arguments.all("--only"), force: arguments.all("--force"))
    if arguments.has("--dry-run") {
      let standing = try existing.flatMap { try pipeline.standing(store: $0) }
      try context.console.write(
        arguments.has("--json")
          ? RunText.json(plan, standing).prettyText() : RunText.text(plan, standing))
      return 0
    }

    // From here on a signal is a request, so that nothing is left behind half done.
    let signals = SignalWatch()
    defer { withExtendedLifetime(signals) {} }
    try context.makeStoreFolder()
    let lock = try RunLock.acquire(context.lockURL, as: .current(pipeline: pipeline.name))
    let store = try Store.open(context.storeFolder, .readWrite)
    let printer = printer(context)
    let summary = try Runner.run(
      plan, store: store, lock: lock,
      settings: RunSettings(
        threads: threads, trigger: arguments["--trigger"] ?? "manual", locusVersion: locusVersion,
        gitCommit: gitCommit(around: URL(filePath: path).deletingLastPathComponent())),
      cancellation: Cancellation(followsSignals: true), observer: printer.observe)
    let report = try ReportCommand.write(summary.runID, store, context)
    if arguments.has("--json") {
      let value = RunText.json(summary, report, try pipeline.standing(store: store))
      try context.console.printLine(value.canonicalText())
    } else if !arguments.has("--quiet") {
      try context.console.printLine(report)
      if let standing = try pipeline.standing(store: store) {
        try context.console.printLine(standing.text)
      }
    }
    return summary.exitCode
  }

  private static func store(_ context: CommandContext) throws -> Store? {
    do {
      return try context.openStore()
    } catch StoreError.missing {
      return nil
    }
  }

  private static func printer(_ context: CommandContext) -> ProgressPrinter {
    let console = context.console
    let style: ProgressPrinter.Style =
      context.arguments.has("--quiet") ? .quiet : console.isTerminal ? .terminal : .lines
    return ProgressPrinter(style: style, width: console.width, output: console.writeError)
  }
}
