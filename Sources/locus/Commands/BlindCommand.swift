import Artifacts
import Evaluation
import Foundation
import Lineage
import Workflow

/// `locus blind`: pictures of a run for a person to judge who does not know what the detectors said.
enum BlindCommand: Command {
  struct Options: StoreOptions {
    @Positional("RUN", names: .runs, "the beginning of a run's id, or `latest`") var run: String
    @Option(
      repeated: "--arm", "EVALUATION", names: .stages,
      "an evaluation, or all of a stage; all if none is named")
    var arms: [String]
    @Option("--count", "N", in: 1...BlindAnswers.mostTiles, default: 300, "tiles of the sheet")
    var count: Int
    @Option("--seed", "N", in: 0...Int.max, default: 1, "seed of the choice") var seed: Int
    @Option("--output", "FILE", default: "blind.png", "a PNG to write; the table beside it is .csv")
    var output: String
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "blind", summary: "Draw a sheet of pictures for a person to judge, with hidden answers.",
    discussion: """
      Each tile is a generated picture with one requested place in a box. Look whether an object is
      there, its middle in the box or within half a box of it, and write 1 or 0 into the column `object`
      of the table; a tile of which you cannot tell stays empty. Tiles are chosen by chance, of each
      evaluation as many, and of each kind of place as many as there are: those on which both detectors
      agree, faint finds, finds of the judge alone, and places that it missed. Neither picture nor table
      says which is which. `locus import counts` takes the table back.
      """,
    examples: [
      .init(
        command: "locus blind latest --count 200", effect: "a sheet of all evaluations of a run"),
      .init(
        command: "locus blind latest --arm 'baseline_evaluated[labelling=single]'"
          + " --arm local_evaluated", effect: "of two of them"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let output = URL(filePath: options.output)
    let table = output.deletingPathExtension().appendingPathExtension("csv").path
    try context.checkWritable(options.output)
    try context.checkWritable(table)
    let store = try context.openStore()
    let run = try StoreReference.run(options.run, in: store)
    let outcomes = try evaluations(of: run, options.arms, in: store)
    let object = intactObjects(of: store)
    let arms = try BlindArms(outcomes, object: object)
    let sheet = arms.sheet(count: options.count, seed: UInt64(options.seed))
    let answers = BlindAnswers(
      sheet: .init(outcomes: outcomes, count: sheet.tiles.count, seed: UInt64(options.seed)),
      answers: sheet.tiles.map { _ in nil })
    try context.write(try arms.draw(sheet, object: object).pngData(), to: options.output)
    try context.write(Data(answers.csv.utf8), to: table)
    return 0
  }

  /// The manifests of a run's evaluations, each once.
  private static func evaluations(of run: String, _ arms: [String], in store: Store) throws
    -> [String]
  {
    let rows = try store.rows(
      """
      SELECT s.name, o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
      WHERE s.run_id = ? AND s.kind = 'evaluate' AND o.role = 'manifest' ORDER BY s.id
      """, [.text(run)])
    let all = try rows.map { (name: try $0.text("name"), sha256: try $0.text("sha256")) }
    for arm in arms where !all.contains(where: { isMeant($0.name, by: arm) }) {
      throw UsageError.badValue(
        arm, option: "--arm",
        accepted: all.isEmpty
          ? "a run that evaluated something" : all.map(\.name).joined(separator: ", "))
    }
    if all.isEmpty {
      throw UsageError.badValue(run, option: "RUN", accepted: "a run that evaluated something")
    }
    var found: [String] = []
    for (name, sha256) in all
    where (arms.isEmpty || arms.contains { isMeant(name, by: $0) }) && !found.contains(sha256) {
      found.append(sha256)
    }
    return found
  }

  private static func isMeant(_ name: String, by arm: String) -> Bool {
    name == arm || name.hasPrefix(arm + "[")
  }
}
