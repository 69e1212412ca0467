import Diffusion
import Evaluation
import Scenes
import Workflow

/// The pictures that an evaluation drew, as they are stored, with what was asked for.
package struct DrawnSamples: Sendable {
  package let manifest: OutcomesManifest
  /// SHA-256 of the manifest.
  package let sha256: String
  /// In the order of the pictures.
  package let outcomes: [Outcome]
  /// Side of a picture in px.
  package let size: Int
  /// (N, S, S, 3).
  package let pixels: [UInt8]

  /// The evaluation that a stage was given.
  /// - Throws: `ArtifactError` when its files are not those that the manifest describes.
  package init(_ role: String, of context: StageContext) throws {
    let file = try context.input(role).manifest
    sha256 = file.sha256
    manifest = try OutcomesManifest(file)
    outcomes = try OutcomeTable(context.object(manifest.rows)).outcomes
    let samples = context.object(manifest.samples)
    let (shape, pixels) = try samples.bytes()
    guard shape.count == 4, PictureShape.sizes.contains(shape[1]), shape[1] == shape[2],
      shape[3] == PictureShape.channels, shape[0] == outcomes.count
    else { throw ArtifactError(file: samples, reason: "holds other pictures than its outcomes") }
    size = shape[1]
    self.pixels = pixels
  }
}
