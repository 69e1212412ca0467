import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Workflow

/// What an evaluation leaves: metrics, outcomes, samples, and a file for `compare`.
struct EvaluationReport {
  let artifact: DenoiserArtifact
  let judge: JudgeFile
  let conditions: OutcomesManifest.Conditions
  let drawn: [DrawnPicture]
  let context: StageContext

  private var seed: Int { Int(truncatingIfNeeded: context.seed) }
  private var shape: PictureShape { artifact.denoiser.shape }

  func output(shown: Int) throws -> StageOutput {
    let rows = Data(
      OutcomeTable(outcomes: drawn.map(\.outcome), digests: drawn.map(\.digest)).json
        .canonicalText().utf8)
    var files = [
      try context.output(
        OutcomesManifest(artifact, conditions: conditions, rows: SHA256.hash(rows))),
      try context.output("outcomes", kind: "outcomes", .json, rows),
      try context.output("samples", kind: "samples", .npy, try samples().npyData()),
    ]
    if shown > 0 {
      files.append(
        try context.output("grid", kind: "picture", .png, try grid(shown).pngData()))
    }
    let outcomes = drawn.map { drawn in
      let o = drawn.outcome
      return OutcomeRow(
        k: o.k, layout: o.layout, seed: o.seed, requested: o.requested, found: o.found,
        drawn: o.drawn, exact: o.exact, foundBackground: o.foundBackground, chance: o.chance)
    }
    return StageOutput(files: files, metrics: metrics(), tables: OutcomeRow.tables(outcomes))
  }

  private func metrics() -> [MetricRow] {
    var rows = [
      Measure.trainingMaximum.row(Double(artifact.origin.objects.upperBound)),
      Measure.labelWindowArea.row(artifact.denoiser.labelWindowArea),
    ]
    let crossChecked = Dictionary(
      uniqueKeysWithValues: summarize(drawn.map(\.crossCheck), seed: context.seed).map {
        ($0.k, $0)
      })
    for summary in summarize(drawn.map(\.outcome), seed: context.seed) {
      let k = summary.k
      if let recall = summary.recall {
        rows.append(Measure.recall.row(recall, .k(k), .seed(seed)))
        if let other = crossChecked[k]?.recall {
          rows.append(Measure.recallBackground.row(other, .k(k), .seed(seed)))
          // What remains after each detector's own recall on renders of K objects is taken out.
          let expected = judge.judgeRecall[k] - judge.backgroundRecall[k]
          rows.append(
            Measure.judgeDisagreement.row(
              abs(recall.value - other.value - expected), .k(k), .seed(seed), n: recall.n))
        }
      }
      if let precision = summary.precision {
        rows.append(Measure.precision.row(precision, .k(k), .seed(seed)))
      }
      let chances = drawn.map(\.outcome).filter { $0.k == k }.compactMap(\.chance)
      if k > 0, !chances.isEmpty {
        rows.append(
          Measure.recallChance.row(
            chances.reduce(0, +) / Double(chances.count * k), .k(k), .seed(seed), n: chances.count))
      }
      rows.append(Measure.countError.row(summary.countError, .k(k), .seed(seed)))
      rows.append(Measure.drawn.row(summary.drawn, .k(k), .seed(seed)))
      rows.append(Measure.exact.row(summary.exact, .k(k), .seed(seed)))
      let picture = Double(shape.size * shape.size)
      rows.append(
        Measure.windowLoad.row(
          Double(k) * artifact.denoiser.labelWindowArea / picture, .k(k), .seed(seed)))
    }
    return rows
  }

  /// A value of a picture as it is stored, clipped.
  static func byte(_ value: Float) -> UInt8 {
    UInt8(min(max((value + 1) * 127.5, 0), 255).rounded())
  }

  private func samples() throws -> NPYArray {
    let bytes = drawn.flatMap { drawn in
      drawn.picture.map(Self.byte)
    }
    return try NPYArray(
      shape: [drawn.count, shape.size, shape.size, 3], elements: .uint8(bytes))
  }

  private func grid(_ shown: Int) throws -> PNGImage {
    let byCount = Dictionary(grouping: drawn, by: \.request.k)
    let rows = byCount.keys.sorted().map { k in
      let some = (byCount[k] ?? []).prefix(shown)
      return SampleGrid.Row(
        label: k, pictures: some.map(\.picture), places: some.map(\.request.places),
        isFound: some.map(\.isFound))
    }
    return try SampleGrid.draw(rows, shape: shape)
  }
}
