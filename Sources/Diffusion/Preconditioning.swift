import Foundation

/// EDM's preconditioning (Karras et al. 2022, table 1): D = c_skip x + c_out F(c_in x, ln σ / 4).
package struct Preconditioning: Sendable {
  /// Standard deviation of the data.
  package static let sigmaData: Float = 0.5

  package let skip: Float
  package let out: Float
  package let input: Float
  package let noise: Float
  let logSigma: Float

  package init(sigma: Float) {
    let data = Self.sigmaData
    let total = sigma * sigma + data * data
    skip = data * data / total
    out = sigma * data / total.squareRoot()
    input = 1 / total.squareRoot()
    logSigma = Foundation.log(sigma)
    noise = logSigma / 4
  }

  /// The weight of the loss at σ: (σ² + σ_d²) / (σ σ_d)², which makes the loss of F uniform.
  package var lossWeight: Float { 1 / (out * out) }
}
