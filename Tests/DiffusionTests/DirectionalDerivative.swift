import Foundation

@testable import Diffusion
@testable import Tensors

/// What the gradients of golden networks are in real numbers: the derivative of sum(v · D) along a direction
/// of one parameter, by central differences of the float64 evaluation.
struct DirectionalDerivative {
  private let graph: Graph
  private let weights: [Double]
  /// A picture each.
  private let inputs: [[Value: [Double]]]
  private let cotangents: [[Double]]

  /// Of the numbers before they were rounded to float32, as PyTorch took them.
  init(exact golden: GoldenCase) throws {
    let network = try golden.network
    let count = GoldenCase.shape.pictureCount
    graph = network.graph
    weights = Float64Graph(network.graph, values: GoldenCase.parameter).weights
    inputs = (0..<2).map { golden.exactInputs(network, $0).values }
    cotangents = (0..<2).map { n in
      let sigma = GoldenCase.sigmas[n]
      let scale = sigma / 2 / (sigma * sigma + 0.25).squareRoot()
      return GoldenCase.cotangent[n * count..<(n + 1) * count].map { $0 * scale }
    }
  }

  /// Of the very float32 numbers that a network read: its own inputs, as its workspace has them, and what it
  /// was given as the output's gradient.
  init(
    rounded network: Network, _ weights: Weights, inputs: [[Value: [Double]]], cotangents: [[Float]]
  ) {
    graph = network.graph
    self.weights = Float64Graph(network.graph, weights).weights
    self.inputs = inputs
    self.cotangents = cotangents.map { $0.map(Double.init) }
  }

  /// Along `direction`, in PyTorch's order of the parameter.
  func along(_ direction: [Double], of name: String) -> Double {
    guard let parameter = graph.parameters.first(where: { $0.name == name }) else { return .nan }
    func loss(_ step: Double) -> Double {
      var moved = weights
      parameter.shape.forEachPlace { moved[parameter.offset + $0] += step * direction[$1] }
      let graph = Float64Graph(graph, weights: moved)
      var sum = 0.0
      for (inputs, cotangent) in zip(inputs, cotangents) {
        for (output, slope) in zip(graph.output(inputs), cotangent) { sum += output * slope }
      }
      return sum
    }
    // The error is of the order of its square, times the third derivative.
    let step = 1e-6
    return (loss(step) - loss(-step)) / (2 * step)
  }
}
