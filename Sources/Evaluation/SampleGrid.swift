import Diffusion
import Formats
import Scenes

/// Pictures in rows and columns, enlarged, with the requested cells outlined where there are cells, and
/// crossed where nothing was found; where words are asked for, the colours that they name.
package struct SampleGrid {
  package struct Row {
    /// A number of at most three digits before the row.
    package var label: Int
    /// Each (S, S, 3) in [−1, 1].
    package var pictures: [[Float]]
    /// The requested places of each picture, in pixels.
    package var places: [[Place]]
    /// Whether each of them was found; `nil` where nobody looked.
    package var isFound: [[Bool]]?
    /// Of each picture, the colours that were asked for; `nil` where none were.
    package var words: [[Asked]]?

    package init(
      label: Int, pictures: [[Float]], places: [[Place]], isFound: [[Bool]]? = nil,
      words: [[Asked]]? = nil
    ) {
      self.words = words
      self.label = label
      self.pictures = pictures
      self.places = places
      self.isFound = isFound
    }
  }

  /// A colour that was asked for, wherever.
  package struct Asked: Sendable, Hashable {
    package var color: ObjectColor
    package var isFound: Bool

    package init(color: ObjectColor, isFound: Bool) {
      self.color = color
      self.isFound = isFound
    }
  }

  private let shape: PictureShape
  private let scale: Int
  private var width = 0
  private var height = 0
  private var pixels: [UInt8] = []

  /// `scale`: pixels of the image a pixel of a picture.
  package static func draw(_ rows: [Row], shape: PictureShape, scale: Int = 4) throws(FormatError)
    -> PNGImage
  {
    var grid = SampleGrid(shape: shape, scale: scale)
    let columns = rows.map(\.pictures.count).max() ?? 0
    let margin = 34
    let pitch = shape.size * scale + 4
    grid.width = margin + columns * pitch + 4
    grid.height = rows.count * pitch + 4
    // A mid grey that neither a light nor a dark page swallows.
    grid.pixels = [UInt8](repeating: 120, count: grid.width * grid.height * 3)
    for (r, row) in rows.enumerated() {
      let top = 4 + r * pitch
      grid.write(row.label, x: 4, y: top + pitch / 2 - 9)
      for (c, picture) in row.pictures.enumerated() {
        grid.paste(
          picture, places: row.places[c], isFound: row.isFound?[c], x: margin + c * pitch, y: top)
        grid.mark(row.words?[c] ?? [], x: margin + c * pitch, y: top)
      }
    }
    return try PNGImage(width: grid.width, height: grid.height, pixels: grid.pixels)
  }

  private init(shape: PictureShape, scale: Int) {
    self.shape = shape
    self.scale = scale
  }

  private mutating func set(_ x: Int, _ y: Int, _ color: (UInt8, UInt8, UInt8)) {
    guard (0..<width).contains(x), (0..<height).contains(y) else { return }
    let i = (y * width + x) * 3
    pixels[i] = color.0
    pixels[i + 1] = color.1
    pixels[i + 2] = color.2
  }

  private mutating func paste(
    _ picture: [Float], places: [Place], isFound: [Bool]?, x: Int, y: Int
  ) {
    let side = shape.size * scale
    for row in 0..<side {
      for column in 0..<side {
        let i = (row / scale * shape.size + column / scale) * 3
        set(
          x + column, y + row, (byte(picture[i]), byte(picture[i + 1]), byte(picture[i + 2])))
      }
    }
    guard let grid = shape.grid else { return }
    let cell = Double(grid.cellSize * scale)
    for (index, place) in places.enumerated() {
      let left = x + Int(place.x * Double(scale) - cell / 2)
      let top = y + Int(place.y * Double(scale) - cell / 2)
      outline(left - 1, top - 1, Int(cell) + 2, (0, 0, 0))
      outline(left, top, Int(cell), (255, 255, 255))
      if isFound?[index] == false { cross(left - 1, top - 1, Int(cell) + 2) }
    }
  }

  /// A patch each along the upper edge, crossed where no object has the colour.
  private mutating func mark(_ asked: [Asked], x: Int, y: Int) {
    let side = shape.size * scale / 10
    for (place, word) in asked.enumerated() {
      let left = x + 1 + place * (side + 2)
      let rgb = word.color.rgb
      for row in 0..<side {
        for column in 0..<side {
          set(left + column, y + 1 + row, (UInt8(rgb.x), UInt8(rgb.y), UInt8(rgb.z)))
        }
      }
      outline(left, y + 1, side, (255, 255, 255))
      if !word.isFound { cross(left, y + 1, side) }
    }
  }

  /// By its form, not by a colour alone: objects have eight of them.
  private mutating func cross(_ x: Int, _ y: Int, _ side: Int) {
    for i in 0..<side {
      for column in [i, side - 1 - i] {
        set(x + column + 1, y + i, (0, 0, 0))
        set(x + column - 1, y + i, (0, 0, 0))
      }
    }
    for i in 0..<side {
      for column in [i, side - 1 - i] { set(x + column, y + i, (255, 0, 220)) }
    }
  }

  private mutating func outline(_ x: Int, _ y: Int, _ side: Int, _ color: (UInt8, UInt8, UInt8)) {
    for i in 0..<side {
      set(x + i, y, color)
      set(x + i, y + side - 1, color)
      set(x, y + i, color)
      set(x + side - 1, y + i, color)
    }
  }

  private func byte(_ value: Float) -> UInt8 { UInt8(min(max((value + 1) * 127.5, 0), 255)) }

  /// Digits of 3 × 5, doubled and a half: 7.5 px wide.
  private static let digits: [[UInt8]] = [
    [7, 5, 5, 5, 7], [2, 6, 2, 2, 7], [7, 1, 7, 4, 7], [7, 1, 7, 1, 7], [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7], [7, 4, 7, 5, 7], [7, 1, 2, 2, 2], [7, 5, 7, 5, 7], [7, 5, 7, 1, 7],
  ]

  private mutating func write(_ number: Int, x: Int, y: Int) {
    let size = 3
    for (index, digit) in String(max(0, min(number, 999))).compactMap(\.wholeNumberValue)
      .enumerated()
    {
      for row in 0..<5 {
        for column in 0..<3 where Self.digits[digit][row] >> (2 - column) & 1 == 1 {
          for i in 0..<size {
            for j in 0..<size {
              let left = x + index * 4 * size - index * 2
              set(left + column * size + j, y + row * size + i, (255, 255, 255))
            }
          }
        }
      }
    }
  }
}
