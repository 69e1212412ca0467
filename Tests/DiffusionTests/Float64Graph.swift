import Foundation

@testable import Diffusion
@testable import Tensors

/// A layer's output in double precision, by its definition, and how large what it is made of is.
struct ExactOutput {
  var values: [Double] = []
  /// For each value a sum of absolute terms: rounding errors are a few units of roundoff of it.
  var terms: [Double] = []

  mutating func append(_ value: Double, terms: Double) {
    values.append(value)
    self.terms.append(terms)
  }
}

/// Evaluates graphs layer by layer in double precision; all arrays are (H, W, C).
///
/// Slow and plain, so that it can be read against the definitions. It shares nothing with the kernels
/// but the graph and the layout of the weights.
struct Float64Graph {
  let graph: Graph
  /// In the layout of `Weights`.
  let weights: [Double]

  init(_ graph: Graph, _ weights: Weights) {
    self.graph = graph
    self.weights = weights.values.array.map(Double.init)
  }

  /// - Parameter weights: in the layout of `Weights`.
  init(_ graph: Graph, weights: [Double]) {
    self.graph = graph
    self.weights = weights
  }

  /// - Parameter values: of a parameter with this name and these dimensions, in PyTorch's order.
  init(_ graph: Graph, values: (_ name: String, _ dimensions: [Int]) -> [Double]) {
    self.graph = graph
    var weights = [Double](repeating: 0, count: Weights.storage(graph.parameters))
    for parameter in graph.parameters {
      let theirs = values(parameter.name, parameter.shape.dimensions)
      parameter.shape.forEachPlace { weights[parameter.offset + $0] = theirs[$1] }
    }
    self.weights = weights
  }

  /// The graph's output from the values of its inputs.
  func output(_ inputs: [Value: [Double]]) -> [Double] {
    var values = inputs
    for layer in graph.layers {
      values[Self.output(of: layer)] = evaluate(layer) { values[$0] ?? [] }.values
    }
    return values[graph.output] ?? []
  }

  static func output(of layer: any Layer) -> Value {
    switch layer {
    case let layer as ConvolutionLayer: layer.output
    case let layer as NormalizationLayer: layer.output
    case let layer as AttentionLayer: layer.output
    case let layer as LinearLayer: layer.output
    case let layer as UpsampleConcatenateLayer: layer.output
    default: fatalError("no float64 definition of \(layer.label)")
    }
  }

  func evaluate(_ layer: any Layer, _ value: (Value) -> [Double]) -> ExactOutput {
    switch layer {
    case let layer as ConvolutionLayer: convolution(layer, value)
    case let layer as NormalizationLayer: normalization(layer, value)
    case let layer as AttentionLayer: attention(layer, value(layer.qkv))
    case let layer as LinearLayer: linear(layer, value)
    case let layer as UpsampleConcatenateLayer: upsample(layer, value)
    default: fatalError("no float64 definition of \(layer.label)")
    }
  }

  private func convolution(_ layer: ConvolutionLayer, _ value: (Value) -> [Double]) -> ExactOutput {
    let (x, residual) = (value(layer.input), layer.residual.map(value))
    let (height, width) = (layer.input.height, layer.input.width)
    let (inputs, outputs) = (layer.input.channels, layer.output.channels)
    let padded = layer.weight.shape.storage / (layer.taps.count * inputs)
    let tiles = layer.weight.prepared.transformsForward ? tileTerms(layer, x, padded) : []
    var result = ExactOutput()
    var sums = [Double](repeating: 0, count: outputs)
    var sizes = sums
    for r in 0..<layer.output.height {
      for c in 0..<layer.output.width {
        let place = (r * layer.output.width + c) * outputs
        for o in 0..<outputs {
          sums[o] = weights[layer.bias.offset + o] + (residual?[place + o] ?? 0)
          sizes[o] = abs(weights[layer.bias.offset + o]) + abs(residual?[place + o] ?? 0)
        }
        for tap in 0..<layer.taps.count {
          let side = layer.taps.side
          let row = r * layer.stride + (tap / side - side / 2) * layer.taps.dilation
          let column = c * layer.stride + (tap % side - side / 2) * layer.taps.dilation
          guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
          var i = 0
          while i < inputs {
            let pixel = x[(row * width + column) * inputs + i]
            let from = layer.weight.offset + (tap * inputs + i) * padded
            var o = 0
            while o < outputs {
              let term = pixel * weights[from + o]
              sums[o] += term
              sizes[o] += abs(term)
              o += 1
            }
            i += 1
          }
        }
        for o in 0..<outputs {
          let tile = (r / 4 * (width / 4) + c / 4) * outputs + o
          result.append(sums[o], terms: tiles.isEmpty ? sizes[o] : max(sizes[o], tiles[tile]))
        }
      }
    }
    return result
  }

  /// Σ ‖d‖ ‖g‖ over the input channels, for each tile and output: what passes through Winograd's form
  /// is as large as the whole tile is, whatever cancels in one pixel; by Cauchy and Schwarz at
  /// least as large as every output of the tile.
  private func tileTerms(_ layer: ConvolutionLayer, _ x: [Double], _ padded: Int) -> [Double] {
    let (height, width) = (layer.input.height, layer.input.width)
    let (inputs, outputs) = (layer.input.channels, layer.output.channels)
    var filters = [Double](repeating: 0, count: inputs * outputs)
    for i in 0..<inputs {
      for o in 0..<outputs {
        let squares = (0..<9).reduce(0.0) {
          let w = weights[layer.weight.offset + ($1 * inputs + i) * padded + o]
          return $0 + w * w
        }
        filters[i * outputs + o] = squares.squareRoot()
      }
    }
    var terms: [Double] = []
    for r in stride(from: 0, to: height, by: 4) {
      for c in stride(from: 0, to: width, by: 4) {
        var sums = [Double](repeating: 0, count: outputs)
        for i in 0..<inputs {
          var squares = 0.0
          for row in max(r - 1, 0)..<min(r + 5, height) {
            for column in max(c - 1, 0)..<min(c + 5, width) {
              let pixel = x[(row * width + column) * inputs + i]
              squares += pixel * pixel
            }
          }
          for o in 0..<outputs { sums[o] += squares.squareRoot() * filters[i * outputs + o] }
        }
        terms += sums
      }
    }
    return terms
  }

  private func normalization(_ layer: NormalizationLayer, _ value: (Value) -> [Double])
    -> ExactOutput
  {
    let x = value(layer.input)
    let channels = layer.input.channels
    let modulation = layer.modulation.map(value)
    var moments: [(mean: Double, size: Double, rstd: Double)] = []
    if case .group(let groups) = layer.kind {
      for g in 0..<groups {
        let members = x.indices.filter { $0 % channels / (channels / groups) == g }
        let mean = members.reduce(0) { $0 + x[$1] } / Double(members.count)
        let size = members.reduce(0) { $0 + abs(x[$1]) } / Double(members.count)
        let variance =
          members.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / Double(members.count)
        moments += [(mean, size, 1 / (variance + 1e-5).squareRoot())]
      }
    }
    var result = ExactOutput()
    for pixel in 0..<x.count / channels {
      let members = x[pixel * channels..<(pixel + 1) * channels]
      let squares = members.reduce(0) { $0 + $1 * $1 } / Double(channels)
      for k in 0..<channels {
        var v = x[pixel * channels + k]
        var terms = abs(v)
        switch layer.kind {
        case .none: break
        case .pixel:
          v /= (squares + 1e-4).squareRoot()
          terms = abs(v)
        case .group(let groups):
          let moment = moments[k / (channels / groups)]
          let gamma = layer.gamma.map { weights[$0.offset + k] } ?? 1
          let beta = layer.beta.map { weights[$0.offset + k] } ?? 0
          terms = abs(gamma) * moment.rstd * (abs(v) + moment.size) + abs(beta)
          v = gamma * (v - moment.mean) * moment.rstd + beta
        }
        let scale = 1 + (modulation?[k] ?? 0)
        let shift = modulation?[channels + k] ?? 0
        let z = v * scale + shift
        terms = terms * abs(scale) + abs(shift)
        result.append(layer.silu ? z / (1 + exp(-z)) : z, terms: terms)
      }
    }
    return result
  }

  private func attention(_ layer: AttentionLayer, _ qkv: [Double]) -> ExactOutput {
    let channels = layer.output.channels
    let tokens = layer.output.height * layer.output.width
    func at(_ token: Int, _ channel: Int) -> Double { qkv[token * 3 * channels + channel] }
    let root = Double(channels).squareRoot()
    var result = ExactOutput()
    for t in 0..<tokens {
      var scores: [Double] = []
      var size = 0.0
      for s in 0..<tokens {
        let products = (0..<channels).map { at(t, $0) * at(s, channels + $0) }
        scores.append(products.reduce(0, +) / root)
        size = max(size, products.reduce(0) { $0 + abs($1) } / root)
      }
      let largest = scores.max() ?? 0
      let powers = scores.map { exp($0 - largest) }
      let total = powers.reduce(0, +)
      for c in 0..<channels {
        let products = (0..<tokens).map { powers[$0] / total * at($0, 2 * channels + c) }
        // A score's error is a relative error of its power.
        result.append(
          products.reduce(0, +), terms: products.reduce(0) { $0 + abs($1) } * (1 + size))
      }
    }
    return result
  }

  private func linear(_ layer: LinearLayer, _ value: (Value) -> [Double]) -> ExactOutput {
    let (x, residual) = (value(layer.input), layer.residual.map(value))
    let padded = layer.weight.shape.storage / layer.input.channels
    var result = ExactOutput()
    for o in 0..<layer.output.channels {
      var products = (0..<layer.input.channels).map {
        x[$0] * weights[layer.weight.offset + $0 * padded + o]
      }
      products += [weights[layer.bias.offset + o], residual?[o] ?? 0]
      result.append(products.reduce(0, +), terms: products.reduce(0) { $0 + abs($1) })
    }
    return result
  }

  /// Copies have no error: no terms.
  private func upsample(_ layer: UpsampleConcatenateLayer, _ value: (Value) -> [Double])
    -> ExactOutput
  {
    let (low, skip) = (value(layer.low), value(layer.skip))
    var result = ExactOutput()
    for r in 0..<layer.skip.height {
      for c in 0..<layer.skip.width {
        for k in 0..<layer.low.channels {
          result.append(
            low[(r / 2 * layer.low.width + c / 2) * layer.low.channels + k], terms: 0)
        }
        for k in 0..<layer.skip.channels {
          result.append(skip[(r * layer.skip.width + c) * layer.skip.channels + k], terms: 0)
        }
      }
    }
    return result
  }
}
