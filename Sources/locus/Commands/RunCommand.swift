import Experiments
import Formats
import Foundation
import Lineage
import Measures
import Reporting
import Workflow

/// `locus run`: brings a pipeline up to date.
enum RunCommand: Command {
  struct Options: StoreOptions {
    @Positional("PIPELINE", "a pipeline file (JSON5); `locus init` writes one") var pipeline: String
    @Option(
      repeated: "--only", "STAGE", names: .stages, "only this stage or instance, and what it needs")
    var only: [String]
    @Option(repeated: "--force", "STAGE", names: .stages, "run this stage or instance again")
    var force: [String]
    @Option(
      repeated: "--set", "KEY=VALUE",
      "override seed, scale or STAGE.PARAMETER, as if in the file"
    )
    var overrides: [String]
    @Option(.threads("threads a stage may use", note: "; no result changes")) var threads: Int
    @Option(
      "--jobs", "N", shown: "1, or all on Slurm",
      "stages at once, sharing the threads here",
      reading: { text throws(UsageError) in
        guard let count = Int(text), (1...100_000).contains(count) else {
          throw .badValue(text, option: "--jobs", accepted: "an integer from 1 to 100000")
        }
        return count
      })
    var jobs: Int?
    @Option("--executor", "WORD", shown: "the pipeline file's, or local", { "where: \($0)" })
    var executor: ExecutorOptions.Kind?
    @Option(
      "--checkpoint", "N", in: 0...60, showsRange: true, default: 30,
      "seconds of work between a stage's checkpoints")
    var checkpoint: Int
    @Flag("--dry-run", "tell what would run and why, then stop") var isDry
    @Flag("--wait", "wait while another run holds the lock, instead of 75") var waits
    @Flag("--quiet", "print nothing but, at its end, why a run failed") var isQuiet
    @Flag(.json) var json
    @Option(.reports) var reports: String
    @Option("--trigger", "WORD", "what started it, for the record") var trigger: String?
    @Option(.store) var store: String?
    @Option(
      "--objects", "DIR", shown: "the store",
      "objects and receipts, where a cluster sees them")
    var objects: String?
  }

  static let about = CommandSummary(
    name: "run", summary: "Run what a pipeline still needs; reuse the rest.",
    discussion: """
      A stage runs when its kind, parameters, seed or the content of its inputs are not those of
      an earlier success. A run that was interrupted or killed goes on with the same command, its
      unfinished stage from its last checkpoint, to the same bytes. At its end, even after a
      failure, a run writes its report and prints its answer in one sentence and its path
      (the path alone to the standard output); one that had nothing to do
      leaves the last report as it stands. What `locus verify` found damaged is healed first.

      With `--executor slurm` stages are jobs of Slurm, with `--jobs N` child processes, N at once:
      the same keys, the same bytes. Jobs of Slurm go on when this command ends; given again it
      takes them up, whatever ended it.
      """,
    examples: [
      .init(
        command: "locus run Pipelines/quickstart.json5",
        effect: "run it, or what is left of it"),
      .init(
        command: "locus run Pipelines/quickstart.json5 --dry-run --set baseline.network.width=32",
        effect: "which stages would a wider network run again, and why"),
      .init(
        command: "locus run study.json5 --executor slurm --set executor.time=4:00:00",
        effect: "run it on a cluster, each stage a job of four hours at most"),
      .init(
        command: "locus run study.json5 --only 'baseline[labelling=single]' --force baseline",
        effect: "train one instance again, whether or not anything changed"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    if !context.options.isQuiet { return try carryOut(context) }
    do {
      return try carryOut(context)
    } catch is Console.ClosedPipe {
      throw Console.ClosedPipe()
    } catch {
      // What a schedule adds to its log says when, as the last line of a run that failed does.
      let now = timestamp(Date())
      for line in CommandLineTool.text(of: error).split(separator: "\n") {
        context.console.tell("\(now) \(line)")
      }
      return exitCode(of: error)
    }
  }

  private static func carryOut(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let path = options.pipeline
    let origins =
      options.isDry ? nil : Origins(pipeline: path, context.console)
    let first = try Pipeline.read(
      path: path, kinds: context.kinds, overrides: options.overrides, extensions: [.claims])
    try Experiments.checkReplication(first)
    let existing = options.isDry || first.replication != nil ? try openedStore(context) : nil
    // With as many replicates as this run shall have, for a pipeline that grows.
    let pipeline = try Pipeline.growing(store: existing) { replicates in
      guard let replicates else { return first }
      return try Pipeline.parse(
        bytes: Array(first.source.utf8), path: path, kinds: context.kinds,
        overrides: options.overrides, replicates: replicates, extensions: [.claims])
    }
    if options.isDry {
      let plan = try plan(pipeline, existing, options)
      try plan.checkNeeds { existing }
      if let existing { _ = try plan.checkNumerics(existing) }
      let standing = try existing.flatMap { try pipeline.standing(store: $0) }
      try context.console.write(
        options.json
          ? RunText.json(plan, standing).prettyText()
          : RunText.text(plan, standing, for: context.console))
      if let kinds = nodeKinds(of: pipeline, context) { context.console.tell(kinds) }
      return 0
    }
    try Processor.check()
    try context.checkWritable(folder: options.reports)
    if let kinds = nodeKinds(of: pipeline, context), !options.isQuiet {
      context.console.tell(kinds)
    }
    // A wrong selection leaves no store behind. What is still to be done is decided stage by stage,
    // under the lock: another run may be at work yet.
    let plan = try plan(pipeline, nil, options)
    try plan.checkNeeds { try openedStore(context) }

    if let objects = options.objects {
      try Store.split(
        database: context.namedFolder,
        objects: URL(filePath: objects, directoryHint: .isDirectory))
    }
    // From here on a signal is a request, so that nothing is left behind half done.
    let signals = SignalWatch()
    defer { withExtendedLifetime(signals) {} }
    let cancellation = Cancellation(followsSignals: true)
    let session: Session
    do {
      session = try open(for: pipeline.name, context, cancellation)
    } catch is CancellationError {
      return 128 + cancellation.signal
    }
    let printer = printer(context)
    let (summary, end) = try session.run(
      plan: { store in
        if let mixed = try plan.checkNumerics(store), !options.isQuiet {
          context.console.tell(mixed.text)
        }
        if executor(of: pipeline, options) != .slurm,
          let text = try JobsAtWork.check(
            plan, in: store.folder, environment: context.console.environment), !options.isQuiet
        {
          context.console.tell("locus: \(text)")
        }
        return plan
      },
      settings: RunSettings(
        threads: options.threads, trigger: options.trigger ?? "manual", locusVersion: locusVersion,
        gitCommit: origins?.commit, origin: origins?.found(isWorking:within:),
        options: words(options),
        machine: Machine.facts.merging(origins?.machine ?? [:]) { $1 },
        checkpointInterval: Double(options.checkpoint),
        jobs: try jobs(of: pipeline, context)),
      cancellation: cancellation, observer: printer.observe,
      report: { summary, store in
        (
          report: try ReportCommand.page(on: summary, store, into: options.reports),
          standing: try pipeline.standing(store: store)
        )
      })
    let verdict = summary.status == .succeeded ? try Report.verdict(of: end.report) : nil
    let report = end.report.relativePath
    if options.json {
      let value = RunText.json(summary, report, verdict, end.standing)
      try context.console.printLine(value.canonicalText())
    } else if !options.isQuiet {
      if let verdict { context.console.tell(verdict) }
      try context.console.printLine(report)
      if let standing = end.standing { try context.console.showLine(standing.text) }
    }
    return summary.exitCode
  }

  /// What is to be said of a cluster whose nodes may compute otherwise.
  private static func nodeKinds(
    of pipeline: Pipeline, _ context: CommandContext<Options>
  ) -> String? {
    guard executor(of: pipeline, context.options) == .slurm else { return nil }
    return NodeKinds(of: pipeline, environment: context.console.environment)?.text
  }

  private static func executor(of pipeline: Pipeline, _ options: Options) -> ExecutorOptions.Kind {
    options.executor ?? pipeline.executor.type ?? .local
  }

  /// `nil`: one stage after the other, in this process.
  private static func jobs(
    of pipeline: Pipeline, _ context: CommandContext<Options>
  ) throws -> JobSettings? {
    let options = context.options
    let kind = executor(of: pipeline, options)
    let limit = options.jobs ?? (kind == .slurm ? 100_000 : 1)
    if kind == .local && limit == 1 { return nil }
    guard let program = context.console.program?.path else {
      throw UsageError.missingFile("locus", reason: "where this program lies is not known")
    }
    let environment = context.console.environment
    switch kind {
    case .local:
      return JobSettings(limit: limit, threads: max(1, options.threads / limit)) { _ in
        LocalExecutor(program: program, environment: environment)
      }
    case .slurm:
      return JobSettings(limit: limit, threads: 1) { store in
        try SlurmExecutor(store: store, program: program, environment: environment)
      }
    }
  }

  private static func open(
    for pipeline: String, _ context: CommandContext<Options>, _ cancellation: Cancellation
  ) throws -> Session {
    let options = context.options
    var shown: LockOwner?
    func wait(for owner: LockOwner) throws {
      if owner != shown, !options.isQuiet {
        context.console.tell("locus: waiting for \(owner.description)")
      }
      shown = owner
      try cancellation.check()
      usleep(100_000)
    }
    return try Session(
      context.storeFolder, .locus, as: pipeline, makesStore: true,
      whileHeld: options.waits ? wait : nil,
      healed: options.isQuiet ? { _ in } : context.tellHealed)
  }

  /// `nil`: there is none yet.
  private static func openedStore(_ context: CommandContext<Options>) throws -> Store? {
    do {
      return try context.openStore()
    } catch StoreError.missing {
      return nil
    }
  }

  private static func plan(_ pipeline: Pipeline, _ store: Store?, _ options: Options) throws
    -> Plan
  {
    try Plan(pipeline, store: store, only: options.only, force: options.force)
  }

  /// What changes the plan, as it was typed.
  private static func words(_ options: Options) -> [String] {
    [
      (options.$only.name, options.only), (options.$force.name, options.force),
      (options.$overrides.name, options.overrides),
    ].flatMap { name, values in values.flatMap { [name, $0] } }
  }

  private static func printer(_ context: CommandContext<Options>) -> ProgressPrinter {
    let console = context.console
    let style: ProgressPrinter.Style =
      context.options.isQuiet ? .quiet : console.isTerminal ? .terminal : .lines
    return ProgressPrinter(style: style, width: console.width, output: console.writeError)
  }
}
