import Streams
import Testing

@testable import Diffusion

@Suite("Pictures as fields")
struct PictureFieldTests {
  private static let shape = FeatureTests.shape

  private static func gaussians(_ count: Int, _ index: UInt64) -> [Float] {
    var stream = RandomStream(seed: 5, purpose: .test, index: index)
    return (0..<count).map { _ in stream.gaussian() }
  }

  @Test("a field is the picture with its channels first, and so is what is made of it")
  func turned() throws {
    let denoiser = try FeatureTests.denoiser()
    let field = PictureField(denoiser, threads: 1)
    #expect(field.fieldShape == FieldShape(channels: 3, height: 16, width: 16, entries: 3))
    let batch = FeatureTests.batch(FeatureTests.told)
    let first = field.channelsFirst(batch.x)
    let places = 16 * 16
    for (n, place, channel) in [(0, 0, 0), (1, 37, 2), (2, 255, 1)] {
      #expect(
        first[(n * 3 + channel) * places + place] == batch.x[(n * places + place) * 3 + channel])
    }
    let whole = try field.denoise(FieldBatch(x: first, sigma: batch.sigma, labels: batch.labels))
    #expect(whole == field.channelsFirst(try denoiser.denoise(batch, threads: 1)))
  }

  @Test("its gradient is that of differences")
  func gradient() throws {
    let field = PictureField(try FeatureTests.denoiser(), threads: 1)
    let count = field.fieldShape.count
    let x = Self.gaussians(count, 0)
    let direction = Self.gaussians(count, 1)
    let cotangent = Self.gaussians(count, 2)
    func denoised(_ step: Float) throws -> [Float] {
      try field.denoise(
        FieldBatch(
          x: zip(x, direction).map { $0 + step * $1 }, sigma: [1], labels: [1, 0, 1]))
    }
    let (above, below) = (try denoised(0.01), try denoised(-0.01))
    let difference = zip(cotangent, zip(above, below)).reduce(0.0) {
      $0 + Double($1.0) * Double($1.1.0 - $1.1.1) / 0.02
    }
    let gradient = try field.gradient(
      FieldBatch(x: x, sigma: [1], labels: [1, 0, 1]), cotangent: cotangent)
    let product = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    #expect(abs(product - difference) < 2e-3 * max(1, abs(difference)))
  }
}
