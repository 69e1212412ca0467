import Diffusion
import Formats
import Foundation
import Interventions
import Workflow

/// Anything that can be sampled and probed, as the stages `train` and `intervene` leave it.
public struct DenoiserArtifact: Sendable {
  public let denoiser: any Denoiser
  public let origin: TrainingOrigin
  /// Of the trained weights, behind whatever mask.
  public let weightsHash: String
  /// The mask's file, where there is one.
  let mask: JSONValue?

  /// The denoiser that a stage was given; long work of it stops when the stage shall.
  init(_ role: String, of context: StageContext) throws {
    try self.init(
      files: try context.input(role).files, checkCancellation: context.checkCancellation)
  }

  /// - Parameters:
  ///   - files: by output role: `weights`, and perhaps `mask` and `fill`.
  ///   - checkCancellation: is called between few passes of the network.
  public init(
    files: [String: StageFile], checkCancellation: @escaping @Sendable () throws -> Void = {}
  ) throws {
    guard let weights = files["weights"] else {
      throw StageFault("a denoiser needs weights; found only \(files.keys.sorted())")
    }
    let file = try weights.weights()
    origin = file.origin
    weightsHash = weights.sha256
    let base = InterruptibleDenoiser(file.denoiser, checkCancellation: checkCancellation)
    guard let maskFile = files["mask"] else {
      denoiser = base
      mask = nil
      return
    }
    let specification: MaskSpecification
    do {
      let data = try maskFile.data()
      mask = try JSONValue.parse(data)
      specification = try JSONDecoder().decode(MaskSpecification.self, from: data)
    } catch {
      throw ArtifactError(file: maskFile, reason: "is no mask: \(error)")
    }
    var fill: [Float] = []
    if let fillFile = files["fill"] {
      guard case .float32(let values) = try fillFile.array().elements else {
        throw ArtifactError(file: fillFile, reason: "holds no float32 pictures")
      }
      fill = values
    }
    denoiser = try MaskedDenoiser(
      base: base, specification: specification, fill: fill)
  }
}
