import Formats
import Foundation
import Lineage
import Workflow

/// `locus merge`: what another store has comes into this one.
enum MergeCommand: Command {
  struct Options: StoreOptions {
    @Positional("OTHER", "the folder of another store, which is only read") var other: String
    @Flag("--dry-run", "tell what would come, then stop") var isDry
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "merge", summary: "Bring in what another store has.",
    discussion: """
      Executions, runs and objects that are not here are copied, each object held against its hash;
      nothing here is changed, and what was cut off can be done again. Results of one key with other
      bytes stand side by side, with the instruction set that made each, and are listed: runs keep what
      they used, and a new run takes the one of its own instruction set. Runs without an end stay there.
      """,
    examples: [
      .init(
        command: "locus merge /mnt/cluster/data --dry-run", effect: "what would come from a cluster"
      ),
      .init(command: "locus merge ../colleague/data", effect: "bring it in"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let other = URL(filePath: options.other, directoryHint: .isDirectory)
    let merge: Merge
    if options.isDry {
      _ = try context.openStore()
      merge = try Store.merge(of: other, into: context.storeFolder, .locus)
    } else {
      let cancellation = Cancellation(followsSignals: true)
      let signals = SignalWatch()
      defer { withExtendedLifetime(signals) {} }
      do {
        merge = try context.openSession(as: "merge").merge(other) { _, _ in
          try cancellation.check()
        }
      } catch is CancellationError {
        return 128 + cancellation.signal
      }
    }
    if options.json {
      try context.console.printLine(json(merge, isDone: !options.isDry).prettyText())
    } else {
      for line in lines(merge, isDone: !options.isDry) { try context.console.showLine(line) }
    }
    return 0
  }

  private static func lines(_ merge: Merge, isDone: Bool) -> [String] {
    let megabytes = String(format: "%.1f", Double(merge.bytes) / 1e6)
    var lines = [
      "\(isDone ? "brought in" : "would bring in") \(merge.executions.count) executions,"
        + " \(merge.runs.count) runs and \(merge.objects.count) objects: \(megabytes) MB;"
        + " \(merge.known) executions and runs were here"
    ]
    lines += merge.unfinished.map { "run \($0) has no end yet: left there" }
    lines += merge.noted.map { "run \($0.id) has more notes there: brought in" }
    lines += merge.renamed.sorted { $0.key < $1.key }.map { old, new in
      "\(old) is something else here: brought in as \(new)"
    }
    lines += merge.differences.map { difference in
      let mine = difference.myInstructions ?? "unknown"
      let theirs = difference.theirInstructions ?? "unknown"
      let why =
        mine == theirs
        ? "the same instruction set, \(mine): another library, compiler or version of Locus made one"
        : "\(mine) here, \(theirs) there"
      return
        "\(difference.kind) \(difference.key.prefix(16)): other bytes in \(difference.mine) and"
        + " \(difference.theirs) (\(why)); both are kept"
    }
    return lines
  }

  private static func json(_ merge: Merge, isDone: Bool) -> JSONValue {
    func list(_ names: [String]) -> JSONValue { .array(names.map(JSONValue.string)) }
    func text(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
    return .object([
      "merged": .bool(isDone), "executions": list(merge.executions.map(\.id)),
      "runs": list(merge.runs.map(\.id)), "objects": list(merge.objects),
      "noted": list(merge.noted.map(\.id)),
      "bytes": .integer(merge.bytes), "known": .integer(merge.known),
      "unfinished": list(merge.unfinished),
      "renamed": .object(merge.renamed.mapValues(JSONValue.string)),
      "differences": .array(
        merge.differences.map {
          .object([
            "key": .string($0.key), "kind": .string($0.kind), "mine": .string($0.mine),
            "theirs": .string($0.theirs), "my_instructions": text($0.myInstructions),
            "their_instructions": text($0.theirInstructions),
          ])
        }),
    ])
  }
}
