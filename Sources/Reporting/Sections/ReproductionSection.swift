import Formats
import Lineage

/// How to get the same numbers again.
struct ReproductionSection: Section {
  private let run: RunRecord
  private let sourceHash: String?
  private let artifacts: [ArtifactRow]

  init(_ data: RunData) throws {
    run = data.run
    sourceHash = try data.ask(OriginRow.question(run.id)).first
    artifacts = try data.ask(ArtifactRow.question(run.id))
  }

  var blocks: [Block] {
    let command =
      ["locus run", Escape.shellIfNeeded(run.path.hasPrefix("-") ? "./" + run.path : run.path)]
      + (run.options ?? []).map(Escape.shellWord)
    var blocks: [Block] = [
      .heading("How to reproduce"), .code(command.joined(separator: " "), language: "sh"),
    ]
    blocks += changes.map { .paragraph($0) }
    blocks += [
      .table(
        columns: ["what", "value"],
        rows: [
          ["pipeline file, SHA-256", Markdown.name(sourceHash ?? "?")], ["seed", "\(run.seed)"],
          ["Locus", Markdown.escape(run.locusVersion)],
          ["git commit", run.gitCommit.map(Markdown.name) ?? "not in a checkout"],
          ["host", Markdown.escape(run.host)], ["started by", Markdown.escape(run.trigger)],
        ]
          + (run.machine ?? [:]).sorted { $0.key < $1.key }.map {
            [Markdown.escape($0.key), Markdown.escape($0.value)]
          }), OriginRow.question(run.id).block,
    ]
    if artifacts.isEmpty { return blocks }
    return blocks + [
      artifacts.count > Self.most
        ? .details(
          "The \(artifacts.count) artifacts and their hashes", [ArtifactRow.question(run.id).block])
        : .details(
          "Artifacts and their hashes",
          [
            .table(
              columns: ["artifact", "SHA-256"],
              rows: artifacts.map {
                [
                  "\(Markdown.name($0.stage)) \(Markdown.escape($0.role)), \($0.bytes) bytes",
                  "`\($0.sha256)`",
                ]
              })
          ]),
      .paragraph(
        "On the same machine the same pipeline and seed give the same bytes, for any number of threads; "
          + "another processor may differ in the last bits."),
    ]
  }

  /// A table of more artifacts is a query's.
  private static let most = 400

  /// What commits do not have, though the run had it.
  private var changes: [String] {
    func isDirty(_ commit: String?) -> Bool { commit?.hasSuffix(RunRecord.dirtyMark) == true }
    var changes: [String] = []
    if isDirty(run.gitCommit) {
      changes.append(
        "The checkout held changes that are not in the pipeline's commit: the commit alone does not"
          + " reproduce this run. The pipeline file as it ran is in the store, `source` of the table"
          + " `pipeline`.")
    }
    if isDirty(run.machine?["program_checkout"]) {
      changes.append(
        "The checkout that the program lies in held changes to what it is built from: its commit alone"
          + " does not build this program.")
    }
    return changes
  }
}
