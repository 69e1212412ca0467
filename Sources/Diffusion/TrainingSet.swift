import Formats

/// Pictures and conditioners to train on.
public struct TrainingSet: Sendable {
  public let shape: PictureShape
  /// (N, S, S, 3), bytes as rendered.
  public let pixels: [UInt8]
  /// (N, C): counts of all objects.
  public let conditioners: [UInt8]

  public init(shape: PictureShape, pixels: [UInt8], conditioners: [UInt8]) throws(TrainingError) {
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

  public var count: Int { pixels.count / shape.pictureCount }

  /// Byte to value: 0 … 255 to −1 … 1.
  @inline(__always)
  public static func value(_ byte: UInt8) -> Float { Float(byte) / 127.5 - 1 }
}

public enum TrainingError: CategorizedError, Hashable, CustomStringConvertible {
  case trainingSet(pixels: Int, conditioners: Int, shape: PictureShape)
  case diverged(pictures: Int)

  public var category: ErrorCategory { .data }

  public var description: String {
    switch self {
    case .trainingSet(let pixels, let conditioners, let shape):
      "\(pixels) bytes of pictures and \(conditioners) of conditioners do not make whole pictures"
        + " of \(shape.size)×\(shape.size) with conditioners \(shape.space.text)"
    case .diverged(let pictures):
      "training diverged after \(pictures) pictures: the loss is not finite; lower `learning_rate`"
    }
  }
}
