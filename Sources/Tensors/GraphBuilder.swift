import Vectors

/// Builds a graph layer by layer; parameters take the names that they have in PyTorch.
package struct GraphBuilder {
  private var values: [Value] = []
  private var placements: [Placement] = []
  private var layers: [any Layer] = []
  private var parameters: [Parameter] = []
  private var storage = 0
  private var preparedStorage = 0
  private var scratch = 0
  private var activations: [Activation] = []
  private let freezesGroups: Bool
  private let cutsAttention: Bool

  /// - Parameters:
  ///   - freezesGroups: group norms have statistics that are given (`Workspace.freeze`).
  ///   - cutsAttention: attention sees its own place alone.
  ///
  /// Neither changes the parameters, nor where they lie.
  package init(freezesGroups: Bool = false, cutsAttention: Bool = false) {
    self.freezesGroups = freezesGroups
    self.cutsAttention = cutsAttention
  }

  /// A value that the caller sets before the forward pass.
  package mutating func input(height: Int, width: Int, channels: Int) -> Value {
    let value = makeValue(height, width, channels)
    placements[value.index].isInput = true
    return value
  }

  /// 1×1 or 3×3, zero padded so that stride 1 keeps the size; `adding` is added to the result.
  package mutating func convolution(
    _ input: Value, outputs: Int, side: Int = 3, stride: Int = 1, dilation: Int = 1,
    adding residual: Value? = nil, zero: Bool = false, name: String
  ) -> Value {
    let taps = Taps(side: side, dilation: dilation)
    let reach = side / 2 * dilation
    let output = makeValue(input.height / stride, input.width / stride, outputs)
    placements[input.index].forwardBorder = max(placements[input.index].forwardBorder, reach)
    var spreadGradient: Value?
    if stride > 1 {
      let wide = makeValue(input.height, input.width, outputs)
      placements[wide.index].gradientBorder = reach
      spreadGradient = wide
    } else {
      placements[output.index].gradientBorder = max(
        placements[output.index].gradientBorder, reach)
    }
    // Tiles need pictures of whole tiles, and channels enough to pay for the transforms.
    let tiled = WinogradTiles.fit(height: input.height, width: input.width)
    let usesTiles = tiled && side == 3 && dilation == 1 && input.channels >= 8
    let prepared = PreparedWeights(
      transformsForward: usesTiles && stride == 1, transformsBackward: usesTiles)
    if usesTiles {
      scratch = max(
        scratch, winogradScratch(inputs: input.channels, outputs: outputs),
        winogradScratch(inputs: outputs, outputs: input.channels),
        winogradGradientScratch(height: output.height, width: output.width, outputs: outputs))
    }
    let fan = side * side * input.channels
    let weight = makeParameter(
      name + ".weight",
      .convolution(side: side, inputs: input.channels, outputs: outputs),
      zero ? .constant(0) : .uniform(fan: fan), prepared: prepared)
    let bias = makeParameter(name + ".bias", .vector(outputs), .uniform(fan: fan))
    layers.append(
      ConvolutionLayer(
        input: input, output: output, residual: residual, weight: weight, bias: bias, taps: taps,
        stride: stride, spreadGradient: spreadGradient))
    return output
  }

  /// Norm, then (1 + scale) · + shift when `modulation` (2C) is given, then SiLU.
  ///
  /// `name` is needed for `.group` only: the others have no parameters.
  package mutating func normalization(
    _ input: Value, _ kind: NormalizationKind, modulation: Value? = nil, silu: Bool = true,
    name: String = ""
  ) -> Value {
    let output = makeValue(input.height, input.width, input.channels)
    let state = makeValue(1, 1, NormalizationState.count(channels: input.channels))
    var gamma: Parameter?
    var beta: Parameter?
    if case .group = kind {
      gamma = makeParameter(name + ".weight", .vector(input.channels), .constant(1))
      beta = makeParameter(name + ".bias", .vector(input.channels), .constant(0))
    }
    let layer = NormalizationLayer(
      input: input, output: output, kind: kind, gamma: gamma, beta: beta, modulation: modulation,
      silu: silu, state: state)
    layers.append(
      freezesGroups && gamma != nil ? FrozenNormalizationLayer(norm: layer) : layer)
    return output
  }

  package mutating func linear(
    _ input: Value, outputs: Int, adding residual: Value? = nil, name: String
  ) -> Value {
    let output = makeValue(1, 1, outputs)
    let weight = makeParameter(
      name + ".weight", .linear(inputs: input.channels, outputs: outputs),
      .uniform(fan: input.channels))
    let bias = makeParameter(name + ".bias", .vector(outputs), .uniform(fan: input.channels))
    layers.append(
      LinearLayer(input: input, output: output, residual: residual, weight: weight, bias: bias))
    return output
  }

  /// A scale and a shift of each of W · `group` channels, (2 W · `group`): `adding` and what the channels' own entry
  /// of `input`, (W), does to them.
  package mutating func ownChannels(
    _ input: Value, group: Int, adding residual: Value, name: String
  ) -> Value {
    precondition(residual.channels == 2 * input.channels * group)
    let output = makeValue(1, 1, residual.channels)
    let weight = makeParameter(
      name + ".weight", .vector(residual.channels), .uniform(fan: 1))
    layers.append(
      OwnChannelsLayer(
        input: input, output: output, residual: residual, weight: weight, group: group))
    return output
  }

  /// `qkv` has three times the channels of the result.
  package mutating func attention(_ qkv: Value) -> Value {
    let tokens = qkv.height * qkv.width
    let output = makeValue(qkv.height, qkv.width, qkv.channels / 3)
    if cutsAttention {
      layers.append(OwnPlaceLayer(qkv: qkv, output: output))
      return output
    }
    let probabilities = makeValue(1, 1, tokens * paddedChannels(tokens))
    scratch = max(scratch, attentionScratch(tokens: tokens, channels: output.channels))
    layers.append(AttentionLayer(qkv: qkv, output: output, probabilities: probabilities))
    return output
  }

  /// `low` at twice its size, then `skip`, along the channels.
  package mutating func upsampleAndConcatenate(_ low: Value, _ skip: Value) -> Value {
    let output = makeValue(skip.height, skip.width, low.channels + skip.channels)
    layers.append(UpsampleConcatenateLayer(low: low, skip: skip, output: output))
    return output
  }

  /// Gives the value that the last layer made a name, by which it can be read and replaced.
  package mutating func name(_ value: Value, _ name: String) {
    activations.append(Activation(name: name, value: value, layers: layers.count))
  }

  /// Plans the memory: every value at a place of its own, on cache lines.
  package func build(output: Value) -> Graph {
    var placed = placements
    var forward = 0
    var gradient = 0
    for value in values {
      placed[value.index].forwardOffset = forward
      placed[value.index].gradientOffset = gradient
      forward += align(Placement.count(value, border: placed[value.index].forwardBorder))
      gradient += align(Placement.count(value, border: placed[value.index].gradientBorder))
    }
    // In the backward pass the last user of a value comes first: it sets the gradient, the
    // others add to it.
    var written = Set<Int>()
    var accumulate: [[Bool]] = []
    for layer in layers.reversed() {
      accumulate.append(layer.inputs.map { !written.insert($0.index).inserted })
    }
    return Graph(
      layers: layers, accumulate: accumulate.reversed(), placements: placed,
      forwardCount: forward, gradientCount: gradient, scratchCount: scratch,
      parameters: parameters, output: output, activations: activations)
  }

  private func align(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  private mutating func makeValue(_ height: Int, _ width: Int, _ channels: Int) -> Value {
    let value = Value(index: values.count, height: height, width: width, channels: channels)
    values.append(value)
    placements.append(Placement())
    return value
  }

  private mutating func makeParameter(
    _ name: String, _ shape: ParameterShape, _ initialization: Initialization,
    prepared: PreparedWeights = PreparedWeights()
  ) -> Parameter {
    var prepared = prepared
    prepared.offset = preparedStorage
    let parameter = Parameter(
      name: name, shape: shape, initialization: initialization, offset: storage,
      prepared: prepared)
    storage += shape.storage
    preparedStorage += align(prepared.count(shape))
    parameters.append(parameter)
    return parameter
  }
}
