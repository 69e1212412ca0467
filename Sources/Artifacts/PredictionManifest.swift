import Workflow

/// In which order denoisers are expected to compose, from what their probes found.
package struct PredictionManifest: Manifest {
  package static let type = ArtifactType.prediction
  /// SHA-256 of the probes' manifests: the one whose denoiser is expected to recall most comes first.
  package var order: [String]
  /// The remote index of each, in the same order; equal ones are expected to recall alike.
  package var indices: [Double]
  /// At what it was probed.
  package var inputs: String
  package var k: Int

  package init(order: [String], indices: [Double], inputs: String, k: Int) {
    self.order = order
    self.indices = indices
    self.inputs = inputs
    self.k = k
  }
}
