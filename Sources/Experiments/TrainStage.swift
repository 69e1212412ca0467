import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Streams
import Workflow

/// `train`: a denoiser on pictures of few objects.
enum TrainStage {
  struct Options: Settings {
    @Setting(Shared.labelling) var labelling: Labelling
    @Setting("the network: unet, local or patchwise") var network: NetworkDescription.Architecture
    @Setting(1...1_000_000_000, isBudget: true, "pictures to train on, in all") var pictures: Int
    @Setting(Shared.batch) var batch: Int
    @Setting(1e-7...1, default: 2e-3, "Adam's largest step") var learningRate: Double
    @Setting(Shared.warmUp) var warmUp: Int
    @Setting(Shared.decayAfter) var decayAfter: Int
    @Setting(
      0...1_000_000_000, default: 0, unit: "pictures", isLate: true, isBudget: true,
      "last pictures over which the learning rate falls to 0 besides, in a line")
    var coolDown: Int
    @Setting(Shared.sigmaMean) var sigmaMean: Double
    @Setting(Shared.sigmaDeviation) var sigmaDeviation: Double
    @Setting(Shared.labelDropout) var labelDropout: Double
    @Setting(0...1000, default: 0, "pixels within 5 px of a label weigh 1 + balance in the loss")
    var balance: Double
    @Setting(
      each: 1...1_000_000_000, count: 0...64, default: [], unit: "pictures", isLate: true,
      isBudget: true,
      "after how many pictures to keep what there is, for `snapshot`; ascending")
    var snapshots: [Int]

    var training: TrainingSettings {
      TrainingSettings(
        pictures: pictures, batch: batch, learningRate: learningRate, warmUp: warmUp,
        decayAfter: decayAfter, coolDown: coolDown, sigmaMean: sigmaMean,
        sigmaDeviation: sigmaDeviation,
        labelling: labelling, labelDropout: labelDropout, balance: balance)
    }
  }

  static let kind = StageKind(
    name: "train", version: 3,
    summary: "Trains a denoiser on a generated set, with EDM's preconditioning and Adam.",
    settings: Options.self,
    inputs: [
      InputDeclaration("scenes", accepts: [.pictureSet], help: "pictures to train on")
    ], produces: .denoiser,
    check: { checkWidth($0.network) + checkCoolDown($0) + checkSnapshots($0) },
    checkInputs: checkInputs,
    foresee: { options, upstream in
      var foreseen = foresee(options.labelling, options.network, Foreseen(upstream, "scenes"))
      foreseen.snapshots = options.snapshots
      return foreseen.value
    }, memory: memory, run: run)

  static func foresee(
    _ labelling: Labelling, _ network: NetworkDescription.Architecture, _ scenes: Foreseen
  ) -> Foreseen {
    var foreseen = scenes
    foreseen.labelling = labelling
    let reach = network.reach(cellSize: scenes.grid?.cellSize)
    foreseen.pixelReach = reach?.pixels
    foreseen.labelReach = reach?.labels
    foreseen.paths = network.paths
    foreseen.levels = network.toldLevels
    foreseen.isNetwork = true
    return foreseen
  }

  static func checkWidth(_ network: NetworkDescription.Architecture) -> [ParameterProblem] {
    let width =
      switch network {
      case .unet(let width, _, _, _, _), .local(let width, _), .patchwise(let width, _, _, _): width
      }
    if width % 4 == 0 { return [] }
    return [
      ParameterProblem(
        path: "network.width", message: "found \(width), accepted: a multiple of 4 (four groups)")
    ]
  }

  private static func checkCoolDown(_ options: Options) -> [ParameterProblem] {
    if options.coolDown > options.pictures {
      return [
        ParameterProblem(
          path: "cool_down",
          message: "found \(options.coolDown), accepted: up to pictures, \(options.pictures)")
      ]
    }
    if options.coolDown == 0 || options.snapshots.isEmpty { return [] }
    return [
      ParameterProblem(
        path: "snapshots",
        message:
          "are shorter trainings, and one with `cool_down` does not go the way of a longer one; accepted: none, or a"
          + " `cool_down` of 0")
    ]
  }

  private static func checkSnapshots(_ options: Options) -> [ParameterProblem] {
    let snapshots = options.snapshots
    if zip(snapshots, snapshots.dropFirst()).contains(where: { $0 >= $1 }) {
      return [
        ParameterProblem(path: "snapshots", message: "not ascending, or one of them twice")
      ]
    }
    if let last = snapshots.last, last > options.pictures {
      return [
        ParameterProblem(
          path: "snapshots",
          message: "found \(last), accepted: up to pictures, \(options.pictures)")
      ]
    }
    return []
  }

  /// What goes by places, of conditioners without.
  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let scenes = Foreseen(upstream, "scenes")
    let problems = checkPlaces(options.network, scenes)
    if options.balance == 0 { return problems }
    return problems
      + Shared.checkPlaces(
        scenes, path: "balance", what: "\(options.balance) goes by places; accepted: 0")
  }

  /// A network that takes a map of labels.
  static func checkPlaces(_ network: NetworkDescription.Architecture, _ scenes: Foreseen)
    -> [ParameterProblem]
  {
    let (path, found, accepted): (String, String, String)
    switch network {
    case .local, .patchwise:
      (path, found, accepted) = (
        "network.type", network.kind.rawValue,
        "unet with conditioning \"vector\", \"channels\", \"words\" or \"lowest\""
      )
    case .unet(_, .grid, _, _, _):
      (path, found, accepted) = ("network.conditioning", "grid", "vector, channels, words, lowest")
    case .unet(_, .words, _, _, _), .unet(_, .lowest, _, _, _):
      guard let space = scenes.space, space.hasPlaces else { return [] }
      return [
        ParameterProblem(
          path: "network.conditioning",
          message:
            "conditioners are \(space.text), and \"words\" and \"lowest\" have channels for each word; accepted:"
            + " grid, vector, channels")
      ]
    case .unet(_, .vector, _, _, _), .unet(_, .channels, _, _, _): return []
    }
    return Shared.checkPlaces(
      scenes, path: path, what: "\"\(found)\" goes by places; accepted: \(accepted)")
  }

  static func memory(_ options: Options, _ context: StageContext) throws -> Int {
    let scenes = try PictureSetManifest("scenes", of: context)
    let description = NetworkDescription(options.network, shape: scenes.shape)
    return try scenes.bytes(context)
      + Trainer.memory(description, options.training, threads: context.threads)
  }

  static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let scenes = try PictureSet("scenes", of: context)
    if scenes.shape.size % 4 != 0 {
      throw MismatchError(
        "the pictures have \(scenes.shape.size) px, not a multiple of 4, which networks need")
    }
    let description = NetworkDescription(options.network, shape: scenes.shape)
    let set = try scenes.trainingSet
    return try output(context, scenes, options.labelling, snapshots: options.snapshots) {
      try Trainer(description, options.training, data: set, seed: context.seed)
    }
  }

  /// Trains to the end, and what that leaves.
  ///
  /// - Parameter tuning: how a network that was trained before goes on.
  static func output(
    _ context: StageContext, _ scenes: PictureSet, _ labelling: Labelling, snapshots: [Int] = [],
    tuning: DenoiserManifest.Network.Tuning? = nil, _ new: () throws -> Trainer
  ) throws -> StageOutput {
    let origin = TrainingOrigin(labelling: labelling, objects: scenes.objects)
    func weights(_ trainer: Trainer) throws -> Data {
      WeightsFile(denoiser: try trainer.denoiser(), origin: origin).data()
    }
    let progress = try train(context, snapshots: snapshots, weights, new)
    let final = try weights(progress.trainer)
    var network = DenoiserManifest.Network(
      progress.trainer.network.description, weights: SHA256.hash(final))
    network.tuning = tuning
    let kept = progress.snapshots.sorted { $0.key < $1.key }
    if !kept.isEmpty {
      network.snapshots = kept.map { .init(pictures: $0, weights: SHA256.hash($1)) }
    }
    let manifest = DenoiserManifest.trained(
      .init(
        camera: scenes.camera, size: scenes.shape.size, space: scenes.manifest.space,
        labelling: labelling, objects: scenes.objects, heldOut: scenes.manifest.heldOut), network)
    var files = [
      try context.output(manifest),
      try context.output("weights", kind: "weights", .safetensors, final),
    ]
    files += try kept.map {
      try context.output(snapshot($0), kind: "weights", .safetensors, $1)
    }
    return StageOutput(
      files: files,
      metrics: [Measure.parameters.row(Double(progress.trainer.parameterCount))]
        + progress.curve.metrics)
  }

  /// What the curve needs beside the trainer's own state.
  private struct Curve: Codable {
    var metrics: [MetricRow] = []
    /// Of the losses since the last point, and how many they are.
    var sum = 0.0
    var steps = 0
  }

  /// A training under way, with what is kept of it.
  private struct Progress {
    var trainer: Trainer
    var curve = Curve()
    /// Weights by the pictures after which they were asked for.
    var snapshots: [Int: Data] = [:]
  }

  /// Trains to the end, from where an earlier process stopped.
  private static func train(
    _ context: StageContext, snapshots: [Int], _ weights: (Trainer) throws -> Data,
    _ new: () throws -> Trainer
  ) throws -> Progress {
    let checkpointing = try context.checkpointing()
    var progress =
      try restored(checkpointing, snapshots: snapshots, new) ?? Progress(trainer: try new())
    let trainer = progress.trainer
    let settings = trainer.settings
    let total = (settings.pictures + settings.batch - 1) / settings.batch * settings.batch
    // About two hundred points make a readable curve; each is the mean since the last.
    let spacing = max(total / 200, settings.batch)
    try checkpointing.run(
      while: { !trainer.isFinished },
      state: {
        var state = [
          "state": trainer.state.data(), "curve": try JSONEncoder().encode(progress.curve),
        ]
        for (pictures, data) in progress.snapshots { state[snapshot(pictures)] = data }
        return state
      },
      unit: {
        progress.curve.sum += try trainer.step(
          threads: context.threads, checkCancellation: context.checkCancellation)
        progress.curve.steps += 1
        let seen = trainer.seen
        for pictures in snapshots where seen >= pictures && progress.snapshots[pictures] == nil {
          progress.snapshots[pictures] = try weights(trainer)
        }
        let loss = Measure.loss.row(
          progress.curve.sum / Double(progress.curve.steps), .pictures(seen),
          n: progress.curve.steps * settings.batch)
        context.progress(
          StageProgress(done: seen, total: total, unit: "pictures", metrics: [loss]))
        guard seen / spacing != (seen - settings.batch) / spacing || trainer.isFinished else {
          return
        }
        let rate = settings.learningRate(after: seen)
        progress.curve.metrics += [loss, Measure.learningRate.row(rate, .pictures(seen))]
        (progress.curve.sum, progress.curve.steps) = (0, 0)
      })
    return progress
  }

  /// What the weights on the way are called, as an output and in a checkpoint.
  private static func snapshot(_ pictures: Int) -> String { "snapshot-\(pictures)" }

  private static func restored(
    _ checkpointing: Checkpointing, snapshots: [Int], _ new: () throws -> Trainer
  ) throws -> Progress? {
    if checkpointing.saved.isEmpty { return nil }
    let trainer = try new()
    guard let data = checkpointing.saved["state"], let state = try? TrainingState(data: data),
      let curve = checkpointing.saved["curve"].flatMap({
        try? JSONDecoder().decode(Curve.self, from: $0)
      }), (try? trainer.restore(state)) != nil
    else {
      checkpointing.discard("it is of another network or training")
      return nil
    }
    var progress = Progress(trainer: trainer, curve: curve)
    for pictures in snapshots {
      progress.snapshots[pictures] = checkpointing.saved[snapshot(pictures)]
    }
    guard snapshots.allSatisfy({ ($0 > trainer.seen) == (progress.snapshots[$0] == nil) }) else {
      checkpointing.discard("it lacks a snapshot")
      return nil
    }
    return progress
  }
}

/// `network: { type: "unet", … }` in a pipeline file.
extension NetworkDescription.Architecture: SettingVariant {
  private struct UNetOptions: Settings {
    @Setting(4...512, default: 32, "base width C") var width: Int
    @Setting(
      default: .grid,
      "how labels enter: as a map (grid), through the embedding (vector), there and as constant maps, one a label"
        + " (channels), or at the lowest level alone, each by channels of its own (words) or all by the same (lowest)"
    )
    var conditioning: NetworkDescription.Conditioning
    @Setting(default: .group, "group: statistics over the picture; pixel: none")
    var normalization: NetworkDescription.Normalization
    @Setting(default: true, "self-attention at the lowest level") var attention: Bool
    @Setting(
      NetworkDescription.middles, default: 0, isLate: true,
      "residual blocks between the way down and the way up, at the lowest level and with its attention"
    )
    var middle: Int
  }

  private struct LocalOptions: Settings {
    @Setting(4...512, default: 32, "channels") var width: Int
    @Setting(
      each: 1...16, count: 1...32, default: [1, 1, 1, 1, 1],
      "one a block; the window is 2 (1 + their sum) + 1 pixels")
    var dilations: [Int]
  }

  private struct PatchwiseOptions: Settings {
    @Setting(4...512, default: 32, "base width C of the U-Net on a patch") var width: Int
    @Setting(
      NetworkDescription.reaches, default: 2, unit: "cells",
      "cells that a patch reaches beyond its middle one; the window is 2 reach + 1 cells")
    var reach: Int
    @Setting(default: .pixel, "group: statistics over the patch; pixel: none")
    var normalization: NetworkDescription.Normalization
    @Setting(default: true, "self-attention at the lowest level, within the patch")
    var attention: Bool
  }

  package static let tag = "type"
  package static var cases: [String: [Parameter]] {
    Dictionary(
      uniqueKeysWithValues: Kind.allCases.map { kind in
        switch kind {
        case .unet: (kind.rawValue, UNetOptions.parameters)
        case .local: (kind.rawValue, LocalOptions.parameters)
        case .patchwise: (kind.rawValue, PatchwiseOptions.parameters)
        }
      })
  }
  package static var placeholder: Self { .local(width: 4, dilations: [1]) }
}
