import Streams
import Testing

@testable import Tensors

/// A graph with random inputs and weights, compared with finite differences.
struct GraphHarness {
  let graph: Graph
  let weights: Weights
  let inputs: [Value]
  let workspace: Workspace
  var data: [[Float]]
  let cotangent: [Float]

  init(_ graph: Graph, inputs: [Value], seed: UInt64 = 5) throws {
    self.graph = graph
    self.inputs = inputs
    weights = graph.makeWeights()
    var stream = RandomStream(seed: seed, purpose: .test2, index: 0)
    // Zero-initialised layers would hide their gradients.
    try weights.load(
      weights.tensors().map { tensor in
        let fan = tensor.shape.count > 1 ? tensor.values.count / tensor.shape[0] : 4
        let scale = 1 / Float(fan).squareRoot()
        return NamedTensor(
          name: tensor.name, shape: tensor.shape,
          values: tensor.values.map { $0 + scale * stream.gaussian() })
      })
    workspace = graph.makeWorkspace(gradients: true)
    data = inputs.map { value in
      (0..<value.height * value.width * value.channels).map { _ in stream.gaussian() }
    }
    let out = graph.output
    cotangent = (0..<out.height * out.width * out.channels).map { _ in stream.gaussian() }
  }

  /// Σ cotangent · output, in double precision.
  func loss(_ weights: Weights, _ data: [[Float]]) -> Double {
    for (value, array) in zip(inputs, data) { workspace.write(array, to: value) }
    workspace.forward(weights)
    var output = [Float](repeating: 0, count: cotangent.count)
    workspace.read(graph.output, into: &output)
    return zip(cotangent, output).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  func copy(_ tensors: [NamedTensor]) throws -> Weights {
    let copy = graph.makeWeights()
    try copy.load(tensors)
    return copy
  }

  /// Compares each gradient with a central difference along a random direction; the step is where the
  /// error of float32 (about 1e-7 / h) and of the difference (h²) are alike.
  func check(tolerance: Double = 2e-3) throws {
    _ = loss(weights, data)
    let gradients = Gradients(for: weights)
    workspace.writeOutputGradient(cotangent)
    workspace.backward(weights, into: gradients, inputGradients: true)
    let step: Float = 4e-3
    var stream = RandomStream(seed: 6, purpose: .test3, index: 0)
    for (index, value) in inputs.enumerated() {
      var gradient = [Float](repeating: 0, count: data[index].count)
      workspace.readGradient(value, into: &gradient)
      let direction = gradient.map { _ in stream.gaussian() }
      let moved = [step, -step].map { h in
        var data = data
        for i in data[index].indices { data[index][i] += h * direction[i] }
        return loss(weights, data)
      }
      expectEqual(
        dot(gradient, direction), (moved[0] - moved[1]) / (2 * Double(step)),
        scale: norm(gradient) * norm(direction), tolerance, "input \(index)")
      // The forward pass of the moved data has overwritten the activations.
      _ = loss(weights, data)
      workspace.writeOutputGradient(cotangent)
      workspace.backward(weights, inputGradients: true)
    }
    let tensors = weights.tensors()
    let named = gradients.tensors(of: weights)
    for (index, gradient) in named.enumerated() {
      let direction = gradient.values.map { _ in stream.gaussian() }
      let moved = try [step, -step].map { h in
        var changed = tensors
        for i in direction.indices { changed[index].values[i] += h * direction[i] }
        return loss(try copy(changed), data)
      }
      expectEqual(
        dot(gradient.values, direction), (moved[0] - moved[1]) / (2 * Double(step)),
        scale: norm(gradient.values) * norm(direction), tolerance, gradient.name)
    }
  }

  private func expectEqual(
    _ gradient: Double, _ difference: Double, scale: Double, _ tolerance: Double, _ name: String
  ) {
    // float32 sums of the loss carry an absolute error that a tiny gradient must not be held to.
    #expect(abs(gradient - difference) <= tolerance * scale + 2e-3, "\(name)")
  }

  private func dot(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  private func norm(_ a: [Float]) -> Double { dot(a, a).squareRoot() }
}
