import Foundation
import Streams
import Testing

@testable import Diffusion
@testable import Tensors
@testable import Vectors

/// How far float32 may be from the real numbers, layer by layer and from end to end.
///
/// A layer is held to the float64 evaluation of its definition on the float32 values that it read, in
/// units of roundoff (2⁻²⁴) times the absolute terms of its sums. From end to end the errors of the
/// layers, carried to the output by the gradient, are the whole error: they predict it to four digits.
@Suite("Kernels round as little as their terms allow")
struct RoundingTests {
  static let roundoff = 0x1p-24

  /// One picture of a golden network on its way through float32.
  private struct Passage {
    let golden: GoldenCase
    let picture: Int
    let network: Network
    let weights: Weights
    let rounded: Float64Graph
    let runner: NetworkRunner

    init(_ golden: GoldenCase, picture: Int) throws {
      self.golden = golden
      self.picture = picture
      network = try golden.network
      weights = try golden.weights(network)
      rounded = Float64Graph(network.graph, weights)
      runner = NetworkRunner(network, gradients: true)
      let shape = GoldenCase.shape
      let batch = GoldenCase.batch
      runner.forward(
        weights,
        x: Array(batch.x[picture * shape.pictureCount..<(picture + 1) * shape.pictureCount]),
        Preconditioning(sigma: batch.sigma[picture]),
        labels: Array(
          batch.labels[picture * shape.conditionerCount..<(picture + 1) * shape.conditionerCount]))
    }

    func read(_ value: Value) -> [Double] {
      var result = [Float](repeating: 0, count: value.height * value.width * value.channels)
      runner.workspace.read(value, into: &result)
      return result.map(Double.init)
    }

    /// The layer's float32 output less its exact output, and the terms.
    func errors(_ layer: any Layer) -> (errors: [Double], terms: [Double]) {
      let exact = rounded.evaluate(layer, read)
      let found = read(Float64Graph.output(of: layer))
      return (zip(found, exact.values).map { $0 - $1 }, exact.terms)
    }
  }

  /// Errors in units of roundoff times terms.
  private struct Size {
    var largest = 0.0
    var rms = 0.0

    init() {}

    init(_ errors: [Double], _ terms: [Double]) {
      var squares = 0.0
      for (error, term) in zip(errors, terms) where error != 0 {
        let share = abs(error) / (roundoff * term)
        largest = max(largest, share)
        squares += share * share
      }
      rms = (squares / Double(errors.count)).squareRoot()
    }

    mutating func take(_ other: Size) {
      largest = max(largest, other.largest)
      rms = max(rms, other.rms)
    }

    var text: String { String(format: "largest %.2f, rms %.2f", largest, rms) }
  }

  private func kind(_ layer: any Layer) -> String {
    switch layer {
    case let layer as ConvolutionLayer: layer.weight.prepared.transformsForward ? "tiles" : "direct"
    case is NormalizationLayer: "norm"
    case is AttentionLayer: "attention"
    case is LinearLayer: "linear"
    default: "copy"
    }
  }

  /// About twice the worst that a layer of these networks showed with 4, 8 or 16 lanes. The width of a
  /// vector only reorders sums over channels and tokens, so that one limit serves every instruction set.
  private static let limits: [String: (largest: Double, rms: Double)] = [
    "direct": (16, 2), "tiles": (16, 2), "norm": (9, 3), "attention": (3, 1), "linear": (9, 2),
    "copy": (0, 0),
  ]

  @Test(
    "the float64 evaluation is PyTorch's, to the rounding of its file", arguments: GoldenCase.all)
  func reference(golden: GoldenCase) throws {
    let network = try golden.network
    let exact = Float64Graph(network.graph, values: GoldenCase.parameter)
    let count = GoldenCase.shape.pictureCount
    let file = GoldenCase.channelsLast(Array(try golden.golden()[..<(2 * count)])).map(Double.init)
    for n in 0..<2 {
      let (inputs, denoised) = golden.exactInputs(network, n)
      let found = denoised(exact.output(inputs))
      for (a, b) in zip(found, file[(n * count)...]) {
        #expect(abs(a - b) <= 1.01 * Self.roundoff * abs(b))
      }
    }
  }

  @Test("what enters a network is rounded but a few times", arguments: GoldenCase.all)
  func inputs(golden: GoldenCase) throws {
    for n in 0..<2 {
      let passage = try Passage(golden, picture: n)
      for (value, exact) in golden.exactInputs(passage.network, n).values {
        // The angles reach 100 · ln σ / 4 and are a product of rounded numbers: their error is an
        // absolute one of their sines. It reaches the output divided by three hundred.
        let angle = value == passage.network.fourier ? 25 * abs(log(GoldenCase.sigmas[n])) : 0
        for (a, b) in zip(passage.read(value), exact) {
          #expect(abs(a - b) <= 4 * Self.roundoff * (abs(b) + angle))
        }
      }
    }
  }

  @Test("every layer on the values that it read", arguments: GoldenCase.all)
  func layers(golden: GoldenCase) throws {
    var sizes: [String: Size] = [:]
    for n in 0..<2 {
      let passage = try Passage(golden, picture: n)
      for layer in passage.network.graph.layers {
        let (errors, terms) = passage.errors(layer)
        let size = Size(errors, terms)
        let limit = try #require(Self.limits[kind(layer)])
        #expect(size.largest <= limit.largest, "\(layer.label)")
        #expect(size.rms <= limit.rms, "\(layer.label)")
        sizes[kind(layer), default: Size()].take(size)
      }
    }
    for (kind, size) in sizes.sorted(by: { $0.key < $1.key }) {
      print("\(instructionSet), \(golden), \(kind): \(size.text) u · terms")
    }
  }

  @Test(
    "from the inputs to the output, as much as the layers' errors add up to",
    arguments: GoldenCase.all)
  func ends(golden: GoldenCase) throws {
    for n in 0..<2 {
      let passage = try Passage(golden, picture: n)
      let graph = passage.network.graph
      let layers = graph.layers.map(passage.errors)
      let inputs = golden.exactInputs(passage.network, n).values.keys
      let exact = passage.rounded.output(
        Dictionary(uniqueKeysWithValues: inputs.map { ($0, passage.read($0)) }))
      let total = zip(passage.read(graph.output), exact).map { $0 - $1 }
      var stream = RandomStream(seed: 1, purpose: .test, index: UInt64(n))
      var allowed = 0.0
      let probes = 8
      for _ in 0..<probes {
        // The mean of (v · e)² over signs v is |e|².
        let signs = total.map { _ in Float(stream.integer(below: 2) == 0 ? 1 : -1) }
        let found = zip(signs, total).reduce(0) { $0 + Double($1.0) * $1.1 }
        var predicted = 0.0
        var squares = 0.0
        passage.runner.workspace.writeOutputGradient(signs)
        let frame = passage.runner.workspace.frame(passage.weights, inputGradients: true)
        for (index, layer) in graph.layers.enumerated().reversed() {
          let output = Float64Graph.output(of: layer)
          var gradient = [Float](
            repeating: 0, count: output.height * output.width * output.channels)
          passage.runner.workspace.readGradient(output, into: &gradient)
          for (i, slope) in gradient.enumerated() {
            predicted += Double(slope) * layers[index].errors[i]
            let share = Double(slope) * Self.roundoff * layers[index].terms[i]
            squares += share * share
          }
          layer.backward(frame, accumulate: graph.accumulate[index])
        }
        allowed += squares / Double(probes)
        #expect(abs(found - predicted) <= 1e-3 * allowed.squareRoot() + 1e-4 * abs(found))
      }
      let size = total.reduce(0) { $0 + $1 * $1 }.squareRoot()
      print(
        "\(instructionSet), \(golden), picture \(n): "
          + String(format: "%.2f of the allowed error", size / allowed.squareRoot()))
      #expect(size <= 2 * allowed.squareRoot())
    }
  }

  @Test("a layer whose results are wrong by four millionths is found", arguments: GoldenCase.all)
  func wrongKernel(golden: GoldenCase) throws {
    let passage = try Passage(golden, picture: 0)
    for layer in passage.network.graph.layers {
      let value = Float64Graph.output(of: layer)
      let right = passage.read(value)
      let (errors, terms) = passage.errors(layer)
      let wrong = Size(zip(errors, right).map { $0 + $1 * 4e-6 }, terms)
      let limit = try #require(Self.limits[kind(layer)])
      #expect(wrong.largest > limit.largest || wrong.rms > limit.rms, "\(layer.label)")
    }
  }
}
