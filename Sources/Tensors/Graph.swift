/// A network of one picture: layers in order, their parameters, and the plan of their memory.
///
/// A picture goes through the whole graph before the next one starts (depth first), so its
/// activations stay in the caches; threads take different pictures.
package struct Graph: Sendable {
  let layers: [any Layer]
  let accumulate: [[Bool]]
  let placements: [Placement]
  let forwardCount: Int
  let gradientCount: Int
  /// Floats that a layer may use while it works.
  let scratchCount: Int
  package let parameters: [Parameter]
  package let output: Value
  /// Values that have a name, in the order in which they are made.
  package let activations: [Activation]

  /// Floating-point operations of one picture's forward pass: two a multiply-add.
  package var operations: Int { layers.reduce(0) { $0 + 2 * $1.multiplyAdds } }

  package func makeWeights() -> Weights { Weights(parameters: parameters) }

  /// Weights from tensors with exactly the parameters' names and shapes. Nothing is allocated
  /// for tensors that do not fit: a file may claim a network far larger than itself.
  package func makeWeights(_ tensors: [NamedTensor]) throws(ParameterMismatch) -> Weights {
    try checkFit(tensors, parameters)
    let weights = makeWeights()
    try weights.load(tensors)
    return weights
  }
  /// Bytes of one workspace.
  package func workspaceBytes(gradients: Bool) -> Int {
    (forwardCount + (gradients ? gradientCount : 0) + scratchCount) * MemoryLayout<Float>.stride
  }
  /// Bytes of all weights or of their gradients, as they lie in memory.
  package var weightBytes: Int { Weights.storage(parameters) * MemoryLayout<Float>.stride }
  /// Bytes of what layers make of the weights before they use them.
  package var preparedBytes: Int {
    Weights.preparedStorage(parameters) * MemoryLayout<Float>.stride
  }

  package func makeWorkspace(gradients: Bool) -> Workspace {
    Workspace(graph: self, gradients: gradients)
  }
}

/// The memory that one thread needs to take a picture through a graph and back.
///
/// Used by one thread at a time.
package final class Workspace: @unchecked Sendable {
  let graph: Graph
  private let forwardArena: AlignedBuffer
  private let gradientArena: AlignedBuffer?
  private let scratch: AlignedBuffer

  init(graph: Graph, gradients: Bool) {
    self.graph = graph
    forwardArena = AlignedBuffer(count: graph.forwardCount)
    gradientArena = gradients ? AlignedBuffer(count: graph.gradientCount) : nil
    scratch = AlignedBuffer(count: graph.scratchCount)
  }

  func frame(
    _ weights: Weights, weightGradients: UnsafeMutablePointer<Float>? = nil,
    inputGradients: Bool = false
  ) -> Frame {
    Frame(
      placements: graph.placements, forward: forwardArena.pointer,
      gradient: gradientArena?.pointer, weights: weights.values.pointer,
      prepared: weights.prepared.pointer, weightGradients: weightGradients,
      scratch: scratch.pointer, wantsInputGradients: inputGradients)
  }

  /// Where the forward pass leaves `value`.
  func field(_ value: Value) -> Field {
    graph.placements[value.index].forwardField(value, forwardArena.pointer)
  }

  /// Reads `value`: (H, W, C) contiguous.
  package func read(_ value: Value, into target: UnsafeMutablePointer<Float>) {
    read(field(value), into: target)
  }

  /// Sets `value` from (H, W, C) contiguous.
  package func write(_ source: UnsafePointer<Float>, to value: Value) {
    write(source, field(value))
  }

  /// Reads the gradient of `value`: (H, W, C) contiguous.
  package func readGradient(_ value: Value, into target: UnsafeMutablePointer<Float>) {
    guard let gradientArena else { return }
    read(graph.placements[value.index].gradientField(value, gradientArena.pointer), into: target)
  }

  /// Sets the gradient of the output from (H, W, C) contiguous.
  package func writeOutputGradient(_ source: UnsafePointer<Float>) {
    guard let gradientArena else { return }
    let value = graph.output
    write(source, graph.placements[value.index].gradientField(value, gradientArena.pointer))
  }

  package func forward(_ weights: Weights) {
    let frame = frame(weights)
    for layer in graph.layers { layer.forward(frame) }
  }

  /// Adds to the gradients of the weights; needs the output's gradient and the forward pass's
  /// activations, which it leaves as they are.
  package func backward(
    _ weights: Weights, into gradients: Gradients? = nil, inputGradients: Bool = false
  ) {
    let frame = frame(
      weights, weightGradients: gradients?.values.pointer, inputGradients: inputGradients)
    for (layer, accumulate) in zip(graph.layers, graph.accumulate).reversed() {
      layer.backward(frame, accumulate: accumulate)
    }
  }

  private func read(_ field: Field, into target: UnsafeMutablePointer<Float>) {
    var to = target
    for row in 0..<field.height {
      var from = field.row(row)
      for _ in 0..<field.width {
        to.update(from: from, count: field.channels)
        to += field.channels
        from += field.pixelStride
      }
    }
  }

  private func write(_ source: UnsafePointer<Float>, _ field: Field) {
    var from = source
    for row in 0..<field.height {
      var to = field.row(row)
      for _ in 0..<field.width {
        to.update(from: from, count: field.channels)
        from += field.channels
        to += field.pixelStride
      }
    }
  }
}

extension Placement {
  fileprivate func forwardField(_ value: Value, _ arena: UnsafeMutablePointer<Float>) -> Field {
    field(value, arena + forwardOffset, border: forwardBorder)
  }

  fileprivate func gradientField(_ value: Value, _ arena: UnsafeMutablePointer<Float>) -> Field {
    field(value, arena + gradientOffset, border: gradientBorder)
  }
}

/// The gradient of a loss with respect to all weights, in the weights' layout.
package final class Gradients: Sendable {
  let values: AlignedBuffer

  package init(for weights: Weights) { values = AlignedBuffer(count: weights.values.count) }

  package func clear() { values.clear() }

  /// In PyTorch's names and order.
  package func tensors(of weights: Weights) -> [NamedTensor] { weights.export(values) }
}
