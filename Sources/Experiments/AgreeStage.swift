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

/// `agree`: how well one denoiser tells what a trained one does.
enum AgreeStage {
  static let kind = StageKind(
    name: "agree", version: 1,
    summary: "r² between two denoisers on the same noised pictures, and of what both then draw.",
    parameters: [
      Parameter(
        "sigmas", .list(.number(0.002...80), count: 1...40),
        default: .array([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30].map(JSONValue.number)),
        help: "noise levels"),
      Parameter(
        "counts", .list(.integer(1...12), count: 1...12),
        default: .array([2, 9].map(JSONValue.integer)),
        help:
          "objects in the pictures: up to the training maximum labelled as in training, beyond it "
          + "all of them"),
      Parameter(
        "pictures", .integer(2...10000), default: .integer(16), help: "held-out pictures a K"),
      Parameter(
        "layouts", .integer(0...10000), default: .integer(12),
        help: "layouts a K that both draw from the same noise; 0: none"),
      Parameter(
        "steps", .integer(2...1000), default: .integer(18), help: "steps of Heun's sampler"),
    ],
    inputs: [
      InputDeclaration(
        "denoiser", from: ["train", "intervene", "analytic"], help: "the denoiser that predicts"),
      InputDeclaration("reference", from: ["train"], help: "the network to be told"),
      InputDeclaration("scenes", from: ["generate"], help: "how the pictures are rendered"),
    ], run: run)

  private static func run(_ context: StageContext) throws -> StageOutput {
    let parameters = context.parameters
    let denoiser = try DenoiserArtifact("denoiser", of: context).denoiser
    let reference = try DenoiserArtifact("reference", of: context)
    let shape = reference.denoiser.shape
    if denoiser.shape != shape {
      throw StageFault(
        "the denoisers differ in size or cells: \(denoiser.shape), \(shape); give both one set of scenes"
      )
    }
    let scenes = try context.input("scenes")
    let camera: CameraKind = try scenes.parameters.choice("camera")
    let mean = try SceneArtifact(scenes).meanPicture
    let counts = Array(Set(try parameters.integers("counts"))).sorted()
    let sigmas = try parameters.numbers("sigmas")
    let layouts = try parameters.integer("layouts")
    let total = counts.count * (sigmas.count + (layouts > 0 ? 1 : 0))
    var done = 0
    func advance() {
      done += 1
      context.progress(StageProgress(done: done, total: total, unit: "comparisons"))
    }
    var metrics: [MetricRow] = []
    for k in counts {
      let pictures = try HeldOutPictures(
        k, count: parameters.integer("pictures"), origin: reference.origin, shape: shape,
        camera: camera, purpose: .agreementScenes, context)
      for sigma in sigmas {
        try context.checkCancellation()
        let batch = pictures.noised(sigma)
        let agreement = PictureAgreement.each(
          try denoiser.denoise(batch, threads: context.threads),
          try reference.denoiser.denoise(batch, threads: context.threads), mean: mean)
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
      let sampler = HeunSampler(steps: try parameters.integer("steps"))
      func draw(_ denoiser: any Denoiser) throws -> [Float] {
        try sampler.sample(
          denoiser, labels: labels, noise: noise, threads: context.threads,
          checkCancellation: context.checkCancellation)
      }
      let agreement = PictureAgreement.each(
        try draw(denoiser), try draw(reference.denoiser), mean: mean)
      metrics += rows(agreement, .drawn, sigma: nil, k: k, seed: context.seed)
      advance()
    }
    let table = JSONValue.array(
      metrics.map { row in
        .object([
          "name": .string(row.name), "value": .number(row.value),
          "k": row.k.map(JSONValue.integer) ?? .null,
          "sigma": row.sigma.map(JSONValue.number) ?? .null,
          "ci_low": row.ciLow.map(JSONValue.number) ?? .null,
          "ci_high": row.ciHigh.map(JSONValue.number) ?? .null,
          "n": row.n.map(JSONValue.integer) ?? .null,
        ])
      })
    return StageOutput(
      files: [
        try context.output("agreement", kind: "agreement", .json, Data(table.prettyText().utf8))
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
