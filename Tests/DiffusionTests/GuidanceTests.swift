import Foundation
import Streams
import Synchronization
import Testing

@testable import Diffusion

/// Independent Gaussian pixels whose mean is moved by what is told: D(c) is known in closed form, and so is
/// where guidance leads.
private struct ShiftedGaussian: Denoiser {
  var shape = PictureShape(size: 8, space: .set(words: ["left", "right"]))
  var labelWindowArea: Double { 64 }
  static let deviation = 0.4
  /// By how much a word moves the mean.
  static let shifts = [0.3, -0.2]
  /// Pictures that went through.
  let passes = Counter()

  final class Counter: Sendable {
    let count = Mutex(0)
  }

  func mean(_ labels: ArraySlice<Float>) -> Double {
    zip(labels, Self.shifts).reduce(0) { $0 + Double($1.0) * $1.1 }
  }

  func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    passes.count.withLock { $0 += batch.count }
    let v = Self.deviation * Self.deviation
    return (0..<batch.count).flatMap { n -> [Float] in
      let mu = mean(batch.labels[n * 2..<n * 2 + 2])
      let s = Double(batch.sigma[n] * batch.sigma[n])
      return batch.x[n * shape.pictureCount..<(n + 1) * shape.pictureCount].map {
        Float(mu + v / (v + s) * (Double($0) - mu))
      }
    }
  }

  func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    try batch.validate(shape, cotangent: cotangent)
    let v = Self.deviation * Self.deviation
    var result: (x: [Float], labels: [Float]) = ([], [])
    for n in 0..<batch.count {
      let s = Double(batch.sigma[n] * batch.sigma[n])
      let own = cotangent[n * shape.pictureCount..<(n + 1) * shape.pictureCount].map { Double($0) }
      result.x += own.map { Float(v / (v + s) * $0) }
      result.labels += Self.shifts.map { Float($0 * s / (v + s) * own.reduce(0, +)) }
    }
    return result
  }
}

@Suite("Guidance")
struct GuidanceTests {
  private let base = ShiftedGaussian()

  private func batch(sigmas: [Float], labels: [Float]) -> NoisedBatch {
    var stream = RandomStream(seed: 3, purpose: .test, index: 0)
    return NoisedBatch(
      x: (0..<sigmas.count * base.shape.pictureCount).map { _ in stream.gaussian() },
      sigma: sigmas, labels: labels)
  }

  @Test("a scale of 1 is the denoiser itself, and costs what it costs")
  func none() throws {
    #expect(Guidance(scale: 1, sigmas: [0.5, 2]) == nil)
    let same = base.guided(by: Guidance(scale: 1, sigmas: Guidance.wholeRange))
    #expect(same is ShiftedGaussian)
    let batch = batch(sigmas: [1, 2], labels: [1, 0, 0, 1])
    let plain = try base.denoise(batch, threads: 1)
    #expect(try same.denoise(batch, threads: 1) == plain)
    #expect(base.passes.count.withLock { $0 } == 4)
  }

  /// D is linear in the mean: guidance by g moves the mean by g times what the words do.
  @Test("it is D(∅) + g (D(c) − D(∅)) where it holds, and a pass more only there")
  func formula() throws {
    let guidance = try #require(Guidance(scale: 3, sigmas: [0.5, 2]))
    let batch = batch(
      sigmas: [0.4, 0.5, 2, 2.1, 1], labels: [1, 0, 1, 0, 0, 1, 1, 1, 0, 0])
    let found = try base.guided(by: guidance).denoise(batch, threads: 1)
    #expect(base.passes.count.withLock { $0 } == 5 + 2)
    let told = NoisedBatch(
      x: batch.x, sigma: batch.sigma, labels: [1, 0, 3, 0, 0, 3, 1, 1, 0, 0])
    let exact = try base.denoise(told, threads: 1)
    #expect(found.count == exact.count)
    #expect(zip(found, exact).allSatisfy { abs($0 - $1) < 1e-5 })
    // Outside the range, and told nothing: the denoiser's own result to the last bit.
    let plain = try base.denoise(batch, threads: 1)
    for n in [0, 3, 4] {
      let picture = n * base.shape.pictureCount..<(n + 1) * base.shape.pictureCount
      #expect(found[picture] == plain[picture])
    }
  }

  /// The exact flow of N(m, s²) ends at m + (σ_max z − m) s / √(s² + σ_max²), with m moved g times as far.
  @Test("pictures drawn under it have the mean moved g times as far")
  func samples() throws {
    let noise = batch(sigmas: [1], labels: [1, 0]).x
    let guidance = try #require(Guidance(scale: 2))
    let drawn = try Sampler(steps: 60).sample(
      base.guided(by: guidance), labels: [1, 0], noise: noise, threads: 1)
    let (m, s) = (2 * ShiftedGaussian.shifts[0], ShiftedGaussian.deviation)
    for (value, z) in zip(drawn, noise) {
      let exact = m + (80 * Double(z) - m) * s / (s * s + 6400).squareRoot()
      #expect(abs(Double(value) - exact) < 0.01)
    }
  }

  @Test("its gradients are those of its values")
  func gradients() throws {
    let guidance = try #require(Guidance(scale: 2.5))
    let guided = base.guided(by: guidance)
    let batch = batch(sigmas: [1, 0.7], labels: [1, 0, 0, 0])
    let cotangent = batch.x.map { $0 / 2 + 0.1 }
    let gradient = try guided.vectorJacobian(batch, cotangent: cotangent, threads: 1)
    #expect(gradient.x.count == batch.x.count && gradient.labels.count == 4)
    func value(_ batch: NoisedBatch) throws -> Double {
      try zip(guided.denoise(batch, threads: 1), cotangent).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    let step: Float = 0.125
    var moved = batch
    moved.labels[1] += step
    let slope = try (value(moved) - value(batch)) / Double(step)
    #expect(abs(slope - Double(gradient.labels[1])) < 1e-3)
    moved = batch
    moved.x[5] += step
    let other = try (value(moved) - value(batch)) / Double(step)
    #expect(abs(other - Double(gradient.x[5])) < 1e-3)
  }
}
