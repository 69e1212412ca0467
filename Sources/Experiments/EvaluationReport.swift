import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Vectors
import Workflow

/// What an evaluation leaves: metrics, outcomes, samples, and a file for `compare`.
struct EvaluationReport {
  let artifact: DenoiserArtifact
  let judge: JudgeFile
  let drawn: [DrawnPicture]
  let context: StageContext

  private var seed: Int { Int(truncatingIfNeeded: context.seed) }
  private var shape: PictureShape { artifact.denoiser.shape }

  func output(shown: Int) throws -> StageOutput {
    var files = [
      try context.output(
        "outcomes", kind: "outcomes", .json,
        Data(
          EvaluationFile(artifact: artifact, drawn: drawn, conditions: try conditions()).json
            .canonicalText().utf8)),
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
        drawn: o.drawn, exact: o.exact)
    }
    return StageOutput(files: files, metrics: metrics(), tables: OutcomeRow.tables(outcomes))
  }

  private func conditions() throws -> JSONValue {
    .object([
      "judge": .string(try context.input("judge").file("weights").sha256),
      "steps": try context.parameters.at("steps"),
      "tolerance": try context.parameters.at("tolerance"),
      // Another width of vectors draws pictures with other last bits.
      "instructions": .string(instructionSet),
    ])
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

  private func samples() throws -> NPYArray {
    let bytes = drawn.flatMap { drawn in
      drawn.picture.map { UInt8(min(max(($0 + 1) * 127.5, 0), 255).rounded()) }
    }
    return try NPYArray(
      shape: [drawn.count, shape.size, shape.size, 3], elements: .uint8(bytes))
  }

  private func grid(_ shown: Int) throws -> PNGImage {
    let byCount = Dictionary(grouping: drawn, by: \.request.k)
    let rows = byCount.keys.sorted().map { k in
      let some = (byCount[k] ?? []).prefix(shown)
      return SampleGrid.Row(
        label: k, pictures: some.map(\.picture), places: some.map(\.request.places))
    }
    return try SampleGrid.draw(rows, shape: shape)
  }
}

/// The file by which `compare` sees an evaluation: whose it is, and a row a picture.
///
/// Nothing in it depends on the name of a stage.
struct EvaluationFile {
  var weightsHash: String
  /// The mask's own file, `nil` for a plain denoiser.
  var mask: JSONValue?
  var trainingMaximum: Int
  /// What else decides a picture and what is found in it: only evaluations that share it compare.
  var conditions: JSONValue
  var outcomes: [Outcome]
  var digests: [String]

  init(artifact: DenoiserArtifact, drawn: [DrawnPicture], conditions: JSONValue) {
    weightsHash = artifact.weightsHash
    mask = artifact.mask
    self.conditions = conditions
    trainingMaximum = artifact.origin.objects.upperBound
    outcomes = drawn.map(\.outcome)
    digests = drawn.map(\.digest)
  }

  var isPlain: Bool { mask == nil }
  var maskName: String { mask?["mask"]?.string ?? "none" }

  var json: JSONValue {
    .object([
      "weights": .string(weightsHash), "mask": mask ?? .null, "conditions": conditions,
      "training_maximum": .integer(trainingMaximum),
      "columns": .array(
        ["seed", "k", "layout", "requested", "found", "drawn", "digest"].map(JSONValue.string)),
      "rows": .array(
        zip(outcomes, digests).map { outcome, digest in
          let numbers = [
            outcome.seed, outcome.k, outcome.layout, outcome.requested, outcome.found,
            outcome.drawn,
          ]
          return .array(numbers.map(JSONValue.integer) + [.string(digest)])
        }),
    ])
  }

  init(_ file: StageFile) throws {
    let value: JSONValue
    do {
      value = try JSONValue.parse(
        try file.data(), limits: JSON5.Limits(maximumBytes: 1 << 28, maximumDepth: 16))
    } catch let error as JSON5Error {
      throw ArtifactError(file: file, reason: error.description)
    }
    guard let weights = value["weights"]?.string,
      let maximum = value["training_maximum"]?.integer, let rows = value["rows"]?.array,
      let conditions = value["conditions"]
    else {
      throw ArtifactError(
        file: file, reason: "lacks weights, training_maximum, conditions or rows")
    }
    self.conditions = conditions
    weightsHash = weights
    trainingMaximum = maximum
    mask = value["mask"].flatMap { $0 == .null ? nil : $0 }
    outcomes = []
    digests = []
    for row in rows {
      let cells = row.array ?? []
      let numbers = cells.compactMap(\.integer)
      guard numbers.count == 6, let digest = cells.last?.string else {
        throw ArtifactError(file: file, reason: "has a row that is not six numbers and a digest")
      }
      // Sums over pictures must not overflow.
      guard numbers[1...].allSatisfy({ (0...1 << 20).contains($0) }),
        numbers[4] <= min(numbers[3], numbers[5])
      else { throw ArtifactError(file: file, reason: "has a row with impossible counts") }
      outcomes.append(
        Outcome(
          seed: numbers[0], k: numbers[1], layout: numbers[2], requested: numbers[3],
          found: numbers[4], drawn: numbers[5]))
      digests.append(digest)
    }
  }
}
