import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Statistics
import Workflow

/// `score-error`: how far a denoiser is from the exact posterior of what it was trained on.
enum ScoreErrorStage {
  struct Options: Settings {
    @Setting(
      0.5...256, default: 3, unit: "px",
      "what is at a labelled object: no farther than this from its cell's centre, along rows and columns"
    )
    var reach: Double
  }

  static let kind = StageKind(
    name: "score-error", version: 1,
    summary: "Holds a denoiser against the exact posterior mean, on and off training.",
    settings: Options.self,
    inputs: [
      InputDeclaration("denoiser", accepts: [.denoiser], help: "the denoiser that is told of"),
      InputDeclaration(
        "posterior", accepts: [.posterior],
        help: "the exact answers, of the denoiser's own labelling and number of objects"),
    ], produces: .scoreError, checkInputs: { checkInputs($1) },
    memory: { _, context in
      // Inputs, the two estimates, and what the denoiser makes of some.
      let posterior = try PosteriorManifest(try context.input("posterior").manifest)
      return try [posterior.inputs, posterior.first, posterior.second].reduce(0) {
        $0 + (try context.object($1).size)
      }
    }, run: run)

  private static func checkInputs(_ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    let posterior = Foreseen(upstream, "posterior")
    var problems = Shared.checkScenes(of: denoiser, upstream, as: "posterior")
    if let own = denoiser.labelling, let theirs = posterior.labelling, own != theirs {
      problems.append(
        ParameterProblem(path: "inputs.posterior", message: difference(own, theirs)))
    }
    if let own = denoiser.objects, let theirs = posterior.objects, own != theirs {
      problems.append(
        ParameterProblem(path: "inputs.posterior", message: difference(own, theirs)))
    }
    return problems
  }

  private static func difference(_ denoiser: Labelling, _ posterior: Labelling) -> String {
    "the denoiser was told of objects by \"\(denoiser.rawValue)\", the posterior is of"
      + " \"\(posterior.rawValue)\"; give a posterior of the denoiser's own `labelling`"
  }

  private static func difference(_ denoiser: [Int], _ posterior: [Int]) -> String {
    "the denoiser was trained on \(denoiser) objects, the posterior is of \(posterior); give a"
      + " posterior of the denoiser's own scenes"
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let artifact = try DenoiserArtifact("denoiser", of: context)
    let posterior = try PosteriorArtifact("posterior", of: context)
    let shape = posterior.shape
    try Shared.requireSameShape(artifact.denoiser.shape, shape)
    if artifact.training.labelling != posterior.manifest.labelling {
      throw MismatchError(
        difference(artifact.training.labelling, posterior.manifest.labelling))
    }
    if artifact.training.objects != posterior.manifest.objects {
      throw MismatchError(difference(artifact.training.objects, posterior.manifest.objects))
    }
    let errors = ScoreError(
      (0..<posterior.count).map {
        ScoreError.Input(
          k: posterior.counts[$0], layout: posterior.layouts[$0],
          sigma: posterior.sigmas[$0], isKept: posterior.isKept($0))
      }, try products(options, artifact.denoiser, posterior, context), seed: context.seed)
    let metrics = metrics(errors, posterior)
    let content = metricTable(metrics)
    return StageOutput(
      files: [
        try context.output(
          ScoreErrorManifest(
            denoiser: artifact.sha256, posterior: posterior.sha256, table: SHA256.hash(content))),
        try context.output("errors", kind: "errors", .json, content),
      ], metrics: metrics)
  }

  /// Inputs that a denoiser is given at a time.
  private static let portion = 32

  /// Of each input; nothing where it is left out.
  private static func products(
    _ options: Options, _ denoiser: any Denoiser, _ posterior: PosteriorArtifact,
    _ context: StageContext
  ) throws -> [ScoreError.Products] {
    let shape = posterior.shape
    let grid = try shape.places()
    let kept = (0..<posterior.count).filter(posterior.isKept)
    var products = [ScoreError.Products](repeating: .init(), count: posterior.count)
    for start in stride(from: 0, to: kept.count, by: portion) {
      try context.checkCancellation()
      let some = kept[start..<min(start + portion, kept.count)]
      let answers = try requireFinite(
        denoiser.denoise(posterior.batch.pictures(some, shape), threads: context.threads), shape)
      for (place, n) in some.enumerated() {
        let picture = shape.pictureCount
        let labels = shape.conditionerCount
        products[n] = ScoreError.Products(
          answers[place * picture..<(place + 1) * picture],
          posterior.first[n * picture..<(n + 1) * picture],
          posterior.second[n * picture..<(n + 1) * picture], mean: posterior.mean,
          isAtObject: pixelsAtLabels(
            posterior.batch.labels[n * labels..<(n + 1) * labels], reach: options.reach, grid: grid)
        )
      }
      context.progress(
        StageProgress(
          done: start + some.count, total: kept.count, unit: "inputs"))
    }
    return products
  }

  private static func metrics(_ errors: ScoreError, _ posterior: PosteriorArtifact) -> [MetricRow] {
    let counts = Set(posterior.counts).sorted()
    var rows: [MetricRow] = []
    func append(_ measure: Measure, _ interval: Interval?, k: Int?, sigma: Double? = nil) {
      guard let interval else { return }
      rows.append(measure.row(interval, k.map(Coordinate.k), sigma.map(Coordinate.sigma)))
    }
    for k in counts {
      for sigma in Set(posterior.sigmas).sorted(by: >) {
        append(
          .scoreError, errors.relative(\.error, k: k, sigma: sigma), k: k, sigma: sigma)
        append(
          .scoreErrorAtObjects, errors.relative(\.atObjects, k: k, sigma: sigma), k: k,
          sigma: sigma)
        let leftOut = errors.leftOut(k: k, sigma: sigma)
        rows.append(
          Measure.posteriorLeftOut.row(leftOut.share, .k(k), .sigma(sigma), n: leftOut.n))
      }
    }
    let reliable = errors.reliable
    let off = counts.filter { !posterior.manifest.onTraining.contains($0) }
    let on = counts.filter(posterior.manifest.onTraining.contains)
    for (measure, side) in [(Measure.scoreErrorOn, on), (Measure.scoreErrorOff, off)] {
      if side.isEmpty { continue }
      for k in side {
        append(measure, errors.folded(\.error, counts: [k], sigmas: reliable), k: k)
      }
      append(measure, errors.folded(\.error, counts: side, sigmas: reliable), k: nil)
    }
    return rows
  }
}
