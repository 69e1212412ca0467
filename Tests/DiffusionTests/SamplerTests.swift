import Foundation
import Streams
import Tensors
import Testing

@testable import Diffusion

/// A denoiser whose data are independent pixels of a known distribution.
private struct PixelwiseDenoiser: Denoiser {
  var shape = PictureShape(size: 16, cells: 4)
  var labelWindowArea: Double { 0 }
  var schedule = NoiseSchedule.any
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
    return try Sampler(steps: steps).sample(
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

  /// Of a model of own times, at each of which it takes noise: the schedule of Stable Diffusion.
  private static let alphas: [Double] = {
    var product = 1.0
    return (0..<1000).map { t in
      let root = 0.00085.squareRoot()
      let beta = root + (0.012.squareRoot() - root) * Double(t) / 999
      product *= 1 - beta * beta
      return product
    }
  }()

  private func drawn(_ method: SamplingMethod, _ steps: Int, noise: [Float]) throws -> [Double] {
    var denoiser = Self.gaussian(mean: 0.3, deviation: 0.4)
    if method == .ddim {
      let times = Self.alphas.map { ((1 - $0) / $0).squareRoot() }
      denoiser.schedule = NoiseSchedule(low: times[0], high: times[999], times: times)
    }
    let labels = [Float](repeating: 0, count: denoiser.shape.conditionerCount)
    return try Sampler(steps: steps, method: method).sample(
      denoiser, labels: labels, noise: noise, threads: 1
    ).map(Double.init)
  }

  private static let someNoise: [Float] = {
    var stream = RandomStream(seed: 8, purpose: .test, index: 0)
    return (0..<768).map { _ in stream.gaussian() }
  }()

  @Test("Euler's error falls with the number of steps, and the picture is the same in the end")
  func euler() throws {
    let exact = Self.someNoise.map {
      0.3 + (80 * Double($0) - 0.3) * 0.4 / (0.16 + 6400).squareRoot()
    }
    func error(_ steps: Int) throws -> Double {
      zip(try drawn(.euler, steps, noise: Self.someNoise), exact).map { abs($0 - $1) }.max() ?? 0
    }
    let ratio = try error(100) / error(200)
    #expect(ratio > 1.7 && ratio < 2.3)
    #expect(try error(200) < 0.05)
  }

  /// Song et al. 2021, eq. 12, in its own variables: x̃ = √ᾱ x₀ + √(1 − ᾱ) ε.
  @Test("DDIM is what its authors write, and ends where the exact flow does")
  func ddim() throws {
    let steps = 50
    let chosen = (0..<steps).map { 999 * (steps - 1 - $0) / (steps - 1) }
    let written = Self.someNoise.map { noise -> Double in
      var x = Double(noise)
      for (place, time) in chosen.enumerated() {
        let alpha = Self.alphas[time]
        let before = place + 1 < steps ? Self.alphas[chosen[place + 1]] : 1
        let variance = 0.16
        let clean =
          0.3 + variance * alpha.squareRoot() / (variance * alpha + 1 - alpha)
          * (x - alpha.squareRoot() * 0.3)
        let told = (x - alpha.squareRoot() * clean) / (1 - alpha).squareRoot()
        x = before.squareRoot() * clean + (1 - before).squareRoot() * told
      }
      return x
    }
    let own = try drawn(.ddim, steps, noise: Self.someNoise)
    #expect(zip(own, written).allSatisfy { abs($0 - $1) < 1e-4 })
    let end = ((1 - Self.alphas[999]) / Self.alphas[999]).squareRoot()
    let exact = Self.someNoise.map {
      0.3 + (Double($0) * (1 + end * end).squareRoot() - 0.3) * 0.4
        / (0.16 + end * end).squareRoot()
    }
    let fine = try drawn(.ddim, 1000, noise: Self.someNoise)
    #expect(zip(fine, exact).allSatisfy { abs($0 - $1) < 0.01 })
  }

  @Test("a sampler keeps to what its denoiser takes, and DDIM to own times alone")
  func ranges() throws {
    let narrow = NoiseSchedule(low: 0.03, high: 14)
    let levels = try Sampler(steps: 10).levels(narrow)
    #expect(abs(levels[0] - 14) < 1e-9 && abs(levels[9] - 0.03) < 1e-9 && levels[10] == 0)
    #expect(try Sampler(steps: 10).levels(.any) == Sampler(steps: 10).sigmas)
    #expect(throws: SamplingError.noTimes) { try Sampler(method: .ddim).levels(narrow) }
    #expect(throws: SamplingError.self) {
      try Sampler().levels(NoiseSchedule(low: 100, high: 200))
    }
    let few = NoiseSchedule(low: 1, high: 4, times: [1, 2, 4])
    #expect(try Sampler(steps: 50, method: .ddim).levels(few) == [4, 2, 1, 0])
  }

  @Test("noise levels run from σ_max to σ_min and end at 0")
  func schedule() {
    let sigmas = Sampler(steps: 18).sigmas
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
