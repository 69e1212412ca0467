import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Workflow

/// `import`: a denoiser that was trained elsewhere, by the hash that `locus import weights` gave it.
///
/// The command brings the file among the objects; the stage finds it there by its hash, which is in its
/// key, and says what it is.
package enum ImportStage {
  package struct Options: Settings {
    @Setting("the SHA-256 that `locus import weights` printed") package var weights: String
    package init() {}
  }

  package static let kind = StageKind(
    name: "import", version: 3,
    summary: "Uses weights that `locus import weights` brought into the store.",
    settings: Options.self, inputs: [], produces: .denoiser, isSeeded: false, check: check,
    needs: { options in
      [
        NeededObject(
          sha256: options.weights, remedy: "bring weights in with `locus import weights FILE`")
      ]
    },
    inspect: { options, object in
      // What cannot be read is told when it is used.
      guard let content = try? object(options.weights).data(),
        let file = try? WeightsFile(data: content)
      else { return .null }
      let network = file.denoiser.network.description
      var foreseen = Foreseen(
        size: network.shape.size, space: network.shape.space, labelling: file.origin.labelling,
        objects: [file.origin.objects.lowerBound, file.origin.objects.upperBound])
      let reach = network.architecture.reach(cellSize: network.shape.grid?.cellSize)
      foreseen.pixelReach = reach?.pixels
      foreseen.labelReach = reach?.labels
      foreseen.paths = network.architecture.paths
      foreseen.levels = network.architecture.toldLevels
      foreseen.isNetwork = true
      return foreseen.value
    },
    memory: { options, context in try context.object(options.weights).size },
    run: { options, context in
      let file = context.object(options.weights)
      let content = try file.data()
      guard SHA256.hash(content) == options.weights else {
        throw ArtifactError(file: file, reason: "its content has another hash: it is damaged")
      }
      return try output(content, path: file, context)
    })

  private static func check(_ options: Options) -> [ParameterProblem] {
    if SHA256.isHash(options.weights) { return [] }
    return [
      ParameterProblem(
        path: "weights",
        message: "accepted: 64 hexadecimal digits, as `locus import weights` prints them")
    ]
  }

  /// The kind, with the file's content at hand: what `locus import weights` runs.
  ///
  /// - Parameter content: a weights file as Locus writes it.
  package static func kind(importing content: Data) -> StageKind {
    var kind = Experiments.computing(kind)
    kind.needs = nil
    kind.run = { try output(content, path: nil, $0) }
    return kind
  }

  private static func output(_ content: Data, path: StageFile?, _ context: StageContext) throws
    -> StageOutput
  {
    let sha256 = SHA256.hash(content)
    let file: WeightsFile
    do {
      file = try WeightsFile(data: content)
    } catch {
      guard let path else { throw error }
      throw ArtifactError(file: path, reason: error.description)
    }
    let description = file.denoiser.network.description
    let manifest = DenoiserManifest.imported(
      .init(
        camera: nil, size: description.shape.size, space: description.shape.space,
        labelling: file.origin.labelling, objects: file.origin.objects),
      .init(description, weights: sha256))
    return StageOutput(
      files: [
        try context.output(manifest),
        try context.output("weights", kind: "weights", .safetensors, content),
      ],
      metrics: [Measure.parameters.row(Double(file.denoiser.weights.count))])
  }
}
