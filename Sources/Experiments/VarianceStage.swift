import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Statistics
import Vectors
import Workflow

/// `variance`: whether the layout or the initial noise decides how many objects are drawn.
///
/// Every layout is drawn from every noise; the noises are the same for all layouts, all K and all models.
/// What a denoiser draws anew for each layout, as a mask with random fills does, counts for the layout.
enum VarianceStage {
  struct Options: Settings {
    @Setting(each: 1...12, count: 1...12, default: [9], "numbers of requested places, K")
    var counts: [Int]
    @Setting(2...1000, default: 8, isBudget: true, "layouts a K") var layouts: Int
    @Setting(2...1000, default: 8, isBudget: true, "initial noises, each with every layout")
    var noises: Int
    @Setting(Shared.spacing) var spacing: LayoutSpacing
    @Setting(Shared.steps) var steps: Int
    @Setting(Shared.guidance) var guidance: Double
    @Setting(Shared.guidanceSigmas) var guidanceSigmas: [Double]
    @Setting(Shared.foundWithin) var tolerance: Double

    var guided: Guidance? { Guidance(scale: guidance, sigmas: guidanceSigmas) }
  }

  static let kind = StageKind(
    name: "variance", version: 1,
    summary: "Splits the variance of count and recall into layout and initial noise.",
    settings: Options.self, inputs: DrawingInputs.declarations, produces: .variance,
    check: { options in
      Shared.checkDistinct(options.counts, path: "counts", what: "K")
        + Shared.checkGuidance(options.guidance, sigmas: options.guidanceSigmas)
    }, checkInputs: checkInputs,
    memory: { options, context in
      try DrawingInputs.memory(
        pictures: options.counts.count * options.layouts * options.noises, context)
    }, run: run)

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    let problems =
      Shared.checkDrawing(upstream)
      + Shared.checkPlaces(
        denoiser, path: "inputs.denoiser",
        what: "layouts are of places; accepted: a denoiser of cells"
      )
    if !problems.isEmpty { return problems }
    return Shared.checkRequests(
      options.counts, of: denoiser, camera: Foreseen(upstream, "judge").camera)
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let inputs = try DrawingInputs(context)
    let (artifact, shape) = (inputs.artifact, inputs.shape)
    let counts = options.counts.sorted()
    let requests = try counts.flatMap { k in
      try (0..<options.layouts).flatMap { layout in
        let request = try inputs.layout(
          k: k, layout, spacing: options.spacing, seed: context.seed)
        return [RequestedLayout](repeating: request, count: options.noises)
      }
    }
    let (noises, seed) = (options.noises, context.seed)
    let evaluator = Evaluator(
      artifact: artifact, denoiser: artifact.denoiser.guided(by: options.guided),
      judge: inputs.judge, words: nil, sampler: Sampler(steps: options.steps),
      tolerance: options.tolerance * Double(shape.size), context: context,
      noise: { sharedNoise($0 % noises, shape: shape, seed: seed) }, unit: "pictures")
    let drawn = try evaluator.draw(requests, others: [:])
    let table = Data(table(drawn, noises: noises).canonicalText().utf8)
    return StageOutput(
      files: [
        try context.output(
          VarianceManifest(
            denoiser: artifact.sha256,
            conditions: .init(
              judge: inputs.judgeWeights, steps: options.steps, tolerance: options.tolerance,
              instructions: instructionSet, spacing: options.spacing, unlike: inputs.unlike,
              guidance: options.guided), table: SHA256.hash(table))),
        try context.output("table", kind: "variance", .json, table),
      ],
      metrics: counts.flatMap { k in
        rows(drawn.filter { $0.request.k == k }, k: k, layouts: options.layouts, seed: seed)
      })
  }

  /// A row a picture.
  private static func table(_ drawn: [DrawnPicture], noises: Int) -> JSONValue {
    let columns = [
      "k", "layout", "noise", "requested", "found", "drawn", "found_background",
      "drawn_background", "digest",
    ]
    return .object([
      "columns": .array(columns.map(JSONValue.string)),
      "rows": .array(
        drawn.enumerated().map { place, drawn in
          .array(
            [
              drawn.request.k, drawn.request.layout, place % noises, drawn.outcome.requested,
              drawn.finds.count, drawn.finds.all.count, drawn.crossCheck.count,
              drawn.crossCheck.all.count,
            ].map(JSONValue.integer) + [.string(drawn.digest)])
        }),
    ])
  }

  /// - Parameter drawn: of one K, layout by layout.
  private static func rows(_ drawn: [DrawnPicture], k: Int, layouts: Int, seed: UInt64)
    -> [MetricRow]
  {
    Detector.allCases.flatMap { detector in
      Measure.Varied.allCases.flatMap { varied -> [MetricRow] in
        let values = drawn.map { picture in
          let finds = detector == .trained ? picture.finds : picture.crossCheck
          return varied == .count ? Double(finds.all.count) : Double(finds.count) / Double(k)
        }
        guard let split = CrossedVariance(values, rows: layouts, seed: seed) else { return [] }
        let at = (Coordinate.k(k), Coordinate.detector(detector))
        return [Measure.variance(varied).row(split.total, at.0, at.1)]
          + Measure.VariancePart.allCases.compactMap { part in
            split.shares[part.inTable].map {
              Measure.varianceShare(varied, part).row($0, at.0, at.1)
            }
          }
      }
    }
  }
}

extension Measure.VariancePart {
  /// A row of the crossed table is a layout.
  fileprivate var inTable: CrossedVariance.Part {
    switch self {
    case .layout: .rows
    case .noise: .columns
    case .rest: .rest
    }
  }
}
