import Testing

@testable import Diffusion

/// A network in which each word drives channels of its own: features in which scores are local by construction.
@Suite("Channels of words' own")
struct OwnChannelsTests {
  static let group = 4

  static func denoiser(
    _ normalization: NetworkDescription.Normalization, attention: Bool = false,
    conditioning: NetworkDescription.Conditioning = .words, middle: Int = 0
  ) throws -> NetworkDenoiser {
    try untrainedDenoiser(
      NetworkDescription(
        .unet(
          width: 8, conditioning: conditioning, normalization: normalization, attention: attention,
          middle: middle),
        shape: FeatureTests.shape), seed: 3)
  }

  @Test(
    "a word changes its own channels of the lowest level, and no bit of anything else there or before",
    arguments: NetworkDescription.Normalization.allCases)
  func local(normalization: NetworkDescription.Normalization) throws {
    let denoiser = try Self.denoiser(normalization, attention: normalization == .group)
    let shape = try denoiser.shape(of: .encoder2)
    #expect(shape.channels == 3 * Self.group && shape.height == 4)
    func features(_ told: [Float], _ level: NetworkLevel) throws -> [Float] {
      try denoiser.features(FeatureTests.batch([told]), at: level, threads: 1)
    }
    for told: [Float] in [[1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 1, 1]] {
      for word in 0..<3 where told[word] > 0 {
        var fewer = told
        fewer[word] = 0
        let (with, without) = (
          try features(told, .encoder2), try features(fewer, .encoder2)
        )
        for i in with.indices {
          let isOwn = i % shape.channels / Self.group == word
          if !isOwn { #expect(with[i] == without[i]) }
        }
        #expect(with != without)
        for level in [NetworkLevel.encoder0, .encoder1] {
          #expect(try features(told, level) == features(fewer, level))
        }
      }
    }
  }

  @Test("what comes after hears of words by these channels alone, bit for bit")
  func nothingElse() throws {
    let denoiser = try Self.denoiser(.pixel)
    let told = FeatureTests.batch([[1, 1, 0], [0, 0, 1], [0, 0, 0]])
    let other = FeatureTests.batch([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    let plain = try denoiser.denoise(told, threads: 2)
    let replaced = try denoiser.denoise(
      other, replacing: .encoder2,
      with: try denoiser.features(told, at: .encoder2, threads: 1), threads: 1)
    #expect(replaced == plain)
    #expect(try denoiser.denoise(other, threads: 1) != plain)
  }

  @Test("told at the same place by the same channels, but not its own, a word changes all of them")
  func shared() throws {
    let denoiser = try Self.denoiser(.pixel, conditioning: .lowest)
    let shape = try denoiser.shape(of: .encoder2)
    #expect(shape == (try Self.denoiser(.pixel).shape(of: .encoder2)))
    func features(_ told: [Float], _ level: NetworkLevel) throws -> [Float] {
      try denoiser.features(FeatureTests.batch([told]), at: level, threads: 1)
    }
    let told: [Float] = [1, 1, 0]
    for word in 0..<2 {
      var fewer = told
      fewer[word] = 0
      let (with, without) = (try features(told, .encoder2), try features(fewer, .encoder2))
      for channel in 0..<shape.channels {
        let places = stride(from: channel, to: with.count, by: shape.channels)
        #expect(places.contains { with[$0] != without[$0] }, "channel \(channel)")
      }
      for level in [NetworkLevel.encoder0, .encoder1] {
        #expect(try features(told, level) == features(fewer, level))
      }
    }
  }

  @Test("blocks in the middle come after the lowest level's features, and before anything else")
  func middle() throws {
    let (plain, more) = (try Self.denoiser(.pixel), try Self.denoiser(.pixel, middle: 2))
    let names = Set(more.weights.tensors().map(\.name))
      .subtracting(plain.weights.tensors().map(\.name))
    #expect(
      !names.isEmpty && names.allSatisfy { $0.hasPrefix("middle.0.") || $0.hasPrefix("middle.1.") })
    let batch = FeatureTests.batch([[1, 1, 0], [0, 1, 1]])
    for level in [NetworkLevel.encoder0, .encoder1, .encoder2] {
      #expect(
        try more.features(batch, at: level, threads: 1)
          == plain.features(batch, at: level, threads: 1))
    }
    #expect(
      try more.features(batch, at: .decoder0, threads: 1)
        != plain.features(batch, at: .decoder0, threads: 1))
  }

  @Test("channels are whole groups of four")
  func widths() {
    #expect([4, 8, 12, 16, 32].map(ownChannels(width:)) == [4, 4, 4, 8, 16])
  }
}
