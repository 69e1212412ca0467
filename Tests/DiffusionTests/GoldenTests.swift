import Foundation
import Testing

@testable import Diffusion
@testable import Tensors

/// The reference networks in PyTorch and ours on the same weights and inputs: see
/// Golden/make_golden.py.
@Suite("Networks agree with the PyTorch reference")
struct GoldenTests {
  static let shape = PictureShape(size: 16, cells: 8)
  static let cases: [(name: String, architecture: NetworkDescription.Architecture)] = [
    (
      "unet-group-grid-attention",
      .unet(width: 8, conditioning: .grid, normalization: .group, attention: true)
    ),
    (
      "unet-group-vector",
      .unet(width: 8, conditioning: .vector, normalization: .group, attention: false)
    ),
    (
      "unet-pixel-grid",
      .unet(width: 8, conditioning: .grid, normalization: .pixel, attention: false)
    ),
    (
      "unet-pixel-vector-attention",
      .unet(width: 8, conditioning: .vector, normalization: .pixel, attention: true)
    ),
    ("local-dilated", .local(width: 8, dilations: [1, 2, 1])),
  ]

  func sine(_ count: Int, _ phase: Double) -> [Float] {
    (0..<count).map { Float(sin(0.7 * Double($0) + phase)) }
  }

  func golden(_ name: String) throws -> [Float] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Golden/\(name).f32"))
    return data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
  }

  /// (N, 3, S, S) → (N, S, S, 3).
  func channelsLast(_ values: [Float]) -> [Float] {
    let area = Self.shape.size * Self.shape.size
    return values.indices.map { i in
      let (n, rest) = i.quotientAndRemainder(dividingBy: 3 * area)
      return values[n * 3 * area + rest % 3 * area + rest / 3]
    }
  }

  func relativeDifference(_ a: [Float], _ b: [Float]) -> Float {
    let largest = b.map(abs).max() ?? 0
    return zip(a, b).map { abs($0 - $1) }.max().map { $0 / largest } ?? .infinity
  }

  @Test("outputs, input gradients and every parameter's gradient", arguments: 0..<5)
  func agreement(index: Int) throws {
    let (name, architecture) = Self.cases[index]
    let network = Network(NetworkDescription(architecture, shape: Self.shape))
    let weights = network.graph.makeWeights()
    try weights.load(
      weights.tensors().map { tensor in
        let count = tensor.values.count
        let fan = tensor.shape.count > 1 ? count / tensor.shape[0] : 4
        let offset: Float = tensor.name.contains("norm") && tensor.name.hasSuffix("weight") ? 1 : 0
        let phase = Double(tensor.name.utf8.reduce(0) { $0 + Int($1) } % 97)
        let values = sine(count, phase).map { offset + $0 / Float(fan).squareRoot() }
        return NamedTensor(name: tensor.name, shape: tensor.shape, values: values)
      })
    let pixels = 2 * Self.shape.pictureCount
    let cells = 2 * Self.shape.conditionerCount
    let batch = NoisedBatch(
      x: channelsLast(sine(pixels, 1).map { 2 * $0 }), sigma: [0.4, 3],
      labels: sine(cells, 2).map { $0 > 0.9 ? 1 : 0 })
    let cotangent = channelsLast(sine(pixels, 3))
    let denoiser = NetworkDenoiser(network: network, weights: weights)
    let expected = try golden(name)
    let d = try denoiser.denoise(batch, threads: 2)
    #expect(relativeDifference(d, channelsLast(Array(expected[..<pixels]))) < 1e-5)
    let gradient = try denoiser.vectorJacobian(batch, cotangent: cotangent, threads: 2)
    #expect(
      relativeDifference(
        gradient.x, channelsLast(Array(expected[pixels..<2 * pixels]))) < 2e-4)
    #expect(
      relativeDifference(
        gradient.labels, Array(expected[2 * pixels..<2 * pixels + cells])) < 2e-4)

    let gradients = Gradients(for: weights)
    let runner = NetworkRunner(network, gradients: true)
    for n in 0..<2 {
      let scale = Preconditioning(sigma: batch.sigma[n])
      let count = Self.shape.pictureCount
      var v = Array(cotangent[n * count..<(n + 1) * count])
      for i in v.indices { v[i] *= scale.out }
      runner.forward(
        weights, x: Array(batch.x[n * count..<(n + 1) * count]), scale,
        labels: Array(batch.labels[n * cells / 2..<(n + 1) * cells / 2]))
      runner.workspace.writeOutputGradient(v)
      runner.workspace.backward(weights, into: gradients)
    }
    let named = gradients.tensors(of: weights).sorted { $0.name < $1.name }
    let sums = named.map { tensor in
      zip(sine(tensor.values.count, 4), tensor.values).reduce(Float(0)) { $0 + $1.0 * $1.1 }
    }
    let golden = Array(expected[(2 * pixels + cells)...])
    #expect(sums.count == golden.count)
    for (tensor, (mine, theirs)) in zip(named, zip(sums, golden)) {
      let norm = tensor.values.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
      #expect(abs(mine - theirs) <= 1e-4 * max(norm, abs(theirs)), "\(name) \(tensor.name)")
    }
  }
}
