import Diffusion
import Evaluation
import Formats
import Scenes
import Workflow

/// A detector of objects, trained and calibrated.
package struct JudgeManifest: Manifest {
  package static let type = ArtifactType.judge
  package var camera: CameraKind
  /// Side of a picture in px.
  package var size: Int
  package var space: ConditionerSpace
  /// SHA-256 of the weights.
  package var weights: String

  package init(camera: CameraKind, size: Int, space: ConditionerSpace, weights: String) {
    self.camera = camera
    self.size = size
    self.space = space
    self.weights = weights
  }
}

extension JudgeFile {
  /// The judge that a stage was given, with its manifest.
  package static func read(_ role: String, of context: StageContext) throws -> (
    JudgeFile, JudgeManifest
  ) {
    let manifest = try JudgeManifest(try context.input(role).manifest)
    let file = context.object(manifest.weights)
    do {
      let judge = try JudgeFile(data: try file.data())
      guard judge.camera == manifest.camera, judge.size == manifest.size else {
        throw ArtifactError(file: file, reason: "is another judge than the manifest's")
      }
      return (judge, manifest)
    } catch let error as EvaluationError {
      throw ArtifactError(file: file, reason: error.description)
    }
  }
}
