import Diffusion
import Statistics

/// How much of a layout is decided when a trajectory has come down to a noise level.
///
/// From one noise three pictures: P_A for labels A, P_B for labels B, and P for A down to σ and B from there
/// on. The share decided at σ is ‖P − P_B‖² / (‖P − P_A‖² + ‖P − P_B‖²): 0 where B is drawn as if nothing had
/// been before, 1 where it comes too late.
package struct LayoutDecision: Sendable, Hashable {
  package struct Level: Sendable, Hashable {
    package var sigma: Double
    /// The mean over layouts.
    package var share: Interval
  }

  /// By falling noise level.
  package let levels: [Level]

  /// The noise levels between which layout is decided: from the highest at which a tenth is, to the highest
  /// at which nine tenths are; `nil` where no level is low, or high, enough.
  package var range: ClosedRange<Double>? {
    guard let high = levels.first(where: { $0.share.value >= 0.1 })?.sigma,
      let low = levels.first(where: { $0.share.value >= 0.9 })?.sigma
    else { return nil }
    return low...high
  }

  /// - Parameters:
  ///   - labels, others: A and B, (N, C) each.
  ///   - states: of trajectories with A, as `Sampler.states` gives them.
  package init(
    _ denoiser: any Denoiser, _ sampler: Sampler, labels: [Float], others: [Float],
    noise: [Float], draws: [UInt64], pictures: [Float], states: [Double: [Float]], seed: UInt64,
    threads: Int, checkCancellation: () throws -> Void
  ) throws {
    let sigmas = states.keys.sorted(by: >)
    let plain = try sampler.states(
      denoiser, labels: others, noise: noise, draws: draws, at: sigmas, threads: threads,
      checkCancellation: checkCancellation
    ).pictures
    let size = denoiser.shape.pictureCount
    let count = pictures.count / size
    levels = try sigmas.map { sigma in
      let swapped = try sampler.resume(
        denoiser, from: states[sigma] ?? [], sigma: sigma, through: sigmas, labels: others,
        draws: draws, threads: threads, checkCancellation: checkCancellation)
      let each = (0..<count).map { n -> Double in
        var (first, second) = (0.0, 0.0)
        for i in n * size..<(n + 1) * size {
          first += Double(swapped[i] - pictures[i]) * Double(swapped[i] - pictures[i])
          second += Double(swapped[i] - plain[i]) * Double(swapped[i] - plain[i])
        }
        return first + second > 0 ? second / (first + second) : 0
      }
      let mean = Bootstrap(seed: seed).interval(
        strata: [0..<count], count: count, n: count
      ) { weights in
        zip(weights, each).reduce(0) { $0 + Double($1.0) * $1.1 } / Double(max(count, 1))
      }
      return Level(sigma: sigma, share: mean)
    }
  }
}
