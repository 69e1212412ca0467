import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Statistics
import Streams
import Workflow

/// `agree`: how well one denoiser tells what another does.
enum AgreeStage {
  struct Options: Settings {
    @Setting(
      each: Shared.sigmaRange, count: 1...40, default: Shared.agreementSigmas, "noise levels")
    var sigmas: [Double]
    @Setting(
      each: 1...12, count: 1...12, default: [2, 9],
      "objects in the pictures: up to the training maximum labelled as in training, beyond it all of"
        + " them")
    var counts: [Int]
    @Setting(2...10000, default: 16, "held-out pictures a K") var pictures: Int
    @Setting(0...10000, default: 12, "layouts a K that both draw from the same noise; 0: none")
    var layouts: Int
    @Setting(Shared.steps) var steps: Int
  }

  static let kind = StageKind(
    name: "agree", version: 2,
    summary: "r² between two denoisers on the same noised pictures, and of what both then draw.",
    settings: Options.self,
    inputs: [
      InputDeclaration("denoiser", accepts: [.denoiser], help: "the denoiser that predicts"),
      InputDeclaration("reference", accepts: [.denoiser], help: "the network to be told"),
      InputDeclaration("scenes", accepts: [.pictureSet], help: "how the pictures are rendered"),
    ], produces: .agreement, check: check, checkInputs: checkInputs,
    memory: { options, context in
      let scenes = try PictureSetManifest("scenes", of: context)
      // Noised and twice denoised, or noise and what two denoisers draw of it.
      let pictures = 3 * max(options.pictures, options.layouts)
      return try scenes.bytes(context) + pictures * scenes.shape.pictureCount
        * MemoryLayout<Float>.stride
    }, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    Shared.checkDistinct(options.sigmas, path: "sigmas", what: "σ")
      + Shared.checkDistinct(options.counts, path: "counts", what: "K")
  }

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    return Shared.checkScenes(of: denoiser, upstream, as: "reference")
      + Shared.checkScenes(of: denoiser, upstream)
      + Shared.checkPlaces(
        denoiser, path: "inputs.denoiser", what: "held-out pictures are labelled by places")
      + (options.layouts == 0
        ? []
        : Shared.checkRequests(
          options.counts, of: denoiser, camera: Foreseen(upstream, "scenes").camera))
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let artifact = try DenoiserArtifact("denoiser", of: context)
    let denoiser = artifact.denoiser
    let reference = try DenoiserArtifact("reference", of: context)
    let shape = reference.denoiser.shape
    if denoiser.shape != shape {
      throw MismatchError(
        "the denoisers differ in size or conditioners: \(denoiser.shape), \(shape); give both one set of scenes"
      )
    }
    let scenes = try PictureSet("scenes", of: context)
    let camera = scenes.camera
    let mean = scenes.meanPicture
    let counts = options.counts.sorted()
    let sigmas = options.sigmas
    let layouts = options.layouts
    let total = counts.count * (sigmas.count + (layouts > 0 ? 1 : 0))
    var done = 0
    func advance() {
      done += 1
      context.progress(StageProgress(done: done, total: total, unit: "comparisons"))
    }
    var metrics: [MetricRow] = []
    for k in counts {
      let pictures = try HeldOutPictures(
        k, count: options.pictures, origin: reference.origin, shape: shape,
        camera: camera, purpose: .agreementScenes, context)
      for sigma in sigmas {
        try context.checkCancellation()
        let batch = pictures.noised(sigma)
        let agreement = PictureAgreement.each(
          try requireFinite(denoiser.denoise(batch, threads: context.threads), shape),
          try requireFinite(reference.denoiser.denoise(batch, threads: context.threads), shape),
          mean: mean
        )
        metrics += rows(agreement, .denoised, sigma: sigma, k: k, seed: context.seed)
        advance()
      }
      if layouts == 0 { continue }
      let requests = try (0..<layouts).map {
        try requestedLayout(k: k, layout: $0, shape: shape, camera: camera, seed: context.seed)
      }
      let labels = requests.flatMap(\.labels)
      let noise = requests.flatMap {
        startingNoise(k: k, layout: $0.layout, shape: shape, seed: context.seed)
      }
      let sampler = Sampler(steps: options.steps)
      func draw(_ denoiser: any Denoiser) throws -> [Float] {
        try requireFinite(
          sampler.sample(
            denoiser, labels: labels, noise: noise,
            draws: requests.map { layoutDraw(k: k, layout: $0.layout, seed: context.seed) },
            threads: context.threads, checkCancellation: context.checkCancellation), shape)
      }
      let agreement = PictureAgreement.each(
        try draw(denoiser), try draw(reference.denoiser), mean: mean)
      metrics += rows(agreement, .drawn, sigma: nil, k: k, seed: context.seed)
      advance()
    }
    let content = metricTable(metrics)
    return StageOutput(
      files: [
        try context.output(
          AgreementManifest(
            denoiser: artifact.sha256, reference: reference.sha256, table: SHA256.hash(content))),
        try context.output("agreement", kind: "agreement", .json, content),
      ], metrics: metrics)
  }

  /// Medians over pictures.
  private static func rows(
    _ agreement: [PictureAgreement], _ of: Measure.Agreement, sigma: Double?, k: Int, seed: UInt64
  ) -> [MetricRow] {
    [
      (Measure.r2(of), agreement.map(\.r2)),
      (Measure.r2Centered(of), agreement.map(\.r2Centered)),
    ].map { measure, values in
      measure.row(medianInterval(values, seed: seed), .k(k), sigma.map(Coordinate.sigma))
    }
  }
}
