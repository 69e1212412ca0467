import Testing

@testable import Tensors

@Suite("Gradients of every layer agree with finite differences")
struct LayerGradientTests {
  @Test(
    "convolutions with a residual, strided, dilated and 1×1",
    arguments: [(3, 1, 1), (3, 2, 1), (3, 1, 2), (1, 1, 1)])
  func convolution(side: Int, stride: Int, dilation: Int) throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 8, width: 8, channels: 8)
    let a = builder.convolution(
      x, outputs: 12, side: side, stride: stride, dilation: dilation, name: "a")
    let b = builder.convolution(a, outputs: 12, adding: a, name: "b")
    try GraphHarness(builder.build(output: b), inputs: [x]).check()
  }

  @Test(
    "norms with and without SiLU",
    arguments: [NormalizationKind.none, .group(4), .pixel], [true, false])
  func normalization(kind: NormalizationKind, silu: Bool) throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 6, width: 5, channels: 24)
    let modulation = builder.input(height: 1, width: 1, channels: 48)
    let y = builder.normalization(x, kind, modulation: modulation, silu: silu, name: "norm")
    try GraphHarness(builder.build(output: y), inputs: [x, modulation]).check()
  }

  @Test(
    "attention, with tokens and channels that fill vectors and that do not",
    arguments: [(4, 4, 8), (4, 5, 20), (3, 1, 4), (8, 8, 32)])
  func attention(height: Int, width: Int, channels: Int) throws {
    var builder = GraphBuilder()
    let x = builder.input(height: height, width: width, channels: 3 * channels)
    let y = builder.attention(x)
    try GraphHarness(builder.build(output: y), inputs: [x]).check()
  }

  @Test("norms with given statistics", arguments: [true, false])
  func frozen(silu: Bool) throws {
    var builder = GraphBuilder(freezesGroups: true)
    let x = builder.input(height: 6, width: 5, channels: 24)
    let modulation = builder.input(height: 1, width: 1, channels: 48)
    let y = builder.normalization(
      x, .group(4), modulation: modulation, silu: silu, name: "norm")
    let harness = try GraphHarness(builder.build(output: y), inputs: [x, modulation])
    let norm = try #require(harness.graph.groupNorms.first)
    #expect(norm.isFrozen && norm.name == "norm")
    harness.workspace.freeze(
      norm, at: GroupMoments(means: [0.3, -0.2, 1, 0], variances: [0.5, 2, 1, 4]))
    try harness.check()
  }

  @Test("attention to its own place", arguments: [(4, 4, 8), (4, 5, 20)])
  func ownPlace(height: Int, width: Int, channels: Int) throws {
    var builder = GraphBuilder(cutsAttention: true)
    let x = builder.input(height: height, width: width, channels: 3 * channels)
    let y = builder.attention(x)
    try GraphHarness(builder.build(output: y), inputs: [x]).check()
  }

  @Test("linear layers with a residual")
  func linear() throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 1, width: 1, channels: 7)
    let a = builder.linear(x, outputs: 20, name: "a")
    let b = builder.linear(builder.normalization(a, .none), outputs: 20, adding: a, name: "b")
    try GraphHarness(builder.build(output: b), inputs: [x]).check()
  }

  @Test(
    "channels of each entry's own: as defined, and nothing of another entry's", arguments: [1, 4])
  func ownChannels(group: Int) throws {
    var builder = GraphBuilder()
    let told = builder.input(height: 1, width: 1, channels: 3)
    let noise = builder.input(height: 1, width: 1, channels: 6 * group)
    let y = builder.ownChannels(told, group: group, adding: noise, name: "own")
    let harness = try GraphHarness(builder.build(output: y), inputs: [told, noise])
    _ = harness.loss(harness.weights, harness.data)
    var found = [Float](repeating: 0, count: 6 * group)
    harness.workspace.read(y, into: &found)
    let weights = try #require(harness.weights.tensors().first { $0.name == "own.weight" }).values
    for i in found.indices {
      let entry = i % (3 * group) / group
      let expected = harness.data[1][i] + weights[i] * harness.data[0][entry]
      #expect(abs(found[i] - expected) < 1e-6)
    }
    try harness.check()
  }

  @Test("channels of entries' own that modulate a norm, entries that are used twice")
  func ownChannelsModulate() throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 4, width: 4, channels: 8)
    let told = builder.input(height: 1, width: 1, channels: 2)
    let noise = builder.linear(told, outputs: 16, name: "noise")
    let modulation = builder.ownChannels(told, group: 4, adding: noise, name: "own")
    let y = builder.normalization(x, .pixel, modulation: modulation)
    try GraphHarness(builder.build(output: y), inputs: [x, told]).check()
  }

  @Test("nearest ×2 up and concatenation")
  func upsample() throws {
    var builder = GraphBuilder()
    let low = builder.input(height: 3, width: 4, channels: 5)
    let skip = builder.input(height: 6, width: 8, channels: 3)
    let y = builder.upsampleAndConcatenate(low, skip)
    try GraphHarness(builder.build(output: y), inputs: [low, skip]).check()
  }

  @Test("a value that three layers use")
  func sharedValue() throws {
    var builder = GraphBuilder()
    let x = builder.input(height: 4, width: 4, channels: 8)
    let h = builder.convolution(x, outputs: 8, name: "h")
    let a = builder.normalization(h, .group(4), name: "n")
    let b = builder.convolution(a, outputs: 8, adding: h, name: "b")
    let c = builder.convolution(h, outputs: 8, side: 1, adding: b, name: "c")
    try GraphHarness(builder.build(output: c), inputs: [x]).check()
  }
}
