/// One kernel of a graph, at the place where it runs.
package struct Kernel: Sendable {
  package enum Pass: String, Sendable, CaseIterable {
    case forward
    case backward
    case backwardData = "backward-data"
    case backwardWeights = "backward-weights"
  }

  /// What its layer does to which shape.
  package let label: String
  package let pass: Pass
  /// Floating-point operations for one picture, by definition; 0 where none are counted.
  package let operations: Int

  /// - Parameter passes: how many forward passes its work is worth.
  fileprivate init(_ layer: any Layer, _ pass: Pass, passes: Int) {
    label = layer.label
    self.pass = pass
    operations = 2 * passes * layer.multiplyAdds
  }
}

extension Workspace {
  /// Takes a picture forward and back, kernel by kernel: `run` gets each with the work to do, and does it.
  ///
  /// For whoever measures: the order, and what lies in the caches, are those of `forward` and `backward`.
  package func visitKernels(
    _ weights: Weights, into gradients: Gradients, _ run: (Kernel, () -> Void) -> Void
  ) {
    let frame = frame(weights, weightGradients: gradients.values.pointer)
    for layer in graph.layers {
      run(Kernel(layer, .forward, passes: 1)) { layer.forward(frame) }
    }
    for (layer, accumulate) in zip(graph.layers, graph.accumulate).reversed() {
      if let convolution = layer as? ConvolutionLayer {
        run(Kernel(layer, .backwardWeights, passes: 1)) { convolution.weightGradient(frame) }
        // The input of the graph needs no gradient.
        guard frame.gradientField(convolution.input) != nil else { continue }
        run(Kernel(layer, .backwardData, passes: 1)) {
          convolution.residualGradient(frame, accumulate: accumulate[0])
          convolution.inputGradient(
            frame, accumulate: accumulate[convolution.residual == nil ? 0 : 1])
        }
      } else {
        run(Kernel(layer, .backward, passes: 2)) { layer.backward(frame, accumulate: accumulate) }
      }
    }
  }
}
