import Testing

@testable import Tensors

@Suite("Convolution agrees with its naive oracle")
struct ConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var size: (Int, Int)
    var inputs: Int
    var outputs: Int
    var side = 3
    var stride = 1
    var dilation = 1
    var testDescription: String {
      "\(size.0)×\(size.1), \(inputs)→\(outputs), side \(side), stride \(stride), dilation \(dilation)"
    }
  }

  /// Widths that leave every kind of remainder of the register tiles, channels that do not fill vectors.
  static let cases: [Case] = [
    Case(size: (5, 1), inputs: 3, outputs: 5), Case(size: (4, 3), inputs: 4, outputs: 16),
    Case(size: (3, 5), inputs: 6, outputs: 32), Case(size: (6, 8), inputs: 16, outputs: 16),
    Case(size: (5, 12), inputs: 24, outputs: 48), Case(size: (3, 16), inputs: 32, outputs: 64),
    Case(size: (3, 31), inputs: 12, outputs: 24), Case(size: (8, 8), inputs: 64, outputs: 32),
    // Whole tiles: one, a remainder of a block, several blocks, several groups of channels.
    Case(size: (4, 4), inputs: 8, outputs: 8), Case(size: (12, 8), inputs: 33, outputs: 17),
    Case(size: (16, 20), inputs: 24, outputs: 40), Case(size: (16, 16), inputs: 96, outputs: 32),
    Case(size: (7, 9), inputs: 5, outputs: 17, side: 1),
    Case(size: (4, 16), inputs: 48, outputs: 16, side: 1),
    Case(size: (8, 16), inputs: 16, outputs: 16, stride: 2),
    Case(size: (16, 8), inputs: 9, outputs: 33, stride: 2),
    Case(size: (9, 11), inputs: 8, outputs: 16, dilation: 2),
    Case(size: (12, 10), inputs: 16, outputs: 40, dilation: 3),
  ]

  @Test("forward and all three gradients", arguments: cases)
  func agrees(_ c: Case) throws {
    var builder = GraphBuilder()
    let input = builder.input(height: c.size.0, width: c.size.1, channels: c.inputs)
    let output = builder.convolution(
      input, outputs: c.outputs, side: c.side, stride: c.stride, dilation: c.dilation, name: "conv")
    let harness = try GraphHarness(builder.build(output: output), inputs: [input])
    var x = Plane(c.size.0, c.size.1, c.inputs)
    x.values = harness.data[0].map(Double.init)
    let tensors = harness.weights.tensors()
    let taps = c.side * c.side
    // PyTorch's (out, in, taps) to the oracle's (taps, in, out).
    func reorder(_ values: [Float]) -> [Double] {
      var result = [Double](repeating: 0, count: values.count)
      for o in 0..<c.outputs {
        for i in 0..<c.inputs {
          for t in 0..<taps {
            result[(t * c.inputs + i) * c.outputs + o] =
              Double(values[(o * c.inputs + i) * taps + t])
          }
        }
      }
      return result
    }
    let weights = reorder(tensors[0].values)
    let expected = NaiveConvolution.forward(
      x, weights: weights, bias: tensors[1].values.map(Double.init), side: c.side,
      stride: c.stride, dilation: c.dilation)
    _ = harness.loss(harness.weights, harness.data)
    var y = [Float](repeating: 0, count: harness.cotangent.count)
    harness.workspace.read(harness.graph.output, into: &y)
    expectClose(y, expected.values)

    let gradients = Gradients(for: harness.weights)
    harness.workspace.writeOutputGradient(harness.cotangent)
    harness.workspace.backward(harness.weights, into: gradients, inputGradients: true)
    var dy = Plane(expected.height, expected.width, c.outputs)
    dy.values = harness.cotangent.map(Double.init)
    let backward = NaiveConvolution.backward(
      x, dy, weights: weights, side: c.side, stride: c.stride, dilation: c.dilation)
    var dx = [Float](repeating: 0, count: x.values.count)
    harness.workspace.readGradient(input, into: &dx)
    expectClose(dx, backward.dx.values)
    let named = gradients.tensors(of: harness.weights)
    expectClose(reorder(named[0].values).map { Float($0) }, backward.dw)
    let bias = (0..<c.outputs).map { o in
      stride(from: o, to: dy.values.count, by: c.outputs).reduce(0) { $0 + dy.values[$1] }
    }
    expectClose(named[1].values, bias)
  }

  /// Within 1e-5 of the largest value: float32 against double.
  func expectClose(_ found: [Float], _ expected: [Double]) {
    #expect(found.count == expected.count)
    let largest = expected.map(abs).max() ?? 0
    for (a, b) in zip(found, expected) where !(abs(Double(a) - b) <= 1e-5 * max(largest, 1)) {
      Issue.record("found \(a), expected \(b)")
      return
    }
  }
}
