import Experiments
import Formats
import Foundation
import Lineage
import Measures
import Reporting
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
      OptionDeclaration(
        "--checkpoint", "N",
        help: "seconds of work between a stage's checkpoints, 0 to 60 (default: 30)"),
      OptionDeclaration("--dry-run", help: "tell what would run and why, then stop"),
      OptionDeclaration("--wait", help: "wait while another run holds the lock, instead of 75"),
      OptionDeclaration("--quiet", help: "print nothing but, at its end, why a run failed"),
      CommandDeclaration.json,
      ReportCommand.reports,
      OptionDeclaration("--trigger", "WORD", help: "what started it, for the record"),
      CommandDeclaration.store,
    ],
    discussion: """
      A stage runs when its kind, parameters, seed or the content of its inputs are not those of
      an earlier success. A run that was interrupted or killed goes on with the same command, its
      unfinished stage from its last checkpoint, to the same bytes. At its end, even after a
      failure, a run writes its report and prints the report's path; one that had nothing to do
      leaves the last report as it stands. What `locus verify` found damaged is healed first.
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
    let interval = try arguments.integer("--checkpoint", in: 0...60) ?? 30
    let path = arguments.positional(0) ?? ""
    let overrides = arguments.all("--set")
    let first = try Pipeline.read(
      path: path, kinds: context.kinds, overrides: overrides, extensions: [.claims])
    let isDryRun = arguments.has("--dry-run")
    let existing = isDryRun || first.replication != nil ? try openedStore(context) : nil
    // With as many replicates as this run shall have, for a pipeline that grows.
    let pipeline = try Pipeline.growing(store: existing) { replicates in
      guard let replicates else { return first }
      return try Pipeline.parse(
        bytes: Array(first.source.utf8), path: path, kinds: context.kinds, overrides: overrides,
        replicates: replicates, extensions: [.claims])
    }
    if isDryRun {
      let plan = try plan(pipeline, existing, context)
      let standing = try existing.flatMap { try pipeline.standing(store: $0) }
      try context.console.write(
        arguments.has("--json")
          ? RunText.json(plan, standing).prettyText() : RunText.text(plan, standing))
      return 0
    }
    // A wrong selection leaves no store behind. What is still to be done is decided stage by stage,
    // under the lock: another run may be at work yet.
    let plan = try plan(pipeline, nil, context)

    // From here on a signal is a request, so that nothing is left behind half done.
    let signals = SignalWatch()
    defer { withExtendedLifetime(signals) {} }
    try context.makeStoreFolder()
    let cancellation = Cancellation(followsSignals: true)
    let lock: RunLock
    do {
      lock = try acquire(for: pipeline.name, context, cancellation)
    } catch is CancellationError {
      return 128 + cancellation.signal
    }
    for line in try Store.heal(context.storeFolder, .locus) where !arguments.has("--quiet") {
      context.console.writeError("healed: \(line)\n")
    }
    let store = try Store.open(context.storeFolder, .readWrite, .locus)
    let printer = printer(context)
    let summary = try Runner.run(
      plan, store: store, lock: lock,
      settings: RunSettings(
        threads: threads, trigger: arguments["--trigger"] ?? "manual", locusVersion: locusVersion,
        gitCommit: gitCommit(around: URL(filePath: path).deletingLastPathComponent()),
        instructions: Experiments.instructions, checkpointInterval: Double(interval)),
      cancellation: cancellation, observer: printer.observe)
    let report = try ReportCommand.path(of: summary, store, context)
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

  private static func acquire(
    for pipeline: String, _ context: CommandContext, _ cancellation: Cancellation
  ) throws -> RunLock {
    var shown: LockOwner?
    return try RunLock.acquire(context.lockURL, as: .current(pipeline: pipeline)) { owner in
      if !context.arguments.has("--wait") {
        throw WorkflowError.locked(owner, path: context.lockURL.path)
      }
      if owner != shown, !context.arguments.has("--quiet") {
        context.console.writeError("locus: waiting for \(owner.description)\n")
      }
      shown = owner
      try cancellation.check()
      usleep(100_000)
    }
  }

  /// `nil`: there is none yet.
  private static func openedStore(_ context: CommandContext) throws -> Store? {
    do {
      return try context.openStore()
    } catch StoreError.missing {
      return nil
    }
  }

  private static func plan(_ pipeline: Pipeline, _ store: Store?, _ context: CommandContext) throws
    -> Plan
  {
    try Plan(
      pipeline, store: store, only: context.arguments.all("--only"),
      force: context.arguments.all("--force"))
  }

  private static func printer(_ context: CommandContext) -> ProgressPrinter {
    let console = context.console
    let style: ProgressPrinter.Style =
      context.arguments.has("--quiet") ? .quiet : console.isTerminal ? .terminal : .lines
    return ProgressPrinter(style: style, width: console.width, output: console.writeError)
  }
}
