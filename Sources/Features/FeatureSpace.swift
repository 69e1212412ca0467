/// In which features what words change is looked at.
package enum FeatureSpace: String, Sendable, Codable, CaseIterable {
  /// A level's activations, as the network has them.
  case level
  /// The same after the linear map that makes their covariance the identity. Rotations of it, ICA's among them,
  /// change no share and no cosine.
  case whitened
  /// The judge's features of what the network denoises: a nonlinear map of the picture, learned elsewhere.
  case judge
}
