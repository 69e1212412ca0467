import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Statistics
import Workflow

/// `posterior`: what an ideal denoiser answers, at inputs on and off the training conditions.
enum PosteriorStage {
  struct Options: Settings {
    @Setting(
      default: .all,
      "which objects the conditioners of the law tell of: all, or one of them (single), or each with probability ½ (subset)"
    )
    var labelling: Labelling
    @Setting(
      each: 1...12, count: 1...12, default: [1, 3, 9],
      "numbers of asked places, K: on training where its conditioners tell of as many, else off")
    var counts: [Int]
    @Setting(
      1...1000, default: 8,
      "layouts a K, from K = 2 on other than those of training pictures where there are others")
    var layouts: Int
    @Setting(
      4...1_000_000, default: 2000,
      "renders a layout, of the law on the condition that objects lie in the asked cells; even, for each half gives an estimate of its own"
    )
    var references: Int
    @Setting(
      each: Shared.sigmaRange, count: 1...40, default: [80, 20, 10, 5, 2],
      "noise levels")
    var sigmas: [Double]
    @Setting(1...1000, default: 2, "noised renders a layout, each at every noise level")
    var draws: Int
    @Setting(
      1...1_000_000, default: 20, unit: "renders",
      "least effective sample size of either half; inputs with less are counted and left out")
    var effective: Double
    @Setting(0...3, default: 0.25, unit: "CLEVR units", "least distance of two objects")
    var gap: Double
    @Setting(
      0...3, default: 0.4, unit: "CLEVR units",
      "least distance along each of CLEVR's four directions, on training; off it there is none, with which many objects would not fit"
    )
    var margin: Double
    @Setting(1...8, default: 3, "samples along a pixel's side") var supersample: Int
  }

  static let kind = StageKind(
    name: "posterior", version: 1,
    summary: "Noises renders and tells the exact posterior mean of each, on and off training.",
    settings: Options.self,
    inputs: [
      InputDeclaration(
        "scenes", accepts: [.pictureSet],
        help: "training pictures of `generate`, whose law is meant")
    ], produces: .posterior, check: check, checkInputs: checkInputs,
    foresee: { options, upstream in
      var foreseen = Foreseen(upstream, "scenes")
      foreseen.labelling = options.labelling
      (foreseen.counts, foreseen.sigmas) = (options.counts, options.sigmas)
      (foreseen.stage, foreseen.numerics) = (nil, nil)
      return foreseen.value
    },
    memory: { options, context in
      let scenes = try PictureSetManifest("scenes", of: context)
      let inputs = options.counts.count * options.layouts * options.draws * options.sigmas.count
      // Inputs and two estimates of each, and the files that are made of them.
      return try scenes.bytes(context) + options.references * scenes.shape.pictureCount
        + 6 * inputs * scenes.shape.pictureCount * MemoryLayout<Float>.stride
    }, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    var problems =
      Shared.checkDistinct(options.counts, path: "counts", what: "K")
      + Shared.checkDistinct(options.sigmas, path: "sigmas", what: "σ")
    if options.labelling == .none {
      problems.append(
        ParameterProblem(
          path: "labelling",
          message: "found \"none\", which tells of no object; accepted: all, single, subset"))
    }
    if !options.references.isMultiple(of: 2) {
      problems.append(
        ParameterProblem(
          path: "references",
          message: "found \(options.references), accepted: an even number, for two halves"))
    }
    if options.effective > Double(options.references / 2) {
      problems.append(
        ParameterProblem(
          path: "effective",
          message: "found \(options.effective), accepted: up to half of `references`, "
            + "\(options.references / 2)"))
    }
    return problems
  }

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let scenes = Foreseen(upstream, "scenes")
    return Shared.checkPlaces(
      scenes, path: "inputs.scenes", what: "layouts are asked for by places")
      + Shared.checkRequests(options.counts, of: scenes, camera: scenes.camera)
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let scenes = try PictureSet("scenes", of: context)
    try requireKnownLaw(scenes.manifest, context)
    let renders = try ConditionedRenders(options, scenes, context)
    let counts = options.counts.sorted()
    var found = Found()
    for k in counts {
      for layout in 0..<options.layouts {
        found.append(try renders.posterior(k: k, layout: layout))
        context.progress(
          StageProgress(
            done: found.layouts, total: counts.count * options.layouts, unit: "layouts"))
      }
    }
    let mean = scenes.meanPicture
    let onTraining = try counts.filter { try renders.law($0).isOnTraining }
    return StageOutput(
      files: try files(found, scenes.manifest, options, onTraining, mean, context),
      metrics: metrics(found, options, mean, seed: context.seed))
  }

  /// - Throws: `MismatchError` for pictures of another program.
  private static func requireKnownLaw(_ manifest: PictureSetManifest, _ context: StageContext)
    throws
  {
    var reader = try CLEVRReader(HeldBytes(try context.object(manifest.scenes).data()))
    if try reader.next()?.isGenerated == true { return }
    throw MismatchError(
      "the pictures were not laid out by `generate`, and the law of others is not known; give the"
        + " scenes of a `generate`")
  }

  private static func files(
    _ found: Found, _ scenes: PictureSetManifest, _ options: Options, _ onTraining: [Int],
    _ mean: [Float], _ context: StageContext
  ) throws -> [StageOutput.File] {
    var files: [StageOutput.File] = []
    func file(_ role: String, _ shape: [Int], _ elements: NPYArray.Elements) throws -> String {
      let data = try NPYArray(shape: shape, elements: elements).npyData()
      files.append(try context.output(role, kind: role, .npy, data))
      return SHA256.hash(data)
    }
    let count = found.inputs.count
    let picture = [scenes.size, scenes.size, PictureShape.channels]
    let manifest = PosteriorManifest(
      scenes: scenes, labelling: options.labelling, onTraining: onTraining,
      references: options.references, effective: options.effective,
      inputs: try file("inputs", [count] + picture, .float32(found.x)),
      sigmas: try file("sigmas", [count], .float64(found.inputs.map(\.sigma))),
      labels: try file("labels", [count] + scenes.space.dimensions, .float32(found.labels)),
      requests: try file(
        "requests", [count, 2],
        .int64(found.inputs.flatMap { [Int64($0.k), Int64($0.layout)] })),
      first: try file("first", [count] + picture, .float32(found.first)),
      second: try file("second", [count] + picture, .float32(found.second)),
      effectives: try file("effectives", [count, 2], .float64(found.effectives)),
      mean: try file("mean", picture, .float32(mean)))
    return [try context.output(manifest)] + files
  }

  private static func metrics(
    _ found: Found, _ options: Options, _ mean: [Float], seed: UInt64
  ) -> [MetricRow] {
    let nowhere = [Bool](repeating: false, count: mean.count / PictureShape.channels)
    let products = found.inputs.indices.map { n in
      let values = n * mean.count..<(n + 1) * mean.count
      return ScoreError.Products(
        found.first[values], found.first[values], found.second[values], mean: mean,
        isAtObject: nowhere)
    }
    let errors = ScoreError(found.inputs, products, seed: seed)
    return options.counts.sorted().flatMap { k in
      options.sigmas.flatMap { sigma -> [MetricRow] in
        let own = found.inputs.indices.filter {
          found.inputs[$0].k == k && found.inputs[$0].sigma == sigma
        }
        let effectives = own.map {
          min(found.effectives[2 * $0], found.effectives[2 * $0 + 1])
        }.sorted()
        let leftOut = errors.leftOut(k: k, sigma: sigma)
        return [
          Measure.posteriorEffective.row(
            percentile(effectives, 0.5), .k(k), .sigma(sigma), n: own.count),
          Measure.posteriorLeftOut.row(leftOut.share, .k(k), .sigma(sigma), n: leftOut.n),
        ]
          + [errors.relative(\.noise, k: k, sigma: sigma)].compactMap { $0 }.map {
            Measure.posteriorNoise.row($0, .k(k), .sigma(sigma))
          }
      }
    }
  }

  /// What is found, input by input.
  struct Found {
    var layouts = 0
    var inputs: [ScoreError.Input] = []
    /// (N, S, S, 3), (N, C) and the two estimates, (N, S, S, 3).
    var x: [Float] = []
    var labels: [Float] = []
    var first: [Float] = []
    var second: [Float] = []
    /// (N, 2).
    var effectives: [Double] = []

    mutating func append(_ other: Found) {
      layouts += other.layouts
      inputs += other.inputs
      x += other.x
      labels += other.labels
      first += other.first
      second += other.second
      effectives += other.effectives
    }
  }
}
