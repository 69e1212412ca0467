import Formats
import Foundation
import Tensors

/// A training between two batches, on disk as safetensors.
package struct TrainingState: Sendable {
  /// Batches done.
  package var steps: Int
  /// The optimiser's state.
  package var tensors: [NamedTensor]

  package init(steps: Int, tensors: [NamedTensor]) {
    self.steps = steps
    self.tensors = tensors
  }

  package func data() -> Data {
    Safetensors(
      tensors: Dictionary(
        uniqueKeysWithValues: tensors.map {
          ($0.name, Safetensors.Tensor(shape: $0.shape, values: $0.values))
        }), metadata: ["steps": "\(steps)"]
    ).data()
  }

  package init(data: Data) throws(FormatError) {
    let file = try Safetensors(data: data)
    guard let steps = file.metadata["steps"].flatMap({ Int($0) }), steps >= 0 else {
      throw FormatError("training state", "it does not say after how many steps it was taken")
    }
    self.steps = steps
    tensors = file.tensors.map {
      NamedTensor(name: $0.key, shape: $0.value.shape, values: $0.value.values)
    }
  }
}
