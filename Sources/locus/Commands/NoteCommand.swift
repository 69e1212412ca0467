import Lineage
import Workflow

/// `locus note`: what a person has to say of a run.
enum NoteCommand: Command {
  struct Options: StoreOptions {
    @Positional("RUN", names: .runs, "the beginning of a run's id, or `latest`") var run: String
    @Positional("TEXT", "what to keep with it, up to 4096 bytes") var text: String
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "note", summary: "Keep a note or a tag with a run.",
    discussion: """
      The note stands in the run's receipt, as an event of the level `note`: `show` and `runs` show it,
      `runs --note` finds it, `merge` brings it along. Nothing that was computed depends on it.
      """,
    examples: [
      .init(
        command: "locus note latest '#paper figure 2'",
        effect: "mark a run, to find it with `locus runs --note '#paper'`")
    ])

  /// Bytes.
  private static let longest = 4096

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let text = options.text
    guard text.contains(where: { !$0.isWhitespace }), text.utf8.count <= longest else {
      throw UsageError.badValue(
        text.isEmpty ? "nothing" : "\(text.utf8.count) bytes", option: "TEXT",
        accepted: "1 to \(longest) bytes that are not all blank")
    }
    let id = try StoreReference.run(options.run, in: context.openStore())
    try context.openSession(as: "note").note(run: id, text)
    return 0
  }
}
