import Foundation

/// Draws pictures along the probability flow dx/dσ = (x − D(x, σ)) / σ (Karras et al. 2022, without churn).
package struct Sampler: Sendable, Hashable {
  package var steps: Int
  package var sigmaMin: Double
  package var sigmaMax: Double
  package var rho: Double
  package var method: SamplingMethod

  package init(
    steps: Int = 20, sigmaMin: Double = 0.002, sigmaMax: Double = 80, rho: Double = 7,
    method: SamplingMethod = .heun
  ) {
    self.steps = steps
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    self.rho = rho
    self.method = method
  }

  /// EDM's noise levels from σ_max down to σ_min, then 0: eq. 5.
  package var sigmas: [Double] { Self.sigmas(steps, sigmaMin, sigmaMax, rho) }

  private static func sigmas(_ steps: Int, _ least: Double, _ most: Double, _ rho: Double)
    -> [Double]
  {
    let high = pow(most, 1 / rho)
    let low = pow(least, 1 / rho)
    let inner = (0..<steps).map { i -> Double in
      let fraction = Double(i) / Double(max(steps - 1, 1))
      return pow(high + fraction * (low - high), rho)
    }
    return inner + [0]
  }

  /// The levels that it visits with a denoiser of this schedule: as far as this one goes, or its own times from the
  /// last to the first.
  package func levels(_ schedule: NoiseSchedule) throws(SamplingError) -> [Double] {
    if method == .ddim {
      let times = schedule.times
      if times.count < 2 { throw .noTimes }
      let count = min(steps, times.count)
      let spaced = (0..<count).map { i in
        times[(times.count - 1) * (count - 1 - i) / max(count - 1, 1)]
      }
      return spaced + [0]
    }
    let (least, most) = (max(sigmaMin, schedule.low), min(sigmaMax, schedule.high))
    if least >= most { throw .range(low: schedule.low, high: schedule.high) }
    return Self.sigmas(steps, least, most, rho)
  }

  /// Draws N pictures from standard normal `noise` (N, S, S, 3) for `labels` (N, G, G), each named by its
  /// entry of `draws`.
  ///
  /// The result is (N, S, S, 3), a clean picture in about [−1, 1]. Heun's method costs 2 · steps − 1 passes, the
  /// others `steps`.
  package func sample(
    _ denoiser: any Denoiser, labels: [Float], noise: [Float], draws: [UInt64]? = nil, threads: Int,
    checkCancellation: () throws -> Void = {}
  ) throws -> [Float] {
    let levels = try levels(denoiser.schedule)
    let start = Float(denoiser.schedule.start(levels[0]))
    return try integrate(
      denoiser, from: noise.map { $0 * start }, along: levels, labels: labels,
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
    let path = try path(denoiser.schedule, through: levels)
    let start = Float(denoiser.schedule.start(path[0]))
    let pictures = try integrate(
      denoiser, from: noise.map { $0 * start }, along: path,
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
      denoiser, from: x,
      along: path(denoiser.schedule, through: levels).filter { $0 <= sigma }, labels: labels,
      draws: draws, threads: threads, checkCancellation: checkCancellation)
  }

  private func path(_ schedule: NoiseSchedule, through more: [Double]) throws(SamplingError)
    -> [Double]
  {
    let levels = try levels(schedule)
    return Set(levels + more.filter { $0 > 0 && $0 <= levels[0] }).sorted(by: >)
  }

  /// - Parameter visit: is told the state at every level before the last.
  private func integrate(
    _ denoiser: any Denoiser, from start: [Float], along levels: [Double], labels: [Float],
    draws: [UInt64]?, threads: Int, checkCancellation: () throws -> Void,
    visit: (_ sigma: Double, _ x: [Float]) -> Void = { _, _ in }
  ) throws -> [Float] {
    let count = start.count / denoiser.shape.pictureCount
    var batch = NoisedBatch(
      x: [], sigma: [Float](repeating: 0, count: count), labels: labels, draws: draws)
    return try follow(start, along: levels, checkCancellation, visit) { x, sigma in
      batch.x = x
      for n in 0..<count { batch.sigma[n] = sigma }
      return try denoiser.denoise(batch, threads: threads)
    }
  }

  /// Steps along falling noise levels of which the last is 0.
  func follow(
    _ start: [Float], along levels: [Double], _ checkCancellation: () throws -> Void,
    _ visit: (_ sigma: Double, _ x: [Float]) -> Void,
    denoise: (_ x: [Float], _ sigma: Float) throws -> [Float]
  ) throws -> [Float] {
    var x = start
    for i in levels.indices.dropLast() {
      try checkCancellation()
      visit(levels[i], x)
      let sigma = Float(levels[i])
      let next = Float(levels[i + 1])
      let start = x
      let first = try denoise(start, sigma)
      for j in start.indices {
        x[j] = start[j] + (next - sigma) * (start[j] - first[j]) / sigma
      }
      // At σ = 0 there is no slope to average with.
      if next == 0 { break }
      if method != .heun { continue }
      let second = try denoise(x, next)
      for j in start.indices {
        let slope = (start[j] - first[j]) / sigma
        let nextSlope = (x[j] - second[j]) / next
        x[j] = start[j] + (next - sigma) * (slope + nextSlope) / 2
      }
    }
    return x
  }
}

/// Of fields.
extension Sampler {
  /// Draws N fields from standard normal `noise`, (N, C, H, W), for `labels`, (N, entries); what gives endpoints does
  /// so in its one step.
  ///
  /// - Parameter guidance: of scale g beyond 1, with a second pass for ∅.
  package func sample(
    _ model: some FieldDenoiser, labels: [Float], noise: [Float], guidance: Guidance? = nil,
    checkCancellation: () throws -> Void = {}
  ) throws -> [Float] {
    let schedule = model.schedule
    let count = noise.count / model.fieldShape.count
    func denoise(_ x: [Float], _ sigma: Float) throws -> [Float] {
      let sigmas = [Float](repeating: sigma, count: count)
      let told = try model.denoise(FieldBatch(x: x, sigma: sigmas, labels: labels))
      guard let guidance, guidance.applies(at: sigma) else { return told }
      let blank = try model.denoise(
        FieldBatch(x: x, sigma: sigmas, labels: [Float](repeating: 0, count: labels.count)))
      let scale = Float(guidance.scale)
      return zip(blank, told).map { $0 + scale * ($1 - $0) }
    }
    let levels = try levels(schedule)
    let start = Float(schedule.start(levels[0]))
    let x = noise.map { $0 * start }
    if model.givesEndpoints {
      try checkCancellation()
      return try denoise(x, Float(levels[0]))
    }
    return try follow(x, along: levels, checkCancellation, { _, _ in }, denoise: denoise)
  }
}
