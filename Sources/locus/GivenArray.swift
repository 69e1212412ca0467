import Diffusion
import Formats

/// An array of numbers in a file that the command line names.
struct GivenArray {
  /// What it holds, and so what whole numbers in it mean.
  enum Meaning {
    /// Bytes 0 to 255 stand for -1 to 1, as in training; other whole numbers for nothing.
    case pictures
    case numbers
  }

  let path: String
  let shape: [Int]
  /// In C order.
  let values: [Float]

  init(_ path: String, _ meaning: Meaning, dimensions: [Int]) throws(UsageError) {
    let data = try readFile(path)
    let array: NPYArray
    do {
      array = try NPYArray(npy: data)
    } catch {
      throw wrongFormat(path, data, wanted: .npy, error)
    }
    self.path = path
    shape = array.shape
    if !dimensions.contains(shape.count) {
      let counts = dimensions.map(String.init).joined(separator: " or ")
      throw .badFile(path, reason: "shape \(shape); \(counts) dimensions are needed")
    }
    switch (array.elements, meaning) {
    case (.float32(let given), _): values = given
    case (.float64(let given), _): values = given.map(Float.init)
    case (.uint8(let given), .pictures): values = given.map(TrainingSet.value)
    case (.uint8(let given), .numbers): values = given.map(Float.init)
    case (.int64(let given), .numbers): values = given.map(Float.init)
    case (.int64, .pictures):
      throw .badFile(
        path, reason: "elements are int64; float32 and float64 from -1 to 1 are read, and uint8")
    }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw refusal(at: place, "finite float32 numbers are read")
    }
  }

  /// What is wrong with one element, by its indices.
  func refusal(at place: Int, _ reason: String) -> UsageError {
    var rest = place
    let indices = shape.reversed().map { side in
      defer { rest /= side }
      return rest % side
    }
    return .badFile(
      path, reason: "element \(Array(indices.reversed())) is \(values[place]); \(reason)")
  }
}
