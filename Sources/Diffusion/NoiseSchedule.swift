import Formats
import Foundation

/// The noise levels that a denoiser takes.
package struct NoiseSchedule: Sendable, Hashable {
  /// The lowest and the highest σ.
  package var low: Double
  package var high: Double
  /// σ of its own times 0, 1, …, rising; none where it takes any σ.
  package var times: [Double]

  package init(low: Double, high: Double, times: [Double] = []) {
    self.low = low
    self.high = high
    self.times = times
  }

  /// Whatever a sampler asks for.
  package static let any = NoiseSchedule(low: 0, high: .infinity)

  /// By what standard normal noise is multiplied to begin with at a noise level: x₀ + σε has a variance of 1 + σ² where
  /// pictures have one of 1, as latents do, and a model of own times saw no less at its last one.
  func start(_ sigma: Double) -> Double {
    times.isEmpty ? sigma : (1 + sigma * sigma).squareRoot()
  }
}

/// How the path from noise to a picture is followed.
package enum SamplingMethod: String, Sendable, Hashable, Codable, CaseIterable {
  /// Heun's method along EDM's levels (Karras et al. 2022, algorithm 1).
  case heun
  /// Euler's along the same levels: one pass a step.
  case euler
  /// DDIM without noise (Song et al. 2021, eq. 12 with η = 0) along evenly spaced times of the model's own: in x/√ᾱ
  /// and σ it is Euler's method.
  case ddim
}

package enum SamplingError: CategorizedError, Hashable, CustomStringConvertible {
  case noTimes
  /// All that is asked for lies outside of what a denoiser takes.
  case range(low: Double, high: Double)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .noTimes:
      "the sampler ddim goes by a model's own times, and this one takes any noise level; accepted: heun, euler"
    case .range(let low, let high):
      "the denoiser takes noise levels from \(low) to \(high), of which a sampler has none"
    }
  }
}
