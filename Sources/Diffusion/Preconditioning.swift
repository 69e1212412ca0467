import Foundation

/// EDM's preconditioning (Karras et al. 2022, table 1): D = c_skip x + c_out F(c_in x, ln σ / 4).
public struct Preconditioning: Sendable {
  /// Standard deviation of the data.
  public static let sigmaData: Float = 0.5

  public let skip: Float
  public let out: Float
  public let input: Float
  public let noise: Float

  public init(sigma: Float) {
    let data = Self.sigmaData
    let total = sigma * sigma + data * data
    skip = data * data / total
    out = sigma * data / total.squareRoot()
    input = 1 / total.squareRoot()
    noise = Foundation.log(sigma) / 4
  }

  /// The weight of the loss at σ: (σ² + σ_d²) / (σ σ_d)², which makes the loss of F uniform.
  public var lossWeight: Float { 1 / (out * out) }
}
