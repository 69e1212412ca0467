import Foundation

/// EDM's deterministic sampler (Karras et al. 2022, algorithm 1 without churn; Heun's method).
package struct HeunSampler: Sendable, Hashable {
  package var steps: Int
  package var sigmaMin: Double
  package var sigmaMax: Double
  package var rho: Double

  package init(
    steps: Int = 20, sigmaMin: Double = 0.002, sigmaMax: Double = 80, rho: Double = 7
  ) {
    self.steps = steps
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    self.rho = rho
  }

  /// Noise levels from σ_max down to σ_min, then 0: eq. 5.
  package var sigmas: [Double] {
    let high = pow(sigmaMax, 1 / rho)
    let low = pow(sigmaMin, 1 / rho)
    let inner = (0..<steps).map { i -> Double in
      let fraction = Double(i) / Double(max(steps - 1, 1))
      return pow(high + fraction * (low - high), rho)
    }
    return inner + [0]
  }

  /// Draws N pictures from standard normal `noise` (N, S, S, 3) for `labels` (N, G, G).
  ///
  /// The result is (N, S, S, 3), a clean picture in about [−1, 1]. Costs 2 · steps − 1 passes.
  package func sample(
    _ denoiser: any Denoiser, labels: [Float], noise: [Float], threads: Int,
    checkCancellation: () throws -> Void = {}
  ) throws -> [Float] {
    let levels = sigmas
    let count = noise.count / denoiser.shape.pictureCount
    var batch = NoisedBatch(
      x: noise.map { $0 * Float(levels[0]) },
      sigma: [Float](repeating: Float(levels[0]), count: count), labels: labels)
    for i in 0..<steps {
      try checkCancellation()
      let sigma = Float(levels[i])
      let next = Float(levels[i + 1])
      for n in 0..<count { batch.sigma[n] = sigma }
      let start = batch.x
      let first = try denoiser.denoise(batch, threads: threads)
      for j in start.indices {
        batch.x[j] = start[j] + (next - sigma) * (start[j] - first[j]) / sigma
      }
      // At σ = 0 there is no slope to average with.
      if i + 1 == steps { break }
      for n in 0..<count { batch.sigma[n] = next }
      let second = try denoiser.denoise(batch, threads: threads)
      for j in start.indices {
        let slope = (start[j] - first[j]) / sigma
        let nextSlope = (batch.x[j] - second[j]) / next
        batch.x[j] = start[j] + (next - sigma) * (slope + nextSlope) / 2
      }
    }
    return batch.x
  }
}
