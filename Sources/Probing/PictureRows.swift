import Streams

/// Numbers of pictures that are done, in their order: all the state that there is of work picture by picture.
struct PictureRows {
  private let width: Int
  private var values: [Double] = []
  private var kept: GrowingBlob<Double>

  /// What an earlier process had done.
  init(width: Int, _ checkpointing: Checkpointing) {
    self.width = width
    kept = GrowingBlob(name: "pictures")
    if checkpointing.saved.isEmpty { return }
    guard let (blob, found) = GrowingBlob<Double>.restored("pictures", from: checkpointing.saved),
      found.count.isMultiple(of: width)
    else {
      checkpointing.discard("its pictures are not of this measurement")
      return
    }
    (kept, values) = (blob, found)
  }

  var all: [[Double]] {
    stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }

  /// - Parameter row: `width` numbers of a picture.
  mutating func fill(
    _ count: Int, _ checkpointing: Checkpointing, row: (Int) throws -> [Double]
  ) throws {
    var (values, kept) = (values, kept)
    try checkpointing.run(
      while: { values.count < count * width },
      state: { kept.piece(of: values) },
      unit: { values += try row(values.count / width) })
    (self.values, self.kept) = (values, kept)
  }
}
