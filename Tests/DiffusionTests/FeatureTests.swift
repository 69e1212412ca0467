import Streams
import Testing

@testable import Diffusion

@Suite("Features of a network")
struct FeatureTests {
  static let shape = PictureShape(size: 16, space: .set(words: ["red", "blue", "green"]))

  static func denoiser(
    _ normalization: NetworkDescription.Normalization = .pixel, attention: Bool = false
  )
    throws -> NetworkDenoiser
  {
    try untrainedDenoiser(
      NetworkDescription(
        .unet(
          width: 8, conditioning: .channels, normalization: normalization, attention: attention),
        shape: shape), seed: 3)
  }

  static func batch(_ labels: [[Float]], sigma: Float = 2) -> NoisedBatch {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    return NoisedBatch(
      x: (0..<labels.count * shape.pictureCount).map { _ in sigma * stream.gaussian() },
      sigma: [Float](repeating: sigma, count: labels.count), labels: labels.flatMap { $0 })
  }

  static let told: [[Float]] = [[0, 0, 0], [1, 0, 0], [1, 0, 1]]

  @Test(
    "a pass whose features are replaced by its own is that pass, bit for bit",
    arguments: NetworkLevel.allCases)
  func own(level: NetworkLevel) throws {
    for (normalization, attention) in [
      (NetworkDescription.Normalization.pixel, false), (.group, true),
    ] {
      let denoiser = try Self.denoiser(normalization, attention: attention)
      let batch = Self.batch(Self.told)
      let plain = try denoiser.denoise(batch, threads: 2)
      let features = try denoiser.features(batch, at: level, threads: 2)
      let shape = try denoiser.shape(of: level)
      #expect(features.count == 3 * shape.count)
      // Runners are used again: nothing may be left of another pass.
      let replaced = try denoiser.denoise(batch, replacing: level, with: features, threads: 1)
      #expect(replaced == plain)
      #expect(try denoiser.denoise(batch, threads: 1) == plain)
      #expect(try denoiser.features(batch, at: level, threads: 1) == features)
    }
  }

  @Test(
    "features of another pass give another picture, and are told of by words",
    arguments: NetworkLevel.allCases)
  func others(level: NetworkLevel) throws {
    let denoiser = try Self.denoiser()
    let batch = Self.batch(Self.told)
    let count = try denoiser.shape(of: level).count
    var empty = batch
    empty.labels = [Float](repeating: 0, count: batch.labels.count)
    let plain = try denoiser.denoise(batch, threads: 1)
    let features = try denoiser.features(batch, at: level, threads: 1)
    let none = try denoiser.features(empty, at: level, threads: 1)
    #expect(Array(features.prefix(count)) == Array(none.prefix(count)))
    #expect(Array(features.suffix(count)) != Array(none.suffix(count)))
    let replaced = try denoiser.denoise(batch, replacing: level, with: none, threads: 1)
    let pixels = Self.shape.pictureCount
    #expect(Array(replaced.prefix(pixels)) == Array(plain.prefix(pixels)))
    #expect(Array(replaced.suffix(pixels)) != Array(plain.suffix(pixels)))
    // All but what comes after the last level is told of words, too.
    let blank = try denoiser.denoise(empty, threads: 1)
    #expect(
      (Array(replaced.suffix(pixels)) == Array(blank.suffix(pixels))) == (level == .decoder1))
  }

  @Test("levels are as large as the network's")
  func shapes() throws {
    let denoiser = try Self.denoiser()
    let shapes = try NetworkLevel.allCases.map { try denoiser.shape(of: $0) }
    #expect(shapes.map(\.height) == [16, 8, 4, 8, 16])
    #expect(shapes.map(\.width) == [16, 8, 4, 8, 16])
    #expect(shapes.map(\.channels) == [8, 16, 16, 16, 8])
  }

  @Test("a network without levels, and features of another size, are refused")
  func refused() throws {
    let grid = PictureShape(size: 16, cells: 4)
    let local = try untrainedDenoiser(
      NetworkDescription(.local(width: 8, dilations: [1]), shape: grid), seed: 1)
    #expect(throws: NetworkLevelError.missing(.encoder2, found: [])) {
      try local.shape(of: .encoder2)
    }
    let denoiser = try Self.denoiser()
    #expect(throws: NetworkLevelError.count(.encoder2, found: 2, expected: 3 * 256)) {
      try denoiser.denoise(
        Self.batch(Self.told), replacing: .encoder2, with: [0, 0], threads: 1)
    }
  }
}
