import Artifacts
import Diffusion
import Interventions
import Workflow

/// `finetune`: a trained denoiser goes on learning, on the passes that a mask of labels makes.
enum FinetuneStage {
  struct Options: Settings {
    @Setting(
      default: .conditioner,
      "what a pass is told of: a pixel's own labels (conditioner), or those in a window around it (window)"
    )
    var mask: Mask
    @Setting(Shared.labels) var labels: Int
    @Setting(
      default: .near,
      "which labels remain beside its own; of a window those inside (near), or its own and those outside (far)"
    )
    var keep: MaskSpecification.Keep
    @Setting(
      default: .everywhere,
      "which pixels have labels hidden from them: everywhere, those within reach of a label (objects), or all"
        + " others (ground)")
    var at: InterveneStage.Options.At
    @Setting(Shared.radius) var radius: Double
    @Setting(default: .all, "which objects are told of before any is hidden") var labelling:
      Labelling
    @Setting(1...1_000_000_000, isBudget: true, "pictures to go on with, in all") var pictures: Int
    @Setting(Shared.batch) var batch: Int
    @Setting(1e-7...1, default: 5e-4, "Adam's largest step") var learningRate: Double
    @Setting(Shared.warmUp) var warmUp: Int
    @Setting(Shared.decayAfter) var decayAfter: Int
    @Setting(Shared.sigmaMean) var sigmaMean: Double
    @Setting(Shared.sigmaDeviation) var sigmaDeviation: Double
    @Setting(Shared.labelDropout) var labelDropout: Double
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
        decayAfter: decayAfter, coolDown: 0, sigmaMean: sigmaMean, sigmaDeviation: sigmaDeviation,
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
    problems += Shared.checkScenes(of: denoiser, upstream)
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
    case .machine, .masked, .external, .field, .maskedField:
      throw MismatchError("the denoiser is no network; name a trained or imported one")
    }
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let base = try DenoiserArtifact("denoiser", of: context)
    let scenes = try PictureSet("scenes", of: context)
    guard let network = base.network else {
      throw MismatchError("the denoiser is no network; name a trained or imported one")
    }
    try Shared.requireSameShape(network.shape, scenes.shape)
    let specification = options.specification(seed: context.seed)
    let passes = try MaskedPasses(specification, scenes.shape)
    let set = try scenes.trainingSet
    return try TrainStage.output(
      context, scenes, options.labelling, tuning: .init(base: base.sha256, mask: specification)
    ) {
      try Trainer(
        tuning: network, options.training, data: set, seed: context.seed, by: passes)
    }
  }
}
