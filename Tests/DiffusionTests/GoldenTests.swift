import Foundation
import Testing

@testable import Diffusion
@testable import Tensors
@testable import Vectors

/// The reference networks in PyTorch and ours on the same weights and inputs: see
/// Golden/make_golden.py.
///
/// What a network makes of its inputs is compared in RoundingTests, where a float64 evaluation stands
/// between: PyTorch's outputs are of unrounded weights and inputs, and the rounding of the inputs alone
/// moves an output by up to 8e-6 of the largest, as much as all kernels do. So it is with gradients: where
/// they are further from PyTorch's than half of what kernels may be, the derivative in real numbers at the
/// rounded weights and inputs stands between, and both are held to it.
@Suite("Networks agree with the PyTorch reference")
struct GoldenTests {
  func relativeDifference(_ a: [Float], _ b: [Float]) -> Float {
    let largest = b.map(abs).max() ?? 0
    return zip(a, b).map { abs($0 - $1) }.max().map { $0 / largest } ?? .infinity
  }

  @Test("D is what the preconditioning makes of F", arguments: GoldenCase.all)
  func preconditioning(golden: GoldenCase) throws {
    let network = try golden.network
    let weights = try golden.weights(network)
    let batch = GoldenCase.batch
    let d = try NetworkDenoiser(network: network, weights: weights).denoise(batch, threads: 2)
    let runner = NetworkRunner(network, gradients: false)
    let count = GoldenCase.shape.pictureCount
    let cells = GoldenCase.shape.conditionerCount
    for n in 0..<2 {
      let scale = Preconditioning(sigma: batch.sigma[n])
      let x = Array(batch.x[n * count..<(n + 1) * count])
      runner.forward(
        weights, x: x, scale, labels: Array(batch.labels[n * cells..<(n + 1) * cells]))
      let total = GoldenCase.sigmas[n] * GoldenCase.sigmas[n] + 0.25
      for (i, f) in runner.output.array.enumerated() {
        let kept = 0.25 / total * Double(x[i])
        let made = GoldenCase.sigmas[n] / 2 / total.squareRoot() * Double(f)
        #expect(
          abs(Double(d[n * count + i]) - kept - made) <= 8 * 0x1p-24 * (abs(kept) + abs(made)))
      }
    }
  }

  @Test("input gradients and every parameter's gradient", arguments: GoldenCase.all)
  func gradients(golden: GoldenCase) throws {
    let network = try golden.network
    let weights = try golden.weights(network)
    let count = GoldenCase.shape.pictureCount
    let (pixels, cells) = (2 * count, 2 * GoldenCase.shape.conditionerCount)
    let batch = GoldenCase.batch
    let cotangent = GoldenCase.cotangent.map(Float.init)
    let denoiser = NetworkDenoiser(network: network, weights: weights)
    let expected = try golden.golden()
    let gradient = try denoiser.vectorJacobian(batch, cotangent: cotangent, threads: 2)
    #expect(
      relativeDifference(
        gradient.x, GoldenCase.channelsLast(Array(expected[pixels..<2 * pixels]))) < 2e-4)
    #expect(
      relativeDifference(
        gradient.labels, Array(expected[2 * pixels..<2 * pixels + cells])) < 2e-4)

    let gradients = Gradients(for: weights)
    let runner = NetworkRunner(network, gradients: true)
    var (inputs, cotangents): ([[Value: [Double]]], [[Float]]) = ([], [])
    for n in 0..<2 {
      let scale = Preconditioning(sigma: batch.sigma[n])
      var v = Array(cotangent[n * count..<(n + 1) * count])
      for i in v.indices { v[i] *= scale.out }
      runner.forward(
        weights, x: Array(batch.x[n * count..<(n + 1) * count]), scale,
        labels: Array(batch.labels[n * cells / 2..<(n + 1) * cells / 2]))
      inputs.append(read(golden.exactInputs(network, n).values.keys, runner))
      cotangents.append(v)
      runner.workspace.writeOutputGradient(v)
      runner.workspace.backward(weights, into: gradients)
    }
    let named = gradients.tensors(of: weights).sorted { $0.name < $1.name }
    let sums = named.map { tensor in
      zip(GoldenCase.sine(tensor.values.count, 4), tensor.values).reduce(0) {
        $0 + $1.0 * Double($1.1)
      }
    }
    let references = expected[(2 * pixels + cells)...].map(Double.init)
    #expect(sums.count == references.count)
    let rounded = DirectionalDerivative(
      rounded: network, weights, inputs: inputs, cotangents: cotangents)
    let exact = try DirectionalDerivative(exact: golden)
    for (tensor, (mine, theirs)) in zip(named, zip(sums, references)) {
      let norm = tensor.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let scale = max(norm, abs(theirs))
      if abs(mine - theirs) <= Self.kernels / 2 * scale { continue }
      let direction = GoldenCase.sine(tensor.values.count, 4)
      let real = rounded.along(direction, of: tensor.name)
      let unrounded = exact.along(direction, of: tensor.name)
      print(
        "\(instructionSet), \(golden), \(tensor.name): "
          + String(
            format: "kernels %.1e, rounding of the inputs %.1e of the gradient",
            abs(mine - real) / scale, abs(real - theirs) / scale))
      #expect(abs(mine - real) <= Self.kernels * scale, "\(golden) \(tensor.name)")
      #expect(abs(unrounded - theirs) <= 1e-6 * scale, "\(golden) \(tensor.name)")
    }
  }

  /// How far float32 may take the sum of a parameter's gradient, as a share of its norm, with 4, 8 or 16
  /// lanes: the worst that was seen is eight tenths of it, with 4.
  private static let kernels = 1e-4

  private func read(_ values: some Sequence<Value>, _ runner: NetworkRunner) -> [Value: [Double]] {
    var found: [Value: [Double]] = [:]
    for value in values {
      var read = [Float](repeating: 0, count: value.height * value.width * value.channels)
      runner.workspace.read(value, into: &read)
      found[value] = read.map(Double.init)
    }
    return found
  }
}
