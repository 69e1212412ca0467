import Diffusion
import Foundation

/// The exact posterior mean of a law of pictures, D*(x, σ) = E[x₀ ∣ x₀ + σε = x], estimated from renders of that
/// law by self-normalised importance sampling: Σ wₙ x₀ⁿ with wₙ ∝ vₙ exp(−‖x − x₀ⁿ‖² / 2σ²).
///
/// The error of an estimate falls with its effective sample size as 1/√ESS; its bias, from dividing by a sum that
/// is drawn too, as 1/ESS.
package struct ReferencePosterior: Sendable {
  private let pixels: [UInt8]
  private let logWeights: [Double]
  private let picture: Int

  /// - Parameters:
  ///   - pixels: (N, S, S, 3), bytes as rendered.
  ///   - logWeights: (N): the logarithms of vₙ, by which a render is more probable under the law than it was
  ///     when it was drawn, up to a constant.
  package init(pixels: [UInt8], logWeights: [Double]) {
    self.pixels = pixels
    self.logWeights = logWeights
    picture = pixels.count / max(logWeights.count, 1)
  }

  package struct Estimate: Sendable {
    /// (S, S, 3).
    package var mean: [Float]
    /// (Σw)² / Σw² (Kish 1965).
    package var effective: Double
  }

  /// From some of the renders. Costs two passes over their pixels.
  ///
  /// - Parameter x: (S, S, 3), noised.
  package func estimate(_ x: ArraySlice<Float>, sigma: Double, from renders: Range<Int>) -> Estimate
  {
    var logs = renders.map { logWeights[$0] - distance(x, $0) / (2 * sigma * sigma) }
    let largest = logs.max() ?? 0
    var (sum, squares) = (0.0, 0.0)
    for n in logs.indices {
      logs[n] = exp(logs[n] - largest)
      sum += logs[n]
      squares += logs[n] * logs[n]
    }
    var mean = [Float](repeating: 0, count: picture)
    for (n, weight) in zip(renders, logs) {
      let share = Float(weight / sum)
      // What float32 cannot tell beside the others.
      if share < 1e-12 { continue }
      let start = n * picture
      for i in mean.indices { mean[i] += share * TrainingSet.value(pixels[start + i]) }
    }
    return Estimate(mean: mean, effective: sum * sum / squares)
  }

  /// ‖x − x₀ⁿ‖², summed a row of 192 values at a time: in float32 alone a sum of thousands loses digits that
  /// small σ ask for.
  private func distance(_ x: ArraySlice<Float>, _ render: Int) -> Double {
    let row = 192
    return x.withUnsafeBufferPointer { x in
      pixels.withUnsafeBufferPointer { pixels in
        var sum = 0.0
        var start = 0
        let offset = render * picture
        while start < picture {
          let end = min(start + row, picture)
          var lanes = SIMD16<Float>()
          var i = start
          while i + 16 <= end {
            var difference = SIMD16<Float>()
            for lane in 0..<16 {
              difference[lane] = x[i + lane] - TrainingSet.value(pixels[offset + i + lane])
            }
            lanes += difference * difference
            i += 16
          }
          var rest: Float = 0
          while i < end {
            let difference = x[i] - TrainingSet.value(pixels[offset + i])
            rest += difference * difference
            i += 1
          }
          sum += Double(lanes.sum() + rest)
          start = end
        }
        return sum
      }
    }
  }
}
