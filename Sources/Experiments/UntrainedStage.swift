import Artifacts
import Diffusion
import Foundation
import Lineage
import Measures
import Workflow

/// `untrained`: the null of a trained network, with random weights.
enum UntrainedStage {
  struct Options: Settings {
    @Setting(Shared.labelling) var labelling: Labelling
    @Setting("the network: unet, local or patchwise") var network: NetworkDescription.Architecture
  }

  static let kind = StageKind(
    name: "untrained", version: 1,
    summary: "Gives a network random weights: the null for what probes find in trained ones.",
    settings: Options.self,
    inputs: [
      InputDeclaration(
        "scenes", accepts: [.pictureSet], help: "pictures that it could be trained on")
    ], produces: .denoiser,
    check: { TrainStage.checkWidth($0.network) },
    checkInputs: { TrainStage.checkPlaces($0.network, Foreseen($1, "scenes")) },
    foresee: { options, upstream in
      TrainStage.foresee(options.labelling, options.network, Foreseen(upstream, "scenes")).value
    },
    memory: { options, context in
      let scenes = try PictureSetManifest("scenes", of: context)
      let network = try Network(NetworkDescription(options.network, shape: scenes.shape))
      return 4 * (network.graph.weightBytes + network.graph.preparedBytes)
    }, run: run)

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let scenes = try PictureSetManifest("scenes", of: context)
    guard scenes.objects.count == 2, scenes.objects[0] <= scenes.objects[1] else {
      throw MismatchError("the pictures do not say how many objects they have")
    }
    let description = NetworkDescription(options.network, shape: scenes.shape)
    let denoiser = try untrainedDenoiser(description, seed: context.seed)
    let origin = TrainingOrigin(
      labelling: options.labelling, objects: scenes.objects[0]...scenes.objects[1])
    let weights = WeightsFile(denoiser: denoiser, origin: origin).data()
    return StageOutput(
      files: [
        try context.output(
          DenoiserManifest.trained(
            .init(
              camera: scenes.camera, size: scenes.shape.size, space: scenes.space,
              labelling: options.labelling, objects: origin.objects, heldOut: scenes.heldOut),
            .init(description, weights: SHA256.hash(weights)))),
        try context.output("weights", kind: "weights", .safetensors, weights),
      ],
      metrics: [Measure.parameters.row(Double(denoiser.weights.count))])
  }
}
