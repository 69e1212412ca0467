import Foundation
import Testing

@testable import Diffusion
@testable import Tensors

/// The reference networks in PyTorch and ours on the same weights and inputs: see
/// Golden/make_golden.py.
///
/// What a network makes of its inputs is compared in RoundingTests, where a float64 evaluation stands
/// between: PyTorch's outputs are of unrounded weights and inputs, and the rounding of the inputs alone
/// moves an output by up to 8e-6 of the largest, as much as all kernels do.
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
    for n in 0..<2 {
      let scale = Preconditioning(sigma: batch.sigma[n])
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
      zip(GoldenCase.sine(tensor.values.count, 4), tensor.values).reduce(0) {
        $0 + $1.0 * Double($1.1)
      }
    }
    let references = expected[(2 * pixels + cells)...].map(Double.init)
    #expect(sums.count == references.count)
    for (tensor, (mine, theirs)) in zip(named, zip(sums, references)) {
      let norm = tensor.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(mine - theirs) <= 1e-4 * max(norm, abs(theirs)), "\(golden) \(tensor.name)")
    }
  }
}
