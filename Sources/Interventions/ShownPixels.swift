import Diffusion

/// For each block the pixels that its pass sees, as ranges of values of a picture (S, S, 3), ascending.
struct ShownPixels: Sendable {
  private let blocks: [[Range<Int>]]
  private let all: [Range<Int>]

  init(_ specification: MaskSpecification, _ shape: PictureShape) {
    all = [0..<shape.pictureCount]
    guard specification.masksPixels else {
      blocks = []
      return
    }
    let size = shape.size
    let across = size / specification.block
    blocks = (0..<across * across).map { index in
      let own = Self.square(index, specification, margin: 0, size: size)
      let near = Self.square(index, specification, margin: specification.margin, size: size)
      var isShown = [Bool](repeating: false, count: size * size)
      for row in near.rows {
        for column in near.columns {
          let isOwn = own.rows.contains(row) && own.columns.contains(column)
          // On the torus a ring that is moved keeps its area.
          let shift = isOwn || specification.ring == .near ? 0 : size / 2
          isShown[(row + shift) % size * size + (column + shift) % size] = true
        }
      }
      return Self.ranges(isShown)
    }
  }

  /// Of a pass; of no block: everything.
  subscript(block: Int?) -> [Range<Int>] { block.map { blocks[$0] } ?? all }

  private static func square(_ index: Int, _ mask: MaskSpecification, margin: Int, size: Int) -> (
    rows: Range<Int>, columns: Range<Int>
  ) {
    let across = size / mask.block
    let top = index / across * mask.block
    let left = index % across * mask.block
    // Cut before adding, so that no margin overflows.
    let reach = min(margin, size)
    return (
      max(0, top - reach)..<min(size, top + mask.block + reach),
      max(0, left - reach)..<min(size, left + mask.block + reach)
    )
  }

  private static func ranges(_ isShown: [Bool]) -> [Range<Int>] {
    let channels = PictureShape.channels
    var ranges: [Range<Int>] = []
    for pixel in isShown.indices where isShown[pixel] {
      let start = pixel * channels
      if let last = ranges.last, last.upperBound == start {
        ranges[ranges.count - 1] = last.lowerBound..<start + channels
      } else {
        ranges.append(start..<start + channels)
      }
    }
    return ranges
  }
}
