import Artifacts
import Diffusion
import Formats
import Foundation
import Interventions
import Lineage
import Measures
import Workflow

/// `finetune`: a trained denoiser goes on learning, on the passes that a mask of labels makes.
enum FinetuneStage {
  struct Options: Settings {
    @Setting(
      default: .conditioner,
      "what a pass is told of: a pixel's own labels (conditioner), or those in a window around it (window)"
    )
    var mask: Mask
    @Setting(1...64, default: 1, "labels that a labelled pixel sees, its own included") var labels:
      Int
    @Setting(
      default: .near,
      "which labels remain beside its own; of a window those inside (near) or outside (far)")
    var keep: MaskSpecification.Keep
    @Setting(
      default: .everywhere,
      "which pixels have labels hidden from them: everywhere, those within reach of a label (objects), or all"
        + " others (ground)")
    var at: InterveneStage.Options.At
    @Setting(0.5...1000, default: 7, unit: "px", "reach of a label; of a window half its side")
    var radius: Double
    @Setting(default: .all, "which objects are told of before any is hidden") var labelling:
      Labelling
    @Setting(1...1_000_000_000, "pictures to go on with, in all") var pictures: Int
    @Setting(1...4096, default: 64, "pictures a step") var batch: Int
    @Setting(1e-7...1, default: 5e-4, "Adam's largest step") var learningRate: Double
    @Setting(
      0...1_000_000_000, default: 2000, unit: "pictures",
      "pictures over which the learning rate rises")
    var warmUp: Int
    @Setting(
      1...1_000_000_000, default: 16000, unit: "pictures",
      "pictures after which the learning rate falls as 1/√pictures")
    var decayAfter: Int
    @Setting(-10...10, default: 0, "mean of ln σ") var sigmaMean: Double
    @Setting(0.01...10, default: 1.5, "standard deviation of ln σ") var sigmaDeviation: Double
    @Setting(0...1, default: 0.1, "share of conditioners that are blanked") var labelDropout: Double
    @Setting(
      0...1000, default: 0,
      "pixels within 5 px of a label, told of or hidden, weigh 1 + balance in the loss")
    var balance: Double

    enum Mask: String, Sendable, Codable, CaseIterable {
      case conditioner, window

      var name: MaskSpecification.Name {
        switch self {
        case .conditioner: .conditioner
        case .window: .window
        }
      }
    }

    func specification(seed: UInt64) -> MaskSpecification {
      MaskSpecification(
        mask: mask.name, labels: labels, keep: keep, at: at.place, radius: radius, seed: seed)
    }

    var training: TrainingSettings {
      TrainingSettings(
        pictures: pictures, batch: batch, learningRate: learningRate, warmUp: warmUp,
        decayAfter: decayAfter, sigmaMean: sigmaMean, sigmaDeviation: sigmaDeviation,
        labelling: labelling, labelDropout: labelDropout, balance: balance)
    }
  }

  static let kind = StageKind(
    name: "finetune", version: 1,
    summary:
      "Goes on training a denoiser, each picture in one of the passes that a mask of labels makes of it.",
    settings: Options.self,
    inputs: [
      InputDeclaration("denoiser", accepts: [.denoiser], help: "the network to go on with"),
      InputDeclaration("scenes", accepts: [.pictureSet], help: "pictures to train on"),
    ], produces: .denoiser, checkInputs: check,
    foresee: { options, upstream in
      var foreseen = Foreseen(upstream, "denoiser")
      foreseen.labelling = options.labelling
      foreseen.objects = Foreseen(upstream, "scenes").objects
      foreseen.snapshots = nil
      return foreseen.value
    },
    memory: { options, context in
      let scenes = try PictureSetManifest("scenes", of: context)
      let network = try network(context)
      let description = NetworkDescription(network.network, shape: scenes.shape)
      return try scenes.bytes(context) + context.object(network.weights).size
        + Trainer.memory(description, options.training, threads: context.threads)
    }, run: run)

  private static func check(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    var problems: [ParameterProblem] = []
    if denoiser.isMasked == true {
      problems.append(
        ParameterProblem(
          path: "inputs.denoiser",
          message: "is behind a mask; name the network behind it, and the mask here"))
    } else if denoiser.isNetwork == false {
      problems.append(
        ParameterProblem(
          path: "inputs.denoiser", message: "is no network; name a trained or imported one"))
    }
    if let difference = denoiser.differenceOfShape(from: Foreseen(upstream, "scenes")) {
      problems.append(
        ParameterProblem(
          path: "inputs.scenes",
          message: "denoiser and scenes differ: \(difference); give both one set of scenes"))
    }
    if options.mask == .window, options.keep == .random {
      problems.append(
        ParameterProblem(
          path: "keep", message: "found \"random\", accepted for window: near, far"))
    }
    return problems
      + Shared.checkPlaces(
        denoiser, path: "mask",
        what: "\"\(options.mask.rawValue)\" goes by the places of labels; name scenes with cells")
  }

  /// What is known of the network that goes on.
  private static func network(_ context: StageContext) throws -> DenoiserManifest.Network {
    switch try DenoiserManifest(context.input("denoiser").manifest) {
    case .trained(_, let network), .imported(_, let network): network
    case .machine, .masked:
      throw MismatchError("the denoiser is no network; name a trained or imported one")
    }
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let base = try DenoiserArtifact("denoiser", of: context)
    let scenes = try PictureSet("scenes", of: context)
    guard let network = base.network else {
      throw MismatchError("the denoiser is no network; name a trained or imported one")
    }
    if network.shape != scenes.shape {
      throw MismatchError(
        "denoiser and scenes differ in size or conditioners: \(network.shape), \(scenes.shape);"
          + " give both one set of scenes")
    }
    let settings = options.training
    let specification = options.specification(seed: context.seed)
    let passes = try MaskedPasses(specification, scenes.shape)
    let set = try scenes.trainingSet
    let origin = TrainingOrigin(labelling: settings.labelling, objects: scenes.objects)
    func weights(_ trainer: Trainer) throws -> Data {
      WeightsFile(denoiser: try trainer.denoiser(), origin: origin).data()
    }
    let progress = try TrainStage.train(context, snapshots: [], weights) {
      try Trainer(tuning: network, settings, data: set, seed: context.seed, by: passes)
    }
    let data = try weights(progress.trainer)
    var tuned = DenoiserManifest.Network(
      network.network.description, weights: SHA256.hash(data))
    tuned.tuning = .init(base: base.sha256, mask: specification)
    return StageOutput(
      files: [
        try context.output(
          DenoiserManifest.trained(
            .init(
              camera: scenes.camera, size: scenes.shape.size, space: scenes.manifest.space,
              labelling: settings.labelling, objects: scenes.objects), tuned)),
        try context.output("weights", kind: "weights", .safetensors, data),
      ],
      metrics: [Measure.parameters.row(Double(progress.trainer.parameterCount))]
        + progress.curve.metrics)
  }
}
