/// A value of a graph by its name: everything that comes later sees it as it stands there.
///
/// Every value has a place of its own, so that reading one after a pass costs nothing, and a pass that is not
/// asked for any is the same as before they had names.
package struct Activation: Sendable, Hashable {
  package let name: String
  package let value: Value
  /// How many of the graph's layers make it.
  let layers: Int
}

extension Workspace {
  /// The forward pass as far as it takes to make a value.
  package func forward(_ weights: Weights, upTo activation: Activation) {
    let frame = frame(weights)
    for layer in graph.layers[..<activation.layers] { layer.forward(frame) }
  }

  /// The rest of it, from what stands there: as the pass left it, or as it was written since.
  package func forward(_ weights: Weights, from activation: Activation) {
    let frame = frame(weights)
    for layer in graph.layers[activation.layers...] { layer.forward(frame) }
  }
}
