import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Streams
import Workflow

/// `train`: a denoiser on pictures of few objects.
enum TrainStage {
  static let kind = StageKind(
    name: "train", version: 2,
    summary: "Trains a denoiser on a generated set, with EDM's preconditioning and Adam.",
    parameters: [
      Parameter(
        "labelling", .choice(Labelling.allCases.map(\.rawValue)), default: .string("all"),
        help: "which objects the training conditioner tells of"),
      Parameter("network", network, help: "the network: unet or local"),
      Parameter("pictures", .integer(1...1_000_000_000), help: "pictures to train on, in all"),
      Parameter("batch", .integer(1...4096), default: .integer(64), help: "pictures a step"),
      Parameter(
        "learning_rate", .number(1e-7...1), default: .number(2e-3), help: "Adam's largest step"),
      Parameter(
        "warm_up", .integer(0...1_000_000_000), default: .integer(2000),
        help: "pictures over which the learning rate rises"),
      Parameter(
        "decay_after", .integer(1...1_000_000_000), default: .integer(16000),
        help: "pictures after which the learning rate falls as 1/√pictures"),
      Parameter(
        "sigma_mean", .number(-10...10), default: .number(0), help: "mean of ln σ in training"),
      Parameter(
        "sigma_deviation", .number(0.01...10), default: .number(1.5),
        help: "standard deviation of ln σ in training"),
      Parameter(
        "label_dropout", .number(0...1), default: .number(0.1),
        help: "share of conditioners that are blanked"),
      Parameter(
        "balance", .number(0...1000), default: .number(0),
        help: "pixels within 5 px of a label weigh 1 + balance in the loss"),
    ],
    inputs: [InputDeclaration("scenes", from: ["generate"], help: "pictures to train on")],
    check: check, run: run)

  static let network = ParameterType.variant(
    tag: "type",
    cases: [
      "unet": [
        Parameter("width", .integer(4...512), default: .integer(32), help: "base width C"),
        Parameter(
          "conditioning",
          .choice(NetworkDescription.Conditioning.allCases.map(\.rawValue)),
          default: .string("grid"), help: "how labels enter"),
        Parameter(
          "normalization",
          .choice(NetworkDescription.Normalization.allCases.map(\.rawValue)),
          default: .string("group"), help: "group: statistics over the picture; pixel: none"),
        Parameter(
          "attention", .bool, default: .bool(true), help: "self-attention at the lowest level"),
      ],
      "local": [
        Parameter("width", .integer(4...512), default: .integer(32), help: "channels"),
        Parameter(
          "dilations", .list(.integer(1...16), count: 1...32),
          default: .array([Int](repeating: 1, count: 5).map(JSONValue.integer)),
          help: "one a block; the window is 2 (1 + their sum) + 1 pixels"),
      ],
    ])

  static func check(_ parameters: JSONValue) -> [ParameterProblem] {
    guard let width = parameters["network"]?["width"]?.integer, width % 4 != 0 else { return [] }
    return [
      ParameterProblem(
        path: "network.width", message: "found \(width), accepted: a multiple of 4 (four groups)")
    ]
  }

  static func run(_ context: StageContext) throws -> StageOutput {
    let parameters = context.parameters
    let scenes = try SceneArtifact(try context.input("scenes"))
    if scenes.shape.size % 4 != 0 {
      throw ArtifactError(
        file: try context.input("scenes").file("pixels"),
        reason: "\(scenes.shape.size) px is not a multiple of 4, which both networks need")
    }
    let settings = try settings(parameters)
    let description = NetworkDescription(try architecture(parameters), shape: scenes.shape)
    let set = try scenes.trainingSet
    let (trainer, curve) = try train(context) {
      Trainer(description, settings, data: set, seed: context.seed)
    }
    let origin = TrainingOrigin(labelling: settings.labelling, objects: scenes.objects)
    let file = WeightsFile(denoiser: try trainer.denoiser(), origin: origin)
    return StageOutput(
      files: [try context.output("weights", kind: "weights", .safetensors, file.data())],
      metrics: [Measure.parameters.row(Double(trainer.parameterCount))]
        + curve.metrics)
  }

  /// What the curve needs beside the trainer's own state.
  private struct Curve: Codable {
    var metrics: [MetricRow] = []
    /// Of the losses since the last point, and how many they are.
    var sum = 0.0
    var steps = 0
  }

  /// Trains to the end, from where an earlier process stopped.
  private static func train(_ context: StageContext, _ new: () -> Trainer) throws -> (
    Trainer, Curve
  ) {
    let checkpointing = context.checkpointing()
    var (trainer, curve) = restored(checkpointing, new) ?? (new(), Curve())
    let settings = trainer.settings
    let total = (settings.pictures + settings.batch - 1) / settings.batch * settings.batch
    // About two hundred points make a readable curve; each is the mean since the last.
    let spacing = max(total / 200, settings.batch)
    try checkpointing.run(
      while: { !trainer.isFinished },
      state: { ["state": trainer.state.data(), "curve": try JSONEncoder().encode(curve)] },
      unit: {
        curve.sum += try trainer.step(
          threads: context.threads, checkCancellation: context.checkCancellation)
        curve.steps += 1
        let seen = trainer.seen
        let loss = Measure.loss.row(
          curve.sum / Double(curve.steps), .pictures(seen), n: curve.steps * settings.batch)
        context.progress(
          StageProgress(done: seen, total: total, unit: "pictures", metrics: [loss]))
        guard seen / spacing != (seen - settings.batch) / spacing || trainer.isFinished else {
          return
        }
        let rate = settings.learningRate(after: seen)
        curve.metrics += [loss, Measure.learningRate.row(rate, .pictures(seen))]
        (curve.sum, curve.steps) = (0, 0)
      })
    return (trainer, curve)
  }

  private static func restored(_ checkpointing: Checkpointing, _ new: () -> Trainer) -> (
    Trainer, Curve
  )? {
    if checkpointing.saved.isEmpty { return nil }
    let trainer = new()
    guard let data = checkpointing.saved["state"], let state = try? TrainingState(data: data),
      let curve = checkpointing.saved["curve"].flatMap({
        try? JSONDecoder().decode(Curve.self, from: $0)
      }), (try? trainer.restore(state)) != nil
    else {
      checkpointing.discard("it is of another network or training")
      return nil
    }
    return (trainer, curve)
  }

  private static func settings(_ parameters: JSONValue) throws -> TrainingSettings {
    TrainingSettings(
      pictures: try parameters.integer("pictures"), batch: try parameters.integer("batch"),
      learningRate: try parameters.number("learning_rate"),
      warmUp: try parameters.integer("warm_up"),
      decayAfter: try parameters.integer("decay_after"),
      sigmaMean: try parameters.number("sigma_mean"),
      sigmaDeviation: try parameters.number("sigma_deviation"),
      labelling: try parameters.choice("labelling"),
      labelDropout: try parameters.number("label_dropout"),
      balance: try parameters.number("balance"))
  }

  private static func architecture(_ parameters: JSONValue) throws
    -> NetworkDescription.Architecture
  {
    let width = try parameters.integer("network.width")
    if try parameters.text("network.type") == "local" {
      return .local(width: width, dilations: try parameters.integers("network.dilations"))
    }
    return .unet(
      width: width, conditioning: try parameters.choice("network.conditioning"),
      normalization: try parameters.choice("network.normalization"),
      attention: try parameters.flag("network.attention"))
  }
}
