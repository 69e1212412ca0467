import Foundation

/// What a mixture is at one point; reused, also for mixtures of fewer dimensions, whose values are the
/// first of each array, so that evaluating allocates nothing.
package struct MixturePoint: Sendable {
  /// log p_σ(x), in nats.
  package fileprivate(set) var logDensity = 0.0
  /// ∇ log p_σ(x), D values.
  package fileprivate(set) var score: [Double] = []
  /// ∂score_i/∂x_j at [i·D + j], D×D values; only as fresh as the last evaluation that asked for it.
  package fileprivate(set) var jacobian: [Double] = []
  fileprivate var responsibilities: [Double] = []
  fileprivate var whitened: [Double] = []
  fileprivate var mean: [Double] = []

  package init() {}
}

/// p_σ(x) = Σ_s w_s N(x; μ_s, σ²Σ), with its score and Jacobian in closed form.
///
/// With r_s(x) = w_s N(x; μ_s, σ²Σ) / p_σ(x), m = Σ_s r_s μ_s and C = Σ_s r_s (μ_s − m)(μ_s − m)ᵀ:
/// score = Σ⁻¹(m − x)/σ² (Tweedie's formula) and ∂score/∂x = Σ⁻¹CΣ⁻¹/σ⁴ − Σ⁻¹/σ². The sum is taken
/// with its largest term drawn out (log-sum-exp), so that it neither overflows nor vanishes.
/// One evaluation costs O(S·D), with the Jacobian O(S·D²), for S components of D dimensions.
///
/// Immutable; a class so that handing it on in inner loops copies one reference, not its arrays.
package final class GaussianMixture: Sendable {
  package let dimension: Int
  package let sigma: Double
  /// S of them; log w_s.
  let logWeights: [Double]
  /// Row s is W μ_s.
  let means: [Double]
  /// Row s is μ_s, for drawing from the mixture.
  let plainMeans: [[Double]]
  let weights: [Double]
  /// W = L⁻¹ with LLᵀ = Σ, so that W x has isotropic noise; `nil` when Σ is the identity.
  let whitening: Matrix?
  /// L, for drawing.
  let coloring: Matrix?
  /// log of the density's normalisation, with log det L.
  let logNormalization: Double

  /// - Parameters:
  ///   - means: the components' means, each of D values.
  ///   - weights: positive, summing to 1.
  ///   - noise: Σ, symmetric and positive definite; `nil` stands for the identity.
  package init(means: [[Double]], weights: [Double], sigma: Double, noise: Matrix? = nil)
    throws(TheoryError)
  {
    precondition(!means.isEmpty && means.count == weights.count && sigma > 0)
    dimension = means[0].count
    self.sigma = sigma
    self.weights = weights
    plainMeans = means
    logWeights = weights.map(Foundation.log)
    var logDeterminant = 0.0
    if let noise {
      let lower = try noise.cholesky()
      let white = try lower.inverse()
      coloring = lower
      whitening = white
      self.means = means.flatMap { white * $0 }
      for i in 0..<dimension { logDeterminant += Foundation.log(lower[i, i]) }
    } else {
      coloring = nil
      whitening = nil
      self.means = means.flatMap { $0 }
    }
    logNormalization =
      -Double(dimension) * (0.5 * Foundation.log(2 * Double.pi) + Foundation.log(sigma))
      - logDeterminant
  }

  /// Evaluates at the D values of `x`.
  package func evaluate(
    _ x: UnsafePointer<Double>, jacobian wantsJacobian: Bool = false, into point: inout MixturePoint
  ) {
    func size(_ array: inout [Double], _ count: Int) {
      if array.count < count { array = [Double](repeating: 0, count: count) }
    }
    size(&point.responsibilities, logWeights.count)
    size(&point.whitened, dimension)
    size(&point.mean, dimension)
    size(&point.score, dimension)
    if wantsJacobian { size(&point.jacobian, dimension * dimension) }
    whiten(x, into: &point.whitened)
    point.logDensity =
      logNormalization
      + respond(to: point.whitened, means, logWeights, into: &point.responsibilities)
    average(point.responsibilities, means, into: &point.mean)
    score(of: point.mean, at: &point.whitened, into: &point.score)
    if wantsJacobian {
      differentiate(point.responsibilities, means, point.mean, into: &point.jacobian)
      if let whitening {
        let inner = Matrix(
          size: dimension, values: Array(point.jacobian.prefix(dimension * dimension)))
        point.jacobian.replaceSubrange(
          0..<dimension * dimension, with: (whitening.transposed * inner * whitening).values)
      }
    }
  }

  private func whiten(_ x: UnsafePointer<Double>, into u: UnsafeMutablePointer<Double>) {
    guard let whitening else {
      for i in 0..<dimension { u[i] = x[i] }
      return
    }
    for i in 0..<dimension {
      var sum = 0.0
      for k in 0...i { sum += whitening[i, k] * x[k] }
      u[i] = sum
    }
  }

  /// Terms below the largest by this factor in the exponent, an ulp of an ulp, are left out.
  private static let cutoff = -72.0

  /// Fills in r_s and returns log Σ_s w_s exp(−‖u − Wμ_s‖²/2σ²).
  private func respond(
    to u: UnsafePointer<Double>, _ means: UnsafePointer<Double>,
    _ logWeights: UnsafePointer<Double>, into r: UnsafeMutablePointer<Double>
  ) -> Double {
    let d = dimension
    let count = weights.count
    let half = -0.5 / (sigma * sigma)
    var largest = -Double.infinity
    for s in 0..<count {
      var distance = 0.0
      for i in 0..<d {
        let difference = u[i] - means[s * d + i]
        distance += difference * difference
      }
      r[s] = logWeights[s] + half * distance
      largest = max(largest, r[s])
    }
    var sum = 0.0
    for s in 0..<count {
      r[s] = r[s] - largest > Self.cutoff ? exp(r[s] - largest) : 0
      sum += r[s]
    }
    let scale = 1 / sum
    for s in 0..<count { r[s] *= scale }
    return largest + log(sum)
  }

  private func average(
    _ r: UnsafePointer<Double>, _ means: UnsafePointer<Double>,
    into mean: UnsafeMutablePointer<Double>
  ) {
    let d = dimension
    for i in 0..<d { mean[i] = 0 }
    for s in 0..<weights.count where r[s] > 0 {
      for i in 0..<d { mean[i] += r[s] * means[s * d + i] }
    }
  }

  /// Wᵀ (m − u)/σ²; `u` is used up.
  private func score(
    of mean: UnsafePointer<Double>, at u: UnsafeMutablePointer<Double>,
    into score: UnsafeMutablePointer<Double>
  ) {
    let inverse = 1 / (sigma * sigma)
    for i in 0..<dimension { u[i] = (mean[i] - u[i]) * inverse }
    guard let whitening else {
      for i in 0..<dimension { score[i] = u[i] }
      return
    }
    for i in 0..<dimension {
      var sum = 0.0
      for k in i..<dimension { sum += whitening[k, i] * u[k] }
      score[i] = sum
    }
  }

  /// C/σ⁴ − I/σ², in whitened coordinates.
  private func differentiate(
    _ r: UnsafePointer<Double>, _ means: UnsafePointer<Double>, _ mean: UnsafePointer<Double>,
    into jacobian: UnsafeMutablePointer<Double>
  ) {
    let d = dimension
    let inverse = 1 / (sigma * sigma)
    for k in 0..<d * d { jacobian[k] = 0 }
    for s in 0..<weights.count where r[s] > 0 {
      for i in 0..<d {
        let part = r[s] * (means[s * d + i] - mean[i])
        for j in 0...i { jacobian[i * d + j] += part * (means[s * d + j] - mean[j]) }
      }
    }
    for i in 0..<d {
      for j in 0...i {
        let value = jacobian[i * d + j] * inverse * inverse - (i == j ? inverse : 0)
        jacobian[i * d + j] = value
        jacobian[j * d + i] = value
      }
    }
  }
}
