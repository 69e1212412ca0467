import Formats

/// Pictures and conditioners to train on.
package struct TrainingSet: Sendable {
  package let shape: PictureShape
  /// (N, S, S, 3), bytes as rendered.
  package let pixels: [UInt8]
  /// (N, C): counts of all objects.
  package let conditioners: [UInt8]

  package init(shape: PictureShape, pixels: [UInt8], conditioners: [UInt8]) throws(TrainingError) {
    let count = pixels.count / max(shape.pictureCount, 1)
    if count == 0 || pixels.count != count * shape.pictureCount
      || conditioners.count != count * shape.conditionerCount
    {
      throw .trainingSet(
        pixels: pixels.count, conditioners: conditioners.count, shape: shape)
    }
    self.shape = shape
    self.pixels = pixels
    self.conditioners = conditioners
  }

  package var count: Int { pixels.count / shape.pictureCount }

  /// Byte to value: 0 … 255 to −1 … 1.
  @inline(__always)
  package static func value(_ byte: UInt8) -> Float { Float(byte) / 127.5 - 1 }
}

package enum TrainingError: CategorizedError, Hashable, CustomStringConvertible {
  case trainingSet(pixels: Int, conditioners: Int, shape: PictureShape)
  case diverged(pictures: Int)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .trainingSet(let pixels, let conditioners, let shape):
      "\(pixels) bytes of pictures and \(conditioners) of conditioners do not make whole pictures"
        + " of \(shape.size)×\(shape.size) with conditioners \(shape.space.text)"
    case .diverged(let pictures):
      "training diverged after \(pictures) pictures: the loss is not finite; lower `learning_rate`"
    }
  }
}
