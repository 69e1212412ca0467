import Diffusion
import Foundation
import Testing

@testable import External

@Suite("External denoisers", .enabled(if: Peers.hasPython, "python3 is not here"))
struct ExternalDenoiserTests {
  private static let shape = PictureShape(size: 8, cells: 2)

  private static func batch(_ count: Int) -> NoisedBatch {
    let plain = PeerTests.batch(count)
    return NoisedBatch(x: plain.x, sigma: (0..<count).map { 0.7 + Float($0) }, labels: plain.labels)
  }

  private static func cotangent(_ count: Int) -> [Float] {
    (0..<count * 192).map { i -> Float in Float((i * 29) % 17) / 8 - 1 }
  }

  /// (N, 8, 8, 3) to (N, 3, 8, 8).
  private static func planes(_ values: [Float]) -> [Float] {
    (0..<values.count).map { i in
      let (n, channel, pixel) = (i / 192, i % 192 / 64, i % 64)
      return values[n * 192 + pixel * 3 + channel]
    }
  }

  @Test("a denoiser of σ is asked with planes and answers with pixels")
  func sigma() throws {
    let denoiser = try ExternalDenoiser(Peer(Peers.plain()))
    #expect(denoiser.shape == Self.shape)
    let batch = Self.batch(3)
    let found = Self.planes(try denoiser.denoise(batch, threads: 1))
    let expected = PeerTests.expected(
      Peer.Batch(x: Self.planes(batch.x), levels: batch.sigma, labels: batch.labels))
    #expect(PeerTests.largest(found, expected) < 1e-6)
  }

  @Test(
    "D = skip · x + out · F(in · x, t): what a model predicts of a known picture gives that picture back"
  )
  func conventions() throws {
    let alphas = (0..<12).map { 0.9999 * (1 - Double($0) / 12) }
    for predicts in NoiseConvention.Prediction.allCases {
      let convention = NoiseConvention.schedule(alphas: alphas, predicts: predicts)
      for time in 0..<12 {
        let alpha = alphas[time]
        let (clean, noise) = (0.3, -1.2)
        let sigma = NoiseConvention.sigma(alpha)
        let factors = try convention.factors(sigma)
        #expect(abs(factors.level - Double(time)) < 1e-9)
        let x = clean + sigma * noise
        let seen = alpha.squareRoot() * clean + (1 - alpha).squareRoot() * noise
        #expect(abs(factors.input * x - seen) < 1e-12)
        let answer =
          switch predicts {
          case .epsilon: noise
          case .velocity: alpha.squareRoot() * noise - (1 - alpha).squareRoot() * clean
          case .sample: clean
          }
        #expect(abs(factors.skip * x + factors.out * answer - clean) < 1e-12)
      }
      let between = try convention.factors(
        (NoiseConvention.sigma(alphas[4]) * NoiseConvention.sigma(alphas[5])).squareRoot())
      #expect(abs(between.level - 4.5) < 1e-9)
      #expect(throws: PeerError.self) { try convention.factors(80) }
    }
  }

  @Test(
    "gradients follow the convention: they are those of differences",
    arguments: ["", "epsilon", "v", "sample"])
  func gradients(predicts: String) throws {
    let options = predicts.isEmpty ? "batch=64" : "predicts=\(predicts)"
    let exact = try ExternalDenoiser(Peer(Peers.plain(options)))
    let estimated = try ExternalDenoiser(Peer(Peers.plain(options, "can=features")))
    #expect(exact.hasGradients && !estimated.hasGradients)
    var batch = Self.batch(2)
    batch.sigma = [0.7, 1.7]
    // One input twice, and another one.
    batch = batch.pictures([0, 0, 1], Self.shape)
    let cotangent = Self.cotangent(3)
    let a = try exact.vectorJacobian(batch, cotangent: cotangent, threads: 1)
    let b = try estimated.vectorJacobian(batch, cotangent: cotangent, threads: 1)
    #expect(PeerTests.largest(a.x, b.x) < 2e-3)
    let scale: Float = a.labels.map { abs($0) }.max() ?? 1
    #expect(PeerTests.largest(a.labels, b.labels) < 2e-3 * scale)
    let estimate = try #require(estimated.estimate)
    #expect(estimate.directions == 256 && estimate.all == 256)
    #expect(estimate.samplingError == 0 && estimate.stepError < 1e-2)
    #expect(exact.estimate == nil)
  }

  private static func square(_ values: [Float]) -> Float {
    values.reduce(0) { $0 + $1 * $1 }
  }

  @Test("with fewer directions the stated error is the one that is made")
  func error() throws {
    let exact = try ExternalDenoiser(Peer(Peers.plain()))
    let estimated = try ExternalDenoiser(Peer(Peers.plain("can=features")), directions: 128)
    let batch = Self.batch(1)
    let cotangent = Self.cotangent(1)
    let a = try exact.vectorJacobian(batch, cotangent: cotangent, threads: 1)
    let b = try estimated.vectorJacobian(batch, cotangent: cotangent, threads: 1)
    let (whole, part) = (a.x + a.labels, b.x + b.labels)
    let size = Self.square(whole)
    let made = (Self.square(zip(whole, part).map { $0 - $1 }) / size).squareRoot()
    let stated = try #require(estimated.estimate).samplingError
    #expect(stated > 0.3)
    #expect(abs(Double(made) / stated - 1) < 0.4, "made \(made), stated \(stated)")
  }
}
