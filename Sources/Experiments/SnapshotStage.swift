import Artifacts
import Diffusion
import Foundation
import Lineage
import Measures
import Workflow

/// `snapshot`: a trained denoiser as it was on its way.
///
/// A training of N pictures goes the way of a longer one with the same settings, unless it cools down, so that a
/// snapshot after N pictures is, bit for bit, what a training of N gives.
enum SnapshotStage {
  struct Options: Settings {
    @Setting(
      1...1_000_000_000, isBudget: true,
      "after how many pictures; one of the training's snapshots")
    var pictures: Int
  }

  static let kind = StageKind(
    name: "snapshot", version: 1,
    summary: "Takes a denoiser from the middle of its training, which kept it under `snapshots`.",
    settings: Options.self,
    inputs: [
      InputDeclaration("denoiser", accepts: [.denoiser], help: "the training that kept snapshots")
    ], produces: .denoiser, checkInputs: check,
    foresee: { _, upstream in
      var foreseen = Foreseen(upstream, "denoiser")
      foreseen.snapshots = nil
      return foreseen.value
    },
    memory: { _, context in
      let (_, network) = try trained(context)
      // The file, and its copy.
      return try 2
        * (network.snapshots ?? []).map { try context.object($0.weights).size }
        .reduce(0, max)
    }, run: run)

  private static func check(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    guard let snapshots = denoiser.snapshots, denoiser.isMasked != true else {
      return [
        ParameterProblem(
          path: "inputs.denoiser",
          message: "is no training with `snapshots`; name a stage of kind \"train\" that has them")
      ]
    }
    if snapshots.contains(options.pictures) { return [] }
    let kept = snapshots.map(String.init).joined(separator: ", ")
    return [
      ParameterProblem(
        path: "pictures",
        message: "found \(options.pictures), accepted: "
          + (kept.isEmpty ? "what the training has under `snapshots`, which is nothing" : kept))
    ]
  }

  private static func trained(_ context: StageContext) throws -> (
    DenoiserManifest.Training, DenoiserManifest.Network
  ) {
    guard
      case .trained(let training, let network) = try DenoiserManifest(
        context.input("denoiser").manifest)
    else { throw MismatchError("the denoiser was not trained by this program") }
    return (training, network)
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    var (training, network) = try trained(context)
    guard let snapshot = network.snapshots?.first(where: { $0.pictures == options.pictures })
    else { throw MismatchError("the training kept no snapshot after \(options.pictures) pictures") }
    network.weights = snapshot.weights
    network.snapshots = nil
    return StageOutput(
      files: [
        try context.output(DenoiserManifest.trained(training, network)),
        try context.output(
          "weights", kind: "weights", .safetensors, context.object(snapshot.weights).data()),
      ])
  }
}
