// The layers of a graph: what a kernel needs to know beyond its numbers. Each works on one picture.

import Vectors

/// A place in a graph that holds one picture, or a vector when height and width are 1.
package struct Value: Sendable, Hashable {
  let index: Int
  package let height: Int
  package let width: Int
  package let channels: Int
}

/// The memory of one picture on its way through a graph.
struct Frame {
  let placements: [Placement]
  let forward: UnsafeMutablePointer<Float>
  /// Missing when no gradient is wanted.
  let gradient: UnsafeMutablePointer<Float>?
  let weights: UnsafeMutablePointer<Float>
  let prepared: UnsafeMutablePointer<Float>
  /// Missing when only the gradient of the inputs is wanted.
  let weightGradients: UnsafeMutablePointer<Float>?
  /// As large as the neediest layer asks for; nothing in it outlives a call.
  let scratch: UnsafeMutablePointer<Float>
  let wantsInputGradients: Bool

  @inline(__always)
  func field(_ value: Value) -> Field {
    let place = placements[value.index]
    return place.field(value, forward + place.forwardOffset, border: place.forwardBorder)
  }

  @inline(__always)
  func gradientField(_ value: Value) -> Field? {
    let place = placements[value.index]
    guard let gradient, wantsInputGradients || !place.isInput else { return nil }
    return place.field(value, gradient + place.gradientOffset, border: place.gradientBorder)
  }

  @inline(__always)
  func weight(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
    weights + parameter.offset
  }

  @inline(__always)
  func preparedForward(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
    prepared + parameter.prepared.offset
  }

  @inline(__always)
  func preparedBackward(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
    prepared + parameter.prepared.offset + parameter.prepared.forwardCount(parameter.shape)
  }

  @inline(__always)
  func weightGradient(_ parameter: Parameter) -> UnsafeMutablePointer<Float>? {
    weightGradients.map { $0 + parameter.offset }
  }
}

/// Where a value lies: pixels in rows, inside a border of zeros as wide as its convolutions reach.
struct Placement: Sendable {
  var forwardOffset = 0
  var forwardBorder = 0
  var gradientOffset = 0
  var gradientBorder = 0
  var isInput = false

  static func count(_ value: Value, border: Int) -> Int {
    (value.height + 2 * border) * (value.width + 2 * border) * paddedChannels(value.channels)
  }

  @inline(__always)
  func field(_ value: Value, _ start: UnsafeMutablePointer<Float>, border: Int) -> Field {
    let pixel = paddedChannels(value.channels)
    let row = (value.width + 2 * border) * pixel
    return Field(
      base: start + border * (row + pixel), height: value.height, width: value.width,
      channels: value.channels, pixelStride: pixel, rowStride: row)
  }
}

/// A layer with its inputs and its output; kernels do the work.
protocol Layer: Sendable {
  /// The values whose gradients `backward` writes, in the order in which it writes them.
  var inputs: [Value] { get }
  /// What the layer does to which shape, as a table of kernels names it.
  var label: String { get }
  /// Multiply-adds of the forward pass by its definition, padding of channels not counted.
  var multiplyAdds: Int { get }
  func forward(_ frame: Frame)
  /// `accumulate` says for each of `inputs` whether its gradient is added to or set.
  func backward(_ frame: Frame, accumulate: [Bool])
}

struct ConvolutionLayer: Layer {
  let input: Value
  let output: Value
  let residual: Value?
  let weight: Parameter
  let bias: Parameter
  let taps: Taps
  let stride: Int
  /// Room for the spread gradient of a strided convolution.
  let spreadGradient: Value?

  var inputs: [Value] { residual.map { [$0, input] } ?? [input] }

  var label: String {
    let form = weight.prepared.transformsForward ? "tiles" : "direct"
    let step = stride > 1 ? ", stride \(stride)" : ""
    let holes = taps.dilation > 1 ? ", dilation \(taps.dilation)" : ""
    return "convolution \(taps.side)×\(taps.side)\(step)\(holes) \(input.channels)→"
      + "\(output.channels), \(output.height)×\(output.width), \(form)"
  }

  var multiplyAdds: Int {
    taps.count * input.channels * output.channels * output.height * output.width
  }

  func forward(_ frame: Frame) {
    let (x, y) = (frame.field(input), frame.field(output))
    let addend = residual.map(frame.field)
    if weight.prepared.transformsForward {
      convolveWinograd(
        x, frame.preparedForward(weight), bias: frame.weight(bias), addend: addend, into: y,
        scratch: frame.scratch)
    } else {
      convolve(
        x, frame.weight(weight), bias: frame.weight(bias), addend: addend, into: y, taps: taps,
        stride: stride)
    }
  }

  func backward(_ frame: Frame, accumulate: [Bool]) {
    residualGradient(frame, accumulate: accumulate[0])
    weightGradient(frame)
    inputGradient(frame, accumulate: accumulate[residual == nil ? 0 : 1])
  }

  func residualGradient(_ frame: Frame, accumulate: Bool) {
    guard let residual, let dy = frame.gradientField(output),
      let target = frame.gradientField(residual)
    else { return }
    copyField(dy, into: target, accumulate: accumulate)
  }

  func weightGradient(_ frame: Frame) {
    guard let dy = frame.gradientField(output), let dw = frame.weightGradient(weight),
      let db = frame.weightGradient(bias)
    else { return }
    let x = frame.field(input)
    if weight.prepared.transformsForward {
      accumulateWinogradWeightGradient(x, dy, into: dw, scratch: frame.scratch)
    } else {
      accumulateWeightGradient(x, dy, into: dw, taps: taps, stride: stride)
    }
    accumulateBiasGradient(dy, into: db)
  }

  func inputGradient(_ frame: Frame, accumulate: Bool) {
    guard let dy = frame.gradientField(output), let dx = frame.gradientField(input) else { return }
    var source = dy
    if let spreadGradient, let wide = frame.gradientField(spreadGradient) {
      spread(dy, into: wide, stride: stride)
      source = wide
    }
    let addend = accumulate ? dx : nil
    if weight.prepared.transformsBackward {
      convolveWinograd(
        source, frame.preparedBackward(weight), bias: nil, addend: addend, into: dx,
        scratch: frame.scratch)
    } else {
      convolve(
        source, frame.preparedBackward(weight), bias: nil, addend: addend, into: dx, taps: taps,
        stride: 1)
    }
  }
}

struct NormalizationLayer: Layer {
  let input: Value
  let output: Value
  let kind: NormalizationKind
  let gamma: Parameter?
  let beta: Parameter?
  let modulation: Value?
  let silu: Bool
  /// Room for the statistics.
  let state: Value

  var inputs: [Value] { modulation.map { [input, $0] } ?? [input] }

  func affine(_ frame: Frame) -> Affine {
    Affine(
      gamma: gamma.map { UnsafePointer(frame.weight($0)) },
      beta: beta.map { UnsafePointer(frame.weight($0)) },
      modulation: modulation.map { UnsafePointer(frame.field($0).base) })
  }

  func state(_ frame: Frame) -> NormalizationState {
    NormalizationState(frame.field(state).base, channels: paddedChannels(input.channels))
  }

  var label: String {
    "norm \(kind)\(silu ? ", SiLU" : ""), \(input.channels), \(input.height)×\(input.width)"
  }

  /// Not counted: a few operations a value, against hundreds in a convolution.
  var multiplyAdds: Int { 0 }

  func forward(_ frame: Frame) {
    normalize(
      frame.field(input), into: frame.field(output), kind: kind, affine: affine(frame),
      silu: silu, state: state(frame))
  }

  func backward(_ frame: Frame, accumulate: [Bool]) {
    backward(frame, kind: kind, accumulate: accumulate)
  }

  /// As a layer of another kind has it, on the statistics at hand.
  func backward(_ frame: Frame, kind: NormalizationKind, accumulate: [Bool]) {
    guard let dy = frame.gradientField(output) else { return }
    normalizeBackward(
      frame.field(input), dy, into: frame.gradientField(input), accumulate: accumulate[0],
      kind: kind, affine: affine(frame), silu: silu, state: state(frame),
      dGamma: gamma.flatMap(frame.weightGradient), dBeta: beta.flatMap(frame.weightGradient),
      dModulation: modulation.flatMap(frame.gradientField)?.base)
  }
}

struct AttentionLayer: Layer {
  let qkv: Value
  let output: Value
  let probabilities: Value

  var inputs: [Value] { [qkv] }

  var label: String { "attention \(output.channels), \(output.height)×\(output.width)" }

  var multiplyAdds: Int {
    let tokens = output.height * output.width
    return 2 * tokens * tokens * output.channels
  }

  func forward(_ frame: Frame) {
    attend(
      qkv: frame.field(qkv), into: frame.field(output),
      probabilities: frame.field(probabilities).base, scratch: frame.scratch)
  }

  func backward(_ frame: Frame, accumulate: [Bool]) {
    guard let dy = frame.gradientField(output), let dqkv = frame.gradientField(qkv) else { return }
    attendBackward(
      qkv: frame.field(qkv), probabilities: frame.field(probabilities).base, dy: dy, into: dqkv,
      scratch: frame.scratch)
  }
}

struct LinearLayer: Layer {
  let input: Value
  let output: Value
  let residual: Value?
  let weight: Parameter
  let bias: Parameter

  var inputs: [Value] { residual.map { [$0, input] } ?? [input] }

  var label: String { "linear \(input.channels)→\(output.channels)" }

  var multiplyAdds: Int { input.channels * output.channels }

  func forward(_ frame: Frame) {
    applyLinear(
      frame.field(input).base, inputs: input.channels, frame.weight(weight),
      bias: frame.weight(bias), addend: residual.map { UnsafePointer(frame.field($0).base) },
      into: frame.field(output).base, outputs: output.channels)
  }

  func backward(_ frame: Frame, accumulate: [Bool]) {
    guard let dy = frame.gradientField(output) else { return }
    if let residual, let target = frame.gradientField(residual) {
      copyField(dy, into: target, accumulate: accumulate[0])
    }
    if let dw = frame.weightGradient(weight), let db = frame.weightGradient(bias) {
      accumulateLinearGradient(
        frame.field(input).base, inputs: input.channels, dy.base, outputs: output.channels,
        dw: dw, db: db)
    }
    guard let dx = frame.gradientField(input) else { return }
    linearInputGradient(
      dy.base, outputs: output.channels, frame.weight(weight), into: dx.base,
      inputs: input.channels, accumulate: accumulate[residual == nil ? 0 : 1])
  }
}

struct UpsampleConcatenateLayer: Layer {
  let low: Value
  let skip: Value
  let output: Value

  var inputs: [Value] { [low, skip] }

  var label: String { "up and concatenate \(output.channels), \(output.height)×\(output.width)" }

  var multiplyAdds: Int { 0 }

  func forward(_ frame: Frame) {
    upsampleAndConcatenate(frame.field(low), frame.field(skip), into: frame.field(output))
  }

  func backward(_ frame: Frame, accumulate: [Bool]) {
    guard let dy = frame.gradientField(output), let dlow = frame.gradientField(low),
      let dskip = frame.gradientField(skip)
    else { return }
    upsampleAndConcatenateBackward(
      dy, intoLow: dlow, accumulateLow: accumulate[0], intoSkip: dskip,
      accumulateSkip: accumulate[1])
  }
}
