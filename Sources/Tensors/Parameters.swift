import Formats
import Streams
import Vectors

/// How a parameter lies in memory, and how PyTorch has it.
package enum ParameterShape: Sendable, Hashable {
  /// Here (taps, in, out in whole vectors), in PyTorch (out, in, side, side).
  case convolution(side: Int, inputs: Int, outputs: Int)
  /// Here (in, out in whole vectors), in PyTorch (out, in).
  case linear(inputs: Int, outputs: Int)
  case vector(Int)

  /// As in a PyTorch checkpoint.
  package var dimensions: [Int] {
    switch self {
    case .convolution(let side, let inputs, let outputs): [outputs, inputs, side, side]
    case .linear(let inputs, let outputs): [outputs, inputs]
    case .vector(let count): [count]
    }
  }

  /// Floats in our layout.
  var storage: Int {
    switch self {
    case .convolution(let side, let inputs, let outputs):
      side * side * inputs * paddedChannels(outputs)
    case .linear(let inputs, let outputs): inputs * paddedChannels(outputs)
    case .vector(let count): paddedChannels(count)
    }
  }

  /// Calls `body(ours, theirs)` with the two places of every value.
  func forEachPlace(_ body: (_ ours: Int, _ theirs: Int) -> Void) {
    switch self {
    case .convolution(let side, let inputs, let outputs):
      let padded = paddedChannels(outputs)
      let taps = side * side
      for output in 0..<outputs {
        for input in 0..<inputs {
          for tap in 0..<taps {
            body((tap * inputs + input) * padded + output, (output * inputs + input) * taps + tap)
          }
        }
      }
    case .linear(let inputs, let outputs):
      let padded = paddedChannels(outputs)
      for output in 0..<outputs {
        for input in 0..<inputs { body(input * padded + output, output * inputs + input) }
      }
    case .vector(let count):
      for i in 0..<count { body(i, i) }
    }
  }
}

/// How a parameter starts.
package enum Initialization: Sendable, Hashable {
  /// U(−1/√fan, 1/√fan): PyTorch's default for convolutions, linear layers and their biases.
  case uniform(fan: Int)
  case constant(Float)
}

/// A parameter of a graph: its name, its shape and where it lies among all of them.
package struct Parameter: Sendable, Hashable {
  package let name: String
  package let shape: ParameterShape
  package let initialization: Initialization
  /// In floats, in the weights.
  let offset: Int
  /// What the kernels of a convolution need of its weights, and where it lies.
  let prepared: PreparedWeights
}

/// Copies of a convolution's weights in the forms that its kernels read, made again after each update.
struct PreparedWeights: Sendable, Hashable {
  /// The forward pass reads U = G g Gᵀ, not the weights themselves.
  var transformsForward = false
  /// The gradient of the input reads the turned weights as U, not as (taps, out, in).
  var transformsBackward = false
  /// In floats, in the prepared weights: the forward copy, if any, then the backward copy.
  var offset = 0

  func forwardCount(_ shape: ParameterShape) -> Int {
    guard transformsForward, case .convolution(_, let inputs, let outputs) = shape else { return 0 }
    return winogradPoints * inputs * paddedChannels(outputs)
  }

  func backwardCount(_ shape: ParameterShape) -> Int {
    guard case .convolution(let side, let inputs, let outputs) = shape else { return 0 }
    return (transformsBackward ? winogradPoints : side * side) * outputs * paddedChannels(inputs)
  }

  func count(_ shape: ParameterShape) -> Int { forwardCount(shape) + backwardCount(shape) }
}

/// A tensor as PyTorch has it.
package struct NamedTensor: Sendable, Equatable {
  package var name: String
  package var shape: [Int]
  package var values: [Float]

  package init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// What does not fit between given tensors and a graph's parameters.
package enum ParameterMismatch: CategorizedError, Hashable, CustomStringConvertible {
  case missing([String])
  case unknown([String])
  case shape(name: String, found: [Int], expected: [Int])

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .missing(let names): "weights are missing: \(names.joined(separator: ", "))"
    case .unknown(let names):
      "weights that the network does not have: \(names.joined(separator: ", "))"
    case .shape(let name, let found, let expected):
      "weight \(name) has shape \(found), the network needs \(expected)"
    }
  }
}

/// The values of a graph's parameters, in our layout, with the copies that kernels read.
package final class Weights: Sendable {
  package let parameters: [Parameter]
  let values: AlignedBuffer
  let prepared: AlignedBuffer

  init(parameters: [Parameter]) {
    self.parameters = parameters
    values = AlignedBuffer(count: Self.storage(parameters))
    prepared = AlignedBuffer(count: Self.preparedStorage(parameters))
  }

  static func preparedStorage(_ parameters: [Parameter]) -> Int {
    parameters.reduce(0) { max($0, $1.prepared.offset + $1.prepared.count($1.shape)) }
  }

  static func storage(_ parameters: [Parameter]) -> Int {
    parameters.last.map { $0.offset + $0.shape.storage } ?? 0
  }

  /// The number of values that PyTorch would count.
  package var count: Int {
    parameters.reduce(0) { $0 + $1.shape.dimensions.reduce(1, *) }
  }

  /// Draws initial values, each parameter from a stream of its own.
  package func initialize(seed: UInt64, purpose: RandomPurpose) {
    for (index, parameter) in parameters.enumerated() {
      var stream = RandomStream(seed: seed, purpose: purpose, index: UInt64(index))
      let base = values.pointer + parameter.offset
      switch parameter.initialization {
      case .constant(let value): parameter.shape.forEachPlace { ours, _ in base[ours] = value }
      case .uniform(let fan):
        let bound = 1 / Double(fan).squareRoot()
        parameter.shape.forEachPlace { ours, _ in
          base[ours] = Float(stream.uniform(-bound, bound))
        }
      }
    }
    refresh()
  }

  /// Makes the kernels' copies again after the values have changed.
  func refresh(threads: Int = 1) {
    parallel(parameters.count, threads: threads) { index, _ in prepare(parameters[index]) }
  }

  private func prepare(_ parameter: Parameter) {
    guard case .convolution(let side, let inputs, let outputs) = parameter.shape else { return }
    let source = values.pointer + parameter.offset
    let forward = prepared.pointer + parameter.prepared.offset
    let backward = forward + parameter.prepared.forwardCount(parameter.shape)
    if parameter.prepared.transformsForward {
      transformFilter(source, into: forward, inputs: inputs, outputs: outputs)
    }
    if parameter.prepared.transformsBackward {
      let count = side * side * outputs * paddedChannels(inputs)
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
        guard let turned = buffer.baseAddress else { return }
        buffer.initialize(repeating: 0)
        turn(source, into: turned, taps: side * side, inputs: inputs, outputs: outputs)
        transformFilter(turned, into: backward, inputs: outputs, outputs: inputs)
      }
    } else {
      turn(source, into: backward, taps: side * side, inputs: inputs, outputs: outputs)
    }
  }

  /// In PyTorch's names, order of dimensions and order of values.
  package func tensors() -> [NamedTensor] { export(values) }

  func export(_ buffer: AlignedBuffer) -> [NamedTensor] {
    parameters.map { parameter in
      let shape = parameter.shape.dimensions
      var result = [Float](repeating: 0, count: shape.reduce(1, *))
      let base = buffer.pointer + parameter.offset
      parameter.shape.forEachPlace { ours, theirs in result[theirs] = base[ours] }
      return NamedTensor(name: parameter.name, shape: shape, values: result)
    }
  }

  /// Takes tensors with exactly the graph's names and shapes.
  package func load(_ tensors: [NamedTensor]) throws(ParameterMismatch) {
    try fill(values, from: tensors)
    refresh()
  }

  func fill(_ buffer: AlignedBuffer, from tensors: [NamedTensor]) throws(ParameterMismatch) {
    let byName = try checkFit(tensors, parameters)
    for parameter in parameters {
      guard let tensor = byName[parameter.name] else { continue }
      let base = buffer.pointer + parameter.offset
      parameter.shape.forEachPlace { ours, theirs in base[ours] = tensor.values[theirs] }
    }
  }
}

/// The tensors by name, if they have exactly the parameters' names and shapes.
@discardableResult
func checkFit(_ tensors: [NamedTensor], _ parameters: [Parameter]) throws(ParameterMismatch)
  -> [String: NamedTensor]
{
  var byName: [String: NamedTensor] = [:]
  for tensor in tensors { byName[tensor.name] = tensor }
  let known = Set(parameters.map(\.name))
  let missing = parameters.map(\.name).filter { byName[$0] == nil }
  if !missing.isEmpty { throw .missing(missing) }
  let unknown = byName.keys.filter { !known.contains($0) }.sorted()
  if !unknown.isEmpty { throw .unknown(unknown) }
  for parameter in parameters {
    guard let tensor = byName[parameter.name] else { continue }
    let expected = parameter.shape.dimensions
    if tensor.shape != expected || tensor.values.count != expected.reduce(1, *) {
      throw .shape(name: parameter.name, found: tensor.shape, expected: expected)
    }
  }
  return byName
}
