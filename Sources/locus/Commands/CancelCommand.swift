import Foundation
import Workflow

/// `locus cancel`: ends jobs that a run submitted.
enum CancelCommand: Command {
  struct Options: StoreOptions {
    @Option(
      repeated: "--only", "STAGE", names: .stages, "only jobs of this stage or instance")
    var only: [String]
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "cancel", summary: "Cancel the Slurm jobs of a store that wait or run.",
    discussion: """
      A run that is still there tells of its stages as failed and does not submit them again. What
      their checkpoints hold stays: the next `locus run` orders them anew and goes on from there.
      """,
    examples: [
      .init(command: "locus cancel", effect: "cancel all jobs of the store"),
      .init(command: "locus cancel --only baseline", effect: "cancel those of one stage"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    _ = try context.openStore()
    var slurm = try SlurmExecutor(
      store: context.storeFolder, program: "", environment: context.console.environment)
    guard let cancelled = try slurm.cancelAll(stages: context.options.only) else {
      throw WorkflowError.noScheduler("it does not answer now")
    }
    for job in cancelled { try context.console.showLine("cancelled \(job.stage), job \(job.id)") }
    if cancelled.isEmpty { try context.console.showLine("no job waits or runs") }
    return 0
  }
}
