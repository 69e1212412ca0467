import Foundation
import Testing

@testable import Tensors

@Suite("The other kernels agree with their naive oracles")
struct OracleTests {
  private func output(_ harness: GraphHarness) -> [Float] {
    _ = harness.loss(harness.weights, harness.data)
    var result = [Float](repeating: 0, count: harness.cotangent.count)
    harness.workspace.read(harness.graph.output, into: &result)
    return result
  }

  private func plane(_ value: Value, _ data: [Float]) -> Plane {
    var plane = Plane(value.height, value.width, value.channels)
    plane.values = data.map(Double.init)
    return plane
  }

  private func expectClose(_ found: [Float], _ expected: [Double]) {
    #expect(found.count == expected.count)
    let largest = max(1, expected.map(abs).max() ?? 0)
    #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 1e-5 * largest })
  }

  @Test(
    "norm, modulation and SiLU, with channels that fill vectors and channels that do not",
    arguments: [NormalizationKind.none, .group(4), .pixel], [8, 24, 32])
  func normalization(kind: NormalizationKind, channels: Int) throws {
    for silu in [true, false] {
      var builder = GraphBuilder()
      let x = builder.input(height: 5, width: 7, channels: channels)
      let modulation = builder.input(height: 1, width: 1, channels: 2 * channels)
      let y = builder.normalization(x, kind, modulation: modulation, silu: silu, name: "norm")
      let harness = try GraphHarness(builder.build(output: y), inputs: [x, modulation])
      let tensors = harness.weights.tensors().map { $0.values.map(Double.init) }
      let expected = NaiveNormalization.forward(
        plane(x, harness.data[0]), kind, gamma: tensors.first ?? [], beta: tensors.last ?? [],
        modulation: harness.data[1].map(Double.init), silu: silu)
      expectClose(output(harness), expected.values)
    }
  }

  @Test(
    "attention",
    arguments: [(4, 5, 8), (4, 5, 20), (4, 4, 16), (8, 8, 32), (8, 8, 64), (16, 16, 32)])
  func attention(height: Int, width: Int, channels: Int) throws {
    var builder = GraphBuilder()
    let x = builder.input(height: height, width: width, channels: 3 * channels)
    let y = builder.attention(x)
    let harness = try GraphHarness(builder.build(output: y), inputs: [x])
    expectClose(output(harness), NaiveAttention.forward(plane(x, harness.data[0])).values)
  }

  @Test("linear layers", arguments: [(1, 1), (7, 20), (64, 33)])
  func linear(inputs: Int, outputs: Int) throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 1, width: 1, channels: inputs)
    let y = builder.linear(x, outputs: outputs, name: "linear")
    let harness = try GraphHarness(builder.build(output: y), inputs: [x])
    let tensors = harness.weights.tensors().map { $0.values.map(Double.init) }
    let expected = (0..<outputs).map { o in
      (0..<inputs).reduce(tensors[1][o]) {
        $0 + tensors[0][o * inputs + $1] * Double(harness.data[0][$1])
      }
    }
    expectClose(output(harness), expected)
  }

  @Test("nearest ×2 up and concatenation")
  func upsample() throws {
    var builder = GraphBuilder()
    let low = builder.input(height: 3, width: 2, channels: 5)
    let skip = builder.input(height: 6, width: 4, channels: 17)
    let y = builder.upsampleAndConcatenate(low, skip)
    let harness = try GraphHarness(builder.build(output: y), inputs: [low, skip])
    let (a, b) = (plane(low, harness.data[0]), plane(skip, harness.data[1]))
    var expected = Plane(6, 4, 22)
    for r in 0..<6 {
      for c in 0..<4 {
        for k in 0..<22 { expected[r, c, k] = k < 5 ? a[r / 2, c / 2, k] : b[r, c, k - 5] }
      }
    }
    expectClose(output(harness), expected.values)
  }
}
