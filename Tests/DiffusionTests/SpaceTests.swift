import Formats
import Foundation
import Streams
import Testing

@testable import Diffusion

/// Conditioners that say what occurs, not where: CLEVR's colours.
@Suite("Conditioner spaces")
struct SpaceTests {
  static let colors = ["gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow"]
  static let shape = PictureShape(size: 16, space: .set(words: colors))

  static func data() throws -> TrainingSet {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    return try TrainingSet(
      shape: shape,
      pixels: (0..<16 * shape.pictureCount).map { _ in UInt8(stream.integer(below: 256)) },
      conditioners: (0..<16 * shape.conditionerCount).map { _ in
        UInt8(stream.integer(below: 3))
      })
  }

  static func trainer(
    _ architecture: NetworkDescription.Architecture, labelling: Labelling = .all,
    balance: Double = 0
  ) throws -> Trainer {
    let settings = TrainingSettings(
      pictures: 16, batch: 8, learningRate: 3e-3, warmUp: 8, decayAfter: 1000, coolDown: 0,
      sigmaMean: 0,
      sigmaDeviation: 1.2, labelling: labelling, labelDropout: 0.1, balance: balance)
    return try Trainer(
      NetworkDescription(architecture, shape: shape), settings, data: try data(), seed: 3)
  }

  static let vector = NetworkDescription.Architecture.unet(
    width: 8, conditioning: .vector, normalization: .pixel, attention: false)

  static let channels = NetworkDescription.Architecture.unet(
    width: 8, conditioning: .channels, normalization: .group, attention: true)

  static let own = NetworkDescription.Architecture.unet(
    width: 8, conditioning: .words, normalization: .pixel, attention: false)

  @Test(
    "what a word does is the slope of it, by the embedding, by channels and by its own channels")
  func slopes() throws {
    for architecture in [Self.vector, Self.channels, Self.own] {
      let trainer = try Self.trainer(architecture)
      while !trainer.isFinished { _ = try trainer.step(threads: 2) }
      let denoiser = try trainer.denoiser()
      var stream = RandomStream(seed: 4, purpose: .test, index: 0)
      let x = (0..<Self.shape.pictureCount).map { _ in stream.gaussian() }
      let cotangent = x.map { _ in stream.gaussian() }
      func value(_ red: Float) throws -> Double {
        let batch = NoisedBatch(x: x, sigma: [1], labels: [0, red, 0, 1, 0, 0, 0, 0])
        return try zip(denoiser.denoise(batch, threads: 1), cotangent).reduce(0) {
          $0 + Double($1.0) * Double($1.1)
        }
      }
      let gradient = try denoiser.vectorJacobian(
        NoisedBatch(x: x, sigma: [1], labels: [0, 0.5, 0, 1, 0, 0, 0, 0]), cotangent: cotangent,
        threads: 1)
      let slope = try (value(0.5 + 0.05) - value(0.5 - 0.05)) / 0.1
      #expect(abs(slope - Double(gradient.labels[1])) < 0.02 * max(abs(slope), 0.1), "\(slope)")
      #expect(abs(slope) > 1e-4)
    }
  }

  @Test(
    "a U-Net on words trains a step, heeds its words, and survives its file",
    arguments: Labelling.allCases, [vector, channels, own])
  func words(labelling: Labelling, architecture: NetworkDescription.Architecture) throws {
    let trainer = try Self.trainer(architecture, labelling: labelling)
    while !trainer.isFinished { _ = try trainer.step(threads: 2) }
    let denoiser = try trainer.denoiser()
    let file = WeightsFile(
      denoiser: denoiser, origin: TrainingOrigin(labelling: labelling, objects: 1...3))
    let back = try WeightsFile(data: file.data())
    #expect(back.denoiser.shape == Self.shape)
    #expect(back.denoiser.weights.tensors() == denoiser.weights.tensors())

    var stream = RandomStream(seed: 2, purpose: .test, index: 0)
    let x = (0..<Self.shape.pictureCount).map { _ in stream.gaussian() }
    func batch(_ labels: [Float]) -> NoisedBatch { NoisedBatch(x: x, sigma: [1], labels: labels) }
    let red: [Float] = [0, 1, 0, 0, 0, 0, 0, 0]
    let drawn = try denoiser.denoise(batch(red), threads: 1)
    #expect(try back.denoiser.denoise(batch(red), threads: 1) == drawn)
    let gradient = try denoiser.vectorJacobian(batch(red), cotangent: x, threads: 1)
    #expect(gradient.labels.count == 8)
    if labelling != .none {
      #expect(try denoiser.denoise(batch(red.reversed()), threads: 1) != drawn)
    }
    #expect(throws: DenoiserError.self) {
      try denoiser.denoise(batch([Float](repeating: 0, count: 64)), threads: 1)
    }
  }

  @Test("networks and losses that go by places are refused for words, in a sentence")
  func refused() throws {
    let error = NoPlaces(Self.shape.space)
    for architecture: NetworkDescription.Architecture in [
      .unet(width: 8, conditioning: .grid, normalization: .group, attention: true),
      .local(width: 8, dilations: [1]),
    ] {
      #expect(throws: error) {
        try Network(NetworkDescription(architecture, shape: Self.shape))
      }
      #expect(throws: error) { try Self.trainer(architecture) }
    }
    #expect(throws: error) { try Self.trainer(Self.vector, balance: 2) }
    #expect(error.description.contains("a set of 8 words"))
    #expect(error.description.contains("a grid of cells"))
  }

  @Test("a weights file says cells or words, not both, and its words are different ones")
  func metadata() throws {
    let origin = TrainingOrigin(labelling: .all, objects: 1...1)
    let denoiser = try Self.trainer(Self.vector).denoiser()
    let good = try Safetensors(data: WeightsFile(denoiser: denoiser, origin: origin).data())
    #expect(good.metadata["cells"] == nil)
    #expect(good.metadata["words"]?.hasPrefix("[\"gray\",\"red\"") == true)
    func refusal(_ change: (inout [String: String]) -> Void) -> String {
      var file = good
      change(&file.metadata)
      do {
        _ = try WeightsFile(data: file.data())
        return "accepted"
      } catch {
        return error.description
      }
    }
    #expect(refusal { _ in } == "accepted")
    #expect(refusal { $0["cells"] = "4" }.contains("nothing beside words"))
    #expect(refusal { $0["words"] = nil }.contains("lacks cells"))
    for words in ["", "[]", "red,blue", "[\"red\",\"red\"]", "[\"\"]", "[1]"] {
      #expect(refusal { $0["words"] = words }.contains("1 to 4096 different words"))
    }
    #expect(refusal { $0["words"] = "[\"red\"]" }.contains("label.0.weight"))
    #expect(refusal { $0["conditioning"] = "grid" }.contains("a grid of cells"))
  }

  @Test("places exist where conditioners are cells, and nowhere else")
  func places() throws {
    #expect(Self.shape.grid == nil && Self.shape.conditionerCount == 8)
    #expect(throws: NoPlaces(Self.shape.space)) { try Self.shape.places() }
    let shape = PictureShape(size: 12, cells: 4)
    let grid = try shape.places()
    #expect(shape.grid == grid && grid.cellSize == 3 && grid.count == shape.conditionerCount)
    for cell in 0..<grid.count {
      let (row, column) = (grid.row(cell), grid.column(cell))
      #expect(
        grid.cell(row: row, column: column) == cell && grid.contains(row: row, column: column))
      let center = grid.center(cell)
      #expect(center == (Double(3 * row) + 1.5, Double(3 * column) + 1.5))
      #expect(grid.centerInHalfPixels(cell) == (6 * row + 3, 6 * column + 3))
      let pixel = grid.centerPixel(cell)
      #expect(pixel == (3 * row + 1, 3 * column + 1))
      #expect(grid.cell(pixelRow: pixel.row, pixelColumn: pixel.column) == cell)
      #expect(grid.cell(x: center.x / 12, y: center.y / 12) == cell)
    }
    #expect(grid.cell(x: 1, y: 1) == 15 && !grid.contains(row: 4, column: 0))
  }
}
