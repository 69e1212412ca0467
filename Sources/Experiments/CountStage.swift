import Artifacts
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Workflow

/// `count`: what a person found on a sheet of `locus blind`, by the hash that `locus import counts` gave it.
///
/// The command brings the table among the objects; the stage finds it there by its hash, draws the sheet
/// again and says how person and judge agree.
package enum CountStage {
  package struct Options: Settings {
    @Setting("the SHA-256 that `locus import counts` printed") package var counts: String
    package init() {}
  }

  package static let kind = StageKind(
    name: "count", version: 1,
    summary: "Uses a person's counts that `locus import counts` brought into the store.",
    settings: Options.self, inputs: [], produces: .counts, isSeeded: false, check: check,
    needs: { options in
      [
        NeededObject(
          sha256: options.counts, remedy: "bring a sheet in with `locus import counts FILE`")
      ]
    },
    memory: { options, context in
      // Detections are many times as large as the sheet.
      try BlindAnswers(file: context.object(options.counts)).sheet.outcomes.reduce(0) {
        let manifest = try OutcomesManifest(context.object($1))
        return $0 + 8 * (try context.object(manifest.detections).size)
      }
    },
    run: { options, context in try output(context.object(options.counts), context) })

  private static func check(_ options: Options) -> [ParameterProblem] {
    if SHA256.isHash(options.counts) { return [] }
    return [
      ParameterProblem(
        path: "counts",
        message: "accepted: 64 hexadecimal digits, as `locus import counts` prints them")
    ]
  }

  /// The kind, with the sheet at hand: what `locus import counts` runs.
  package static func kind(importing content: Data) -> StageKind {
    var kind = Experiments.computing(kind)
    kind.needs = nil
    kind.run = { context in
      let url = context.scratch.appending(path: "given.csv")
      try AtomicFile.write(content, to: url)
      return try output(StageFile(url: url, sha256: SHA256.hash(content)), context)
    }
    return kind
  }

  private static func output(_ file: StageFile, _ context: StageContext) throws -> StageOutput {
    let given = try BlindAnswers(file: file)
    let results = try results(of: given) { context.object($0) }
    let metrics = zip(given.sheet.outcomes, results).flatMap { outcomes, result in
      [
        Measure.personRecall.row(result.recall, .subject(outcomes)),
        Measure.judgedRecall.row(
          result.judgeRecall, .subject(outcomes), n: result.recall.n),
      ] + (result.kappa.map { [Measure.personKappa.row($0, .subject(outcomes))] } ?? [])
    }
    return StageOutput(
      files: [
        try context.output(
          CountsManifest(counts: file.sha256, outcomes: given.sheet.outcomes)),
        try context.output("counts", kind: "counts", .csv, try file.data()),
      ], metrics: metrics)
  }

  /// What the answers say of each evaluation of a sheet, in its order.
  package static func results(
    of given: BlindAnswers, object: (String) throws -> StageFile
  ) throws -> [BlindSheet.Result] {
    let arms = try BlindArms(given.sheet.outcomes, object: object)
    let sheet = arms.sheet(count: given.sheet.count, seed: given.sheet.seed)
    return try given.sheet.outcomes.indices.map { arm in
      let result = sheet.result(arm: arm, answers: given.answers, seed: given.sheet.seed)
      if let result { return result }
      let answered = Set(
        zip(sheet.tiles, given.answers).filter { $0.0.arm == arm && $0.1 != nil }.map {
          $0.0.place.standing
        })
      let absent = PlaceStanding.allCases.first {
        sheet.places[arm][$0, default: 0] > 0 && !answered.contains($0)
      }
      throw BlindSheetError.unanswered(
        arm: String(given.sheet.outcomes[arm].prefix(12)), standing: absent ?? .agreed)
    }
  }
}

extension BlindAnswers {
  /// - Throws: `ArtifactError` for a file that cannot be read, `BlindSheetError` for what is no such table.
  fileprivate init(file: StageFile) throws {
    try self.init(csv: String(decoding: try file.data(), as: UTF8.self))
  }
}
