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

  /// Draws N pictures from standard normal `noise` (N, S, S, 3) for `labels` (N, G, G), each named by its
  /// entry of `draws`.
  ///
  /// The result is (N, S, S, 3), a clean picture in about [−1, 1]. Costs 2 · steps − 1 passes.
  package func sample(
    _ denoiser: any Denoiser, labels: [Float], noise: [Float], draws: [UInt64]? = nil, threads: Int,
    checkCancellation: () throws -> Void = {}
  ) throws -> [Float] {
    try integrate(
      denoiser, from: noise.map { $0 * Float(sigmas[0]) }, along: sigmas, labels: labels,
      draws: draws, threads: threads, checkCancellation: checkCancellation)
  }

  /// What is on its way to pictures at some noise levels, which the sampler visits beside its own.
  ///
  /// - Parameter levels: above 0, up to `sigmaMax`.
  /// - Returns: the pictures, and for each of `levels` the states (N, S, S, 3).
  package func states(
    _ denoiser: any Denoiser, labels: [Float], noise: [Float], draws: [UInt64]? = nil,
    at levels: [Double], threads: Int, checkCancellation: () throws -> Void = {}
  ) throws -> (pictures: [Float], states: [Double: [Float]]) {
    var states: [Double: [Float]] = [:]
    let wanted = Set(levels)
    let pictures = try integrate(
      denoiser, from: noise.map { $0 * Float(sigmas[0]) }, along: path(through: levels),
      labels: labels, draws: draws, threads: threads, checkCancellation: checkCancellation
    ) { sigma, x in if wanted.contains(sigma) { states[sigma] = x } }
    return (pictures, states)
  }

  /// Goes on from a state at a noise level of `states(_:labels:noise:at:)`, perhaps with other labels.
  package func resume(
    _ denoiser: any Denoiser, from x: [Float], sigma: Double, through levels: [Double],
    labels: [Float], draws: [UInt64]? = nil, threads: Int,
    checkCancellation: () throws -> Void = {}
  ) throws -> [Float] {
    try integrate(
      denoiser, from: x, along: path(through: levels).filter { $0 <= sigma }, labels: labels,
      draws: draws, threads: threads, checkCancellation: checkCancellation)
  }

  private func path(through levels: [Double]) -> [Double] {
    Set(sigmas + levels.filter { $0 > 0 && $0 <= sigmas[0] }).sorted(by: >)
  }

  /// Heun's steps along falling noise levels of which the last is 0.
  ///
  /// - Parameter visit: is told the state at every level before the last.
  private func integrate(
    _ denoiser: any Denoiser, from start: [Float], along levels: [Double], labels: [Float],
    draws: [UInt64]?, threads: Int, checkCancellation: () throws -> Void,
    visit: (_ sigma: Double, _ x: [Float]) -> Void = { _, _ in }
  ) throws -> [Float] {
    let count = start.count / denoiser.shape.pictureCount
    let first = Float(levels.first ?? 0)
    var batch = NoisedBatch(
      x: start, sigma: [Float](repeating: first, count: count), labels: labels, draws: draws)
    for i in levels.indices.dropLast() {
      try checkCancellation()
      visit(levels[i], batch.x)
      let sigma = Float(levels[i])
      let next = Float(levels[i + 1])
      for n in 0..<count { batch.sigma[n] = sigma }
      let start = batch.x
      let first = try denoiser.denoise(batch, threads: threads)
      for j in start.indices {
        batch.x[j] = start[j] + (next - sigma) * (start[j] - first[j]) / sigma
      }
      // At σ = 0 there is no slope to average with.
      if next == 0 { break }
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
