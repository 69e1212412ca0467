import Foundation

@testable import Diffusion
@testable import Tensors

/// A reference network with weights and inputs that both sides make: see Golden/make_golden.py.
struct GoldenCase: Sendable, CustomStringConvertible {
  let name: String
  let architecture: NetworkDescription.Architecture

  static let shape = PictureShape(size: 16, cells: 8)
  static let sigmas = [0.4, 3.0]
  static let all = [
    GoldenCase(
      name: "unet-group-grid-attention",
      architecture: .unet(width: 8, conditioning: .grid, normalization: .group, attention: true)),
    GoldenCase(
      name: "unet-group-vector",
      architecture: .unet(width: 8, conditioning: .vector, normalization: .group, attention: false)),
    GoldenCase(
      name: "unet-pixel-grid",
      architecture: .unet(width: 8, conditioning: .grid, normalization: .pixel, attention: false)),
    GoldenCase(
      name: "unet-pixel-vector-attention",
      architecture: .unet(width: 8, conditioning: .vector, normalization: .pixel, attention: true)),
    GoldenCase(name: "local-dilated", architecture: .local(width: 8, dilations: [1, 2, 1])),
  ]

  var description: String { name }

  var network: Network {
    get throws { try Network(NetworkDescription(architecture, shape: Self.shape)) }
  }

  static func sine(_ count: Int, _ phase: Double) -> [Double] {
    (0..<count).map { sin(0.7 * Double($0) + phase) }
  }

  /// A parameter's values before rounding to float32.
  static func parameter(_ name: String, _ dimensions: [Int]) -> [Double] {
    let count = dimensions.reduce(1, *)
    let fan = dimensions.count > 1 ? count / dimensions[0] : 4
    let offset: Double = name.contains("norm") && name.hasSuffix("weight") ? 1 : 0
    let phase = Double(name.utf8.reduce(0) { $0 + Int($1) } % 97)
    return sine(count, phase).map { offset + $0 / Double(fan).squareRoot() }
  }

  func weights(_ network: Network) throws -> Weights {
    let weights = network.graph.makeWeights()
    try weights.load(
      weights.tensors().map { tensor in
        NamedTensor(
          name: tensor.name, shape: tensor.shape,
          values: Self.parameter(tensor.name, tensor.shape).map(Float.init))
      })
    return weights
  }

  /// (N, 3, S, S) → (N, S, S, 3).
  static func channelsLast<T>(_ values: [T]) -> [T] {
    let area = shape.size * shape.size
    return values.indices.map { i in
      let (n, rest) = i.quotientAndRemainder(dividingBy: 3 * area)
      return values[n * 3 * area + rest % 3 * area + rest / 3]
    }
  }

  /// (2, S, S, 3).
  static let x = channelsLast(sine(2 * shape.pictureCount, 1).map { 2 * $0 })
  /// (2, G, G).
  static let labels = sine(2 * shape.conditionerCount, 2).map { $0 > 0.9 ? 1.0 : 0 }
  static let cotangent = channelsLast(sine(2 * shape.pictureCount, 3))

  static var batch: NoisedBatch {
    NoisedBatch(
      x: x.map(Float.init), sigma: sigmas.map(Float.init), labels: labels.map(Float.init))
  }

  /// What PyTorch computed in float64 and wrote as float32.
  func golden() throws -> [Float] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Golden/\(name).f32"))
    return data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
  }

  /// Of picture `n`, before rounding to float32: what enters the graph, and D from F.
  func exactInputs(_ network: Network, _ n: Int) -> (
    values: [Value: [Double]], denoised: ([Double]) -> [Double]
  ) {
    let shape = Self.shape
    let (sigma, data) = (Self.sigmas[n], 0.5)
    let total = sigma * sigma + data * data
    let pixels = Array(Self.x[n * shape.pictureCount..<(n + 1) * shape.pictureCount])
    let cells = Array(
      Self.labels[n * shape.conditionerCount..<(n + 1) * shape.conditionerCount])
    var image: [Double] = []
    for row in 0..<shape.size {
      for column in 0..<shape.size {
        let place = (row * shape.size + column) * 3
        image += pixels[place..<place + 3].map { $0 / total.squareRoot() }
        if case .map(let grid) = network.labels {
          image.append(cells[row / grid.cellSize * grid.cells + column / grid.cellSize])
        }
        if network.image.channels == 6 {
          image += [column, row].map { (Double($0) + 0.5) / Double(shape.size) * 2 - 1 }
        }
      }
    }
    let angles = (0..<16).map { log(sigma) / 4 * exp(log(100.0) * Double($0) / 15) }
    var values = [network.image: image, network.fourier: angles.map(sin) + angles.map(cos)]
    if case .vector(let value) = network.labels { values[value] = cells }
    return (
      values,
      { f in
        zip(pixels, f).map {
          data * data / total * $0 + sigma * data / total.squareRoot() * $1
        }
      }
    )
  }
}
