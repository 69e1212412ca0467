import Foundation
import Streams
import Testing

@testable import Tensors
@testable import Vectors

@Suite("Small kernels agree with their definitions")
struct KernelTests {
  @Test("exponential and sigmoid are accurate to 3e-7 over their whole range")
  func exponentials() {
    var worst = 0.0
    for step in -8600...8700 {
      let x = Float(step) / 100
      let mine = Double(exponential(Vector(repeating: x))[0])
      worst = max(worst, abs(mine / exp(Double(x)) - 1))
      let slope = Double(sigmoid(Vector(repeating: x))[0])
      #expect(abs(slope - 1 / (1 + exp(-Double(x)))) < 3e-7)
    }
    #expect(worst < 3e-7)
    for x: Float in [.infinity, -Float.infinity, 1e30, -1e30] {
      #expect(exponential(Vector(repeating: x))[0].isFinite)
    }
  }

  @Test("softmax of a row", arguments: [1, 5, 16, 40, 64])
  func softmaxRow(count: Int) {
    let scores = (0..<count).map { Float(sin(Double($0) * 3)) * 60 }
    let largest = scores.map(Double.init).max() ?? 0
    let weights = scores.map { exp((Double($0) - largest) / 2) }
    let total = weights.reduce(0, +)
    var values = scores + [Float](repeating: 7, count: paddedChannels(count) - count)
    softmax(&values, count: count, scale: 0.5)
    for (a, b) in zip(values, weights) { #expect(abs(Double(a) - b / total) < 1e-6) }
    #expect(values[count...].allSatisfy { $0 == 0 })
  }

  @Test("group norm has mean 0 and variance 1 a group, also far from zero")
  func groupNorm() throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 8, width: 8, channels: 16)
    let y = builder.normalization(x, .group(4), silu: false, name: "norm")
    let graph = builder.build(output: y)
    let weights = graph.makeWeights()
    weights.initialize(seed: 1, purpose: .test9)
    let workspace = graph.makeWorkspace(gradients: false)
    var stream = RandomStream(seed: 1, purpose: .test9, index: 9)
    // A mean of a thousand deviations: one pass over squares would lose everything.
    let data = (0..<1024).map { _ in 1000 + stream.gaussian() }
    workspace.write(data, to: x)
    workspace.forward(weights)
    var result = [Float](repeating: 0, count: 1024)
    workspace.read(y, into: &result)
    for group in 0..<4 {
      let members = result.indices.filter { $0 % 16 / 4 == group }.map { Double(result[$0]) }
      let mean = members.reduce(0, +) / 256
      let variance = members.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 256
      #expect(abs(mean) < 1e-3)
      #expect(abs(variance - 1) < 1e-3)
    }
  }

  @Test("weights refuse tensors by name and shape, and come back as they went in")
  func weights() throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 4, width: 4, channels: 3)
    let y = builder.convolution(x, outputs: 5, name: "conv")
    let graph = builder.build(output: y)
    let weights = graph.makeWeights()
    weights.initialize(seed: 3, purpose: .test9)
    let tensors = weights.tensors()
    #expect(tensors.map(\.shape) == [[5, 3, 3, 3], [5]])
    #expect(weights.count == 140)
    // 2 · 9 taps · 3 in · 5 out · 16 pixels.
    #expect(graph.operations == 4320)
    let copy = graph.makeWeights()
    try copy.load(tensors)
    #expect(copy.tensors() == tensors)
    #expect(throws: ParameterMismatch.missing(["conv.bias"])) { try copy.load([tensors[0]]) }
    let extra = NamedTensor(name: "other", shape: [1], values: [0])
    #expect(throws: ParameterMismatch.unknown(["other"])) { try copy.load(tensors + [extra]) }
    let bent = NamedTensor(name: "conv.bias", shape: [1, 5], values: tensors[1].values)
    #expect(throws: ParameterMismatch.shape(name: "conv.bias", found: [1, 5], expected: [5])) {
      try copy.load([tensors[0], bent])
    }
  }

  @Test("Adam agrees with its definition, shards are summed and cleared")
  func adam() throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 1, width: 1, channels: 2)
    let y = builder.linear(x, outputs: 3, name: "linear")
    let graph = builder.build(output: y)
    let weights = graph.makeWeights()
    weights.initialize(seed: 3, purpose: .test9)
    var expected = weights.tensors().flatMap(\.values).map(Double.init)
    var average = expected
    var first = expected.map { _ in 0.0 }
    var second = first
    let adam = Adam(weights: weights)
    let workspace = graph.makeWorkspace(gradients: true)
    let shards = (0..<2).map { _ in Gradients(for: weights) }
    for step in 1...5 {
      let inputs: [[Float]] = [[0.5, Float(step)], [-1, 0.25]]
      for (shard, input) in zip(shards, inputs) {
        workspace.write(input, to: x)
        workspace.forward(weights)
        workspace.writeOutputGradient([1, -2, 3])
        workspace.backward(weights, into: shard)
      }
      // d/dw of Σ v · (w x + b), as PyTorch orders w (out, in), then b.
      var gradient: [Double] = []
      for v in [1.0, -2, 3] {
        for i in 0..<2 { gradient.append(v * inputs.reduce(0) { $0 + Double($1[i]) }) }
      }
      gradient += [2, -4, 6]
      adam.update(
        shards: shards, scale: 0.5, learningRate: 0.01, step: step, decay: 0.9, threads: 2)
      for i in gradient.indices {
        let g = gradient[i] * 0.5
        first[i] = 0.9 * first[i] + 0.1 * g
        second[i] = 0.999 * second[i] + 0.001 * g * g
        let m = first[i] / (1 - pow(0.9, Double(step)))
        let v = second[i] / (1 - pow(0.999, Double(step)))
        expected[i] -= 0.01 * m / (v.squareRoot() + 1e-8)
        average[i] = 0.9 * average[i] + 0.1 * expected[i]
      }
      for (a, b) in zip(weights.tensors().flatMap(\.values), expected) {
        #expect(abs(Double(a) - b) < 1e-5)
      }
    }
    for (a, b) in zip(adam.averaged.tensors().flatMap(\.values), average) {
      #expect(abs(Double(a) - b) < 1e-5)
    }
    #expect(shards.allSatisfy { $0.tensors(of: weights).flatMap(\.values).allSatisfy { $0 == 0 } })
  }
}
