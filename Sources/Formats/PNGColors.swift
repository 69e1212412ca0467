/// What the samples of a PNG mean: palette, transparency, and the colour behind it.
struct PNGColors {
  private let header: PNGHeader
  private let background: (UInt8, UInt8, UInt8)
  private(set) var palette: [(UInt8, UInt8, UInt8)] = []
  /// Of palette entries, as far as stated.
  private var alphas: [UInt8] = []
  /// The one grey or colour that is transparent, in the file's own depth.
  private var key: (Int, Int, Int)?

  init(_ header: PNGHeader, background: (UInt8, UInt8, UInt8)) {
    self.header = header
    self.background = background
  }

  mutating func readPalette(_ chunk: PNGChunks.Chunk) throws(FormatError) {
    let most = header.color == .palette ? 1 << header.depth : 256
    guard palette.isEmpty, alphas.isEmpty, chunk.data.count % 3 == 0,
      (1...most).contains(chunk.data.count / 3)
    else {
      throw chunk.refuse(
        "\(chunk.data.count) bytes, accepted: one palette of 1 to \(most) colours of 3 bytes")
    }
    let bytes = Array(chunk.data)
    palette = (0..<bytes.count / 3).map { (bytes[3 * $0], bytes[3 * $0 + 1], bytes[3 * $0 + 2]) }
  }

  mutating func readTransparency(_ chunk: PNGChunks.Chunk) throws(FormatError) {
    let bytes = Array(chunk.data)
    switch header.color {
    case .palette:
      guard alphas.isEmpty, (1...max(palette.count, 1)).contains(bytes.count), !palette.isEmpty
      else {
        throw chunk.refuse(
          "\(bytes.count) bytes behind a palette of \(palette.count) colours, accepted: at most one a colour"
        )
      }
      alphas = bytes
    case .gray, .rgb:
      guard key == nil, bytes.count == 2 * header.color.channels else {
        throw chunk.refuse(
          "\(bytes.count) bytes, accepted: once \(2 * header.color.channels) for this colour type")
      }
      func number(_ channel: Int) -> Int {
        let place = header.color == .gray ? 0 : 2 * channel
        return Int(bytes[place]) << 8 | Int(bytes[place + 1])
      }
      key = (number(0), number(1), number(2))
    // The alpha channel says all there is.
    case .grayAlpha, .rgbAlpha: break
    }
  }

  /// Writes a row of a pass as R, G, B.
  func convert(
    _ row: [UInt8], from start: Int, _ pass: PNGPass, _ y: Int, into pixels: inout [UInt8]
  ) throws(FormatError) {
    let line = (pass.firstRow + y * pass.rowStep) * header.width
    let step = 3 * pass.columnStep
    var place = 3 * (line + pass.firstColumn)
    let isPlain = header.depth == 8 && key == nil
    let beyond = row.withUnsafeBufferPointer { row -> Int? in
      pixels.withUnsafeMutableBufferPointer { pixels -> Int? in
        for x in 0..<pass.width {
          switch header.color {
          case .rgb where isPlain:
            let from = start + 3 * x
            for c in 0..<3 { pixels[place + c] = row[from + c] }
          case .rgbAlpha where isPlain:
            let from = start + 4 * x
            lay((row[from], row[from + 1], row[from + 2]), row[from + 3], pixels, place)
          case .palette:
            let index = sample(row, start, x)
            if index >= palette.count { return index }
            lay(palette[index], index < alphas.count ? alphas[index] : 255, pixels, place)
          default:
            let (color, alpha) = color(row, start, x)
            lay(color, alpha, pixels, place)
          }
          place += step
        }
        return nil
      }
    }
    if let beyond {
      throw FormatError(
        "PNG",
        "a pixel has colour \(beyond) of a palette (PLTE) of \(palette.count); write it again")
    }
  }

  /// The sample at a place of a row, in the file's own depth.
  @inline(__always)
  private func sample(_ row: UnsafeBufferPointer<UInt8>, _ start: Int, _ index: Int) -> Int {
    switch header.depth {
    case 8: return Int(row[start + index])
    case 16: return Int(row[start + 2 * index]) << 8 | Int(row[start + 2 * index + 1])
    default:
      let bit = index * header.depth
      let shift = 8 - header.depth - bit % 8
      return Int(row[start + bit / 8]) >> shift & (1 << header.depth - 1)
    }
  }

  /// With 8 bits: greater depths lose the lower ones, smaller ones are spread over the range.
  @inline(__always)
  private func byte(_ sample: Int) -> UInt8 {
    header.depth == 16
      ? UInt8(sample >> 8) : UInt8(sample * 255 / (1 << header.depth - 1))
  }

  private func color(_ row: UnsafeBufferPointer<UInt8>, _ start: Int, _ x: Int) -> (
    (UInt8, UInt8, UInt8), UInt8
  ) {
    let channels = header.color.channels
    let isGray = channels < 3
    let first = sample(row, start, channels * x)
    let second = isGray ? first : sample(row, start, channels * x + 1)
    let third = isGray ? first : sample(row, start, channels * x + 2)
    var alpha: UInt8 = 255
    if channels == 2 || channels == 4 {
      alpha = byte(sample(row, start, channels * x + channels - 1))
    } else if let key, key == (first, second, third) {
      alpha = 0
    }
    return ((byte(first), byte(second), byte(third)), alpha)
  }

  @inline(__always)
  private func lay(
    _ color: (UInt8, UInt8, UInt8), _ alpha: UInt8, _ pixels: UnsafeMutableBufferPointer<UInt8>,
    _ place: Int
  ) {
    pixels[place] = mixed(color.0, alpha, background.0)
    pixels[place + 1] = mixed(color.1, alpha, background.1)
    pixels[place + 2] = mixed(color.2, alpha, background.2)
  }

  @inline(__always)
  private func mixed(_ value: UInt8, _ alpha: UInt8, _ behind: UInt8) -> UInt8 {
    if alpha == 255 { return value }
    let sum = Int(value) * Int(alpha) + Int(behind) * (255 - Int(alpha))
    return UInt8((2 * sum + 255) / 510)
  }
}
