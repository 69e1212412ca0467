import Streams
import Tensors

/// A network of random weights, also where training begins with 0: the null of a network of the same
/// receptive field, which depends on all that it can depend on and was taught nothing.
///
/// - Throws: `NoPlaces` for a network that takes a map of conditioners which have none.
package func untrainedDenoiser(_ description: NetworkDescription, seed: UInt64) throws
  -> NetworkDenoiser
{
  let network = try Network(description)
  let weights = network.graph.makeWeights()
  weights.initialize(seed: seed, purpose: .initialization)
  var tensors = weights.tensors()
  for i in tensors.indices
  where tensors[i].shape.count > 1 && tensors[i].values.allSatisfy({ $0 == 0 }) {
    // As every other layer begins: U(−1/√fan, 1/√fan).
    let bound = 1 / Double(tensors[i].shape.dropFirst().reduce(1, *)).squareRoot()
    var stream = RandomStream(seed: seed, purpose: .untrained, index: UInt64(i))
    for j in tensors[i].values.indices {
      tensors[i].values[j] = Float(stream.uniform(-bound, bound))
    }
  }
  try weights.load(tensors)
  return NetworkDenoiser(network: network, weights: weights)
}
