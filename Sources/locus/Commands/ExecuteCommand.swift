import Experiments
import Foundation
import Lineage
import Workflow

/// `locus execute`: carries out one work order.
enum ExecuteCommand: Command {
  struct Options: CommandOptions {
    @Positional("ORDER", "a work order, as `locus run` writes it below `orders`") var order: String
    @Flag("--tied", "end, with a checkpoint, when standard input does") var isTied
  }

  static let about = CommandSummary(
    name: "execute", summary: "Execute one stage from a work order, without the database.",
    discussion: """
      What `locus run` starts on the nodes of a cluster, or in its child processes, one for each
      stage. It reads the order and the objects that it names, writes what it made beside the order,
      and then a receipt, which the run verifies and takes in. Asked to end (SIGTERM, as Slurm does
      before a time limit), it keeps a checkpoint and ends with 143; a job of Slurm that has more
      time to come queues itself again from there.
      """,
    examples: [
      .init(
        command: "locus execute data/orders/6f…/order-1.json",
        effect: "what a job does, by hand, to see why it fails")
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    try Processor.check()
    let signals = SignalWatch()
    defer { withExtendedLifetime(signals) {} }
    let cancellation = Cancellation(followsSignals: true)
    if context.options.isTied { StandardInput.whenClosed { cancellation.request(signal: SIGTERM) } }
    let console = context.console
    let own = SlurmJob(environment: console.environment)
    let execution = try OrderExecution(
      orderAt: URL(filePath: context.options.order).absoluteURL, kinds: context.kinds,
      cancellation: cancellation, job: own?.id, restarts: own?.restarts ?? 0,
      tell: { console.tell("\(timestamp(Date())) \($0)") })
    let end = try execution.run { hasCheckpoint in
      guard hasCheckpoint, let own, own.requeue() else { return false }
      console.tell("\(timestamp(Date())) queued again, to go on from the checkpoint")
      return true
    }
    return end.exitCode
  }
}
