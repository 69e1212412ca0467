import Foundation
import Streams
import Testing

@testable import Diffusion

@Suite("Networks of random weights")
struct UntrainedTests {
  private let shape = PictureShape(size: 16, cells: 8)

  private func batch(_ labels: [Int], changed pixel: Int? = nil) -> NoisedBatch {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    var x = (0..<shape.pictureCount).map { _ in stream.gaussian() }
    if let pixel { x[pixel * 3] += 1 }
    var conditioner = [Float](repeating: 0, count: shape.conditionerCount)
    for cell in labels { conditioner[cell] = 1 }
    return NoisedBatch(x: x, sigma: [2], labels: conditioner, draws: [0])
  }

  @Test(
    "depend on pixels and labels as far as they reach and no further, and are the seed's",
    arguments: [
      NetworkDescription.Architecture.unet(
        width: 8, conditioning: .grid, normalization: .group, attention: true),
      .unet(width: 8, conditioning: .vector, normalization: .pixel, attention: false),
      .local(width: 8, dilations: [1, 1]),
      .patchwise(width: 8, reach: 2, normalization: .pixel, attention: true),
    ])
  func reach(_ architecture: NetworkDescription.Architecture) throws {
    let description = NetworkDescription(architecture, shape: shape)
    let denoiser = try untrainedDenoiser(description, seed: 3)
    let plain = try denoiser.denoise(batch([9]), threads: 1)
    #expect(try untrainedDenoiser(description, seed: 3).denoise(batch([9]), threads: 2) == plain)
    #expect(try untrainedDenoiser(description, seed: 4).denoise(batch([9]), threads: 1) != plain)
    // Pixel 0 is changed, then the label of cell 9 is taken away: rows 2 and 3, columns 2 and 3.
    let reach = architecture.reach(cellSize: 2)
    let others = [
      (try denoiser.denoise(batch([9], changed: 0), threads: 1), [(0, 0)], reach?.pixels),
      (try denoiser.denoise(batch([]), threads: 1), [(2, 2), (3, 3)], reach?.labels),
    ]
    for (other, places, reach) in others {
      var farthest = 0
      for pixel in 0..<256
      where (0..<3).contains(where: { abs(plain[pixel * 3 + $0] - other[pixel * 3 + $0]) > 1e-4 }) {
        let (row, column) = pixel.quotientAndRemainder(dividingBy: 16)
        farthest = max(farthest, places.map { max(abs($0.0 - row), abs($0.1 - column)) }.min() ?? 0)
      }
      #expect(farthest == reach ?? farthest)
      #expect(farthest > 2, "\(farthest)")
    }
  }
}
