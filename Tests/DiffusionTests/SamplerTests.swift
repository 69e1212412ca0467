import Foundation
import Streams
import Tensors
import Testing

@testable import Diffusion

/// A denoiser whose data are independent pixels of a known distribution.
private struct PixelwiseDenoiser: Denoiser {
  var shape = PictureShape(size: 16, cells: 4)
  var labelWindowArea: Double { 0 }
  /// E[clean | noised] of one value.
  var posteriorMean: @Sendable (_ x: Double, _ sigma: Double) -> Double

  func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    return batch.x.indices.map { i in
      let sigma = Double(batch.sigma[i / shape.pictureCount])
      return Float(posteriorMean(Double(batch.x[i]), sigma))
    }
  }

  func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    ([], [])
  }
}

@Suite("The sampler and EDM's preconditioning")
struct SamplerTests {
  private func draw(_ denoiser: PixelwiseDenoiser, pictures: Int, steps: Int) throws -> [Double] {
    var stream = RandomStream(seed: 8, purpose: .test, index: 0)
    let noise = (0..<pictures * denoiser.shape.pictureCount).map { _ in stream.gaussian() }
    let labels = [Float](repeating: 0, count: pictures * denoiser.shape.conditionerCount)
    return try HeunSampler(steps: steps).sample(
      denoiser, labels: labels, noise: noise, threads: 1
    ).map(Double.init)
  }

  /// The exact posterior mean of N(μ, s²): μ + s² / (s² + σ²) (x − μ).
  private static func gaussian(mean: Double, deviation: Double) -> PixelwiseDenoiser {
    PixelwiseDenoiser { x, sigma in
      let variance = deviation * deviation
      return mean + variance / (variance + sigma * sigma) * (x - mean)
    }
  }

  @Test("a Gaussian comes out with its mean and deviation")
  func gaussianData() throws {
    let values = try draw(Self.gaussian(mean: 0.3, deviation: 0.4), pictures: 40, steps: 40)
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n).squareRoot()
    // Five standard errors of 30,720 values.
    #expect(abs(mean - 0.3) < 5 * 0.4 / n.squareRoot() + 2e-3)
    #expect(abs(deviation - 0.4) < 5 * 0.4 / (2 * n).squareRoot() + 4e-3)
  }

  /// The exact flow maps noise z at σ_max to μ + (σ_max z − μ) s / √(s² + σ_max²): the error of Heun's
  /// method falls with the square of the steps.
  @Test("the error falls with the square of the number of steps")
  func order() throws {
    let (mean, deviation) = (0.3, 0.4)
    var stream = RandomStream(seed: 8, purpose: .test, index: 0)
    let noise = (0..<768).map { _ in Double(stream.gaussian()) }
    func error(_ steps: Int) throws -> Double {
      let values = try draw(
        Self.gaussian(mean: mean, deviation: deviation), pictures: 1, steps: steps)
      return zip(values, noise).map { value, z in
        let exact = mean + (80 * z - mean) * deviation / (deviation * deviation + 6400).squareRoot()
        return abs(value - exact)
      }.max() ?? 0
    }
    let ratio = try error(20) / error(40)
    #expect(ratio > 3.2 && ratio < 5)
  }

  /// Data ±a with equal chances: the posterior mean is a · tanh(a x / σ²).
  @Test("a two-point mixture comes out on its points, half on each")
  func mixture() throws {
    let a = 0.6
    let values = try draw(
      PixelwiseDenoiser { x, sigma in a * tanh(a * x / (sigma * sigma)) }, pictures: 40, steps: 40)
    let near = values.count { abs(abs($0) - a) < 0.02 }
    #expect(Double(near) > 0.995 * Double(values.count))
    let positive = Double(values.count { $0 > 0 })
    let n = Double(values.count)
    #expect(abs(positive - n / 2) < 5 * (n / 4).squareRoot())
  }

  @Test("noise levels run from σ_max to σ_min and end at 0")
  func schedule() {
    let sigmas = HeunSampler(steps: 18).sigmas
    #expect(sigmas.count == 19)
    #expect(abs(sigmas[0] - 80) < 1e-9 && abs(sigmas[17] - 0.002) < 1e-12 && sigmas[18] == 0)
    #expect(zip(sigmas, sigmas.dropFirst()).allSatisfy { $0 > $1 })
  }

  @Test("preconditioning has EDM's formulas", arguments: [0.002, 0.1, 0.5, 2, 80] as [Float])
  func preconditioning(sigma: Float) {
    let scale = Preconditioning(sigma: sigma)
    let (s, d) = (Double(sigma), 0.5)
    func close(_ a: Float, _ b: Double) -> Bool { abs(Double(a) / b - 1) < 1e-5 }
    #expect(close(scale.skip, d * d / (s * s + d * d)))
    #expect(close(scale.out, s * d / (s * s + d * d).squareRoot()))
    #expect(close(scale.input, 1 / (s * s + d * d).squareRoot()))
    #expect(close(scale.noise, log(s) / 4))
    #expect(close(scale.lossWeight, (s * s + d * d) / (s * d * s * d)))
  }

  @Test("batches that do not fit are refused by array")
  func validation() {
    let shape = PictureShape(size: 4, cells: 2)
    var batch = NoisedBatch(
      x: [Float](repeating: 0, count: 48), sigma: [1], labels: [0, 0, 0, 0])
    #expect(throws: Never.self) { try batch.validate(shape) }
    batch.sigma = [0]
    #expect(throws: DenoiserError.sigma(index: 0, value: 0)) { try batch.validate(shape) }
    batch.sigma = [1, 1]
    #expect(throws: DenoiserError.count(array: "x", found: 48, expected: 96)) {
      try batch.validate(shape)
    }
  }
}
