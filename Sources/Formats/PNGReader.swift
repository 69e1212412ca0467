import Foundation

/// What a PNG file says of its picture before the picture.
package struct PNGHeader: Sendable, Equatable {
  package enum Color: UInt8, Sendable {
    case gray = 0
    case rgb = 2
    case palette = 3
    case grayAlpha = 4
    case rgbAlpha = 6

    var channels: Int {
      switch self {
      case .gray, .palette: 1
      case .grayAlpha: 2
      case .rgb: 3
      case .rgbAlpha: 4
      }
    }

    fileprivate var depths: [Int] {
      switch self {
      case .gray: [1, 2, 4, 8, 16]
      case .palette: [1, 2, 4, 8]
      case .rgb, .grayAlpha, .rgbAlpha: [8, 16]
      }
    }
  }

  package let width: Int
  package let height: Int
  /// Bits a channel.
  package let depth: Int
  package let color: Color
  package let isInterlaced: Bool

  /// More pixels than any picture that is read here; a palette picture of one bit has so many in 8 MiB.
  package static let mostPixels = 1 << 26

  /// - Parameter data: the beginning of a file at least.
  package init(data: Data) throws(FormatError) {
    var chunks = try PNGChunks(data)
    self = try PNGHeader(chunks.next())
  }

  fileprivate init(_ chunk: PNGChunks.Chunk) throws(FormatError) {
    let bytes = Array(chunk.data)
    guard chunk.type == "IHDR", bytes.count == 13 else {
      throw chunk.refuse("IHDR of 13 bytes has to be the first")
    }
    func number(_ place: Int) -> Int { bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
    width = number(0)
    height = number(4)
    depth = Int(bytes[8])
    guard (1...Int(Int32.max)).contains(width), (1...Int(Int32.max)).contains(height),
      width * height <= Self.mostPixels
    else {
      throw chunk.refuse(
        "\(width) × \(height) pixels, accepted: from 1 to \(Self.mostPixels) in all; make it smaller"
      )
    }
    guard let color = Color(rawValue: bytes[9]), color.depths.contains(depth) else {
      throw chunk.refuse("colour type \(bytes[9]) of \(depth) bits is none of PNG's")
    }
    guard bytes[10] == 0, bytes[11] == 0, bytes[12] < 2 else {
      throw chunk.refuse(
        "compression \(bytes[10]), filter \(bytes[11]), interlace \(bytes[12]), accepted: 0, 0, 0 or 1"
      )
    }
    self.color = color
    isInterlaced = bytes[12] == 1
  }

  var bitsPerPixel: Int { depth * color.channels }
}

extension PNGImage {
  /// Reads any PNG file: all colour types, depths, filters and interlacing; of 16 bits a channel the upper 8.
  ///
  /// What is transparent, by an alpha channel or a tRNS chunk, is laid over `background`: of a channel c with
  /// alpha a, round((a · c + (255 − a) · background) / 255).
  ///
  /// - Throws: what is wrong with which chunk; nothing is allocated that the file's own bytes do not pay for.
  package init(png data: Data, over background: (UInt8, UInt8, UInt8)) throws(FormatError) {
    var chunks = try PNGChunks(data)
    let header = try PNGHeader(chunks.next())
    var colors = PNGColors(header, background: background)
    var chunk = try chunks.next()
    while chunk.type != "IDAT" {
      switch chunk.type {
      case "PLTE": try colors.readPalette(chunk)
      case "tRNS": try colors.readTransparency(chunk)
      default: try chunk.checkIsOptional()
      }
      chunk = try chunks.next()
    }
    if header.color == .palette, colors.palette.isEmpty {
      throw chunk.refuse("a palette (PLTE) has to come before it")
    }
    var parts: [ArraySlice<UInt8>] = []
    while chunk.type == "IDAT" {
      parts.append(chunk.data)
      chunk = try chunks.next()
    }
    while chunk.type != "IEND" {
      if ["IDAT", "PLTE", "tRNS", "IHDR"].contains(chunk.type) {
        throw chunk.refuse("it has no place behind the picture")
      }
      try chunk.checkIsOptional()
      chunk = try chunks.next()
    }
    try self.init(
      width: header.width, height: header.height,
      pixels: try Self.pixels(header, colors, parts))
  }

  private static func pixels(
    _ header: PNGHeader, _ colors: PNGColors, _ parts: [ArraySlice<UInt8>]
  ) throws(FormatError) -> [UInt8] {
    let passes = PNGPass.all(of: header)
    let needed = passes.reduce(0) { $0 + $1.height * (1 + $1.bytesPerRow(header)) }
    let given = parts.reduce(0) { $0 + $1.count }
    // Deflate makes at most 1032 bytes of one.
    if needed > given * 1032 {
      throw FormatError(
        "PNG",
        "\(header.width) × \(header.height) pixels need \(needed) bytes, and its \(given) bytes of IDAT cannot"
          + " hold so many; the file is cut off or made up: get it again")
    }
    var stream = try ZlibReader(PieceList(parts), format: "PNG")
    var pixels = [UInt8](repeating: 0, count: header.width * header.height * 3)
    let step = max(1, header.bitsPerPixel / 8)
    for pass in passes {
      let stride = pass.bytesPerRow(header)
      // One pixel of zeros before each row, so that filters need no border.
      var row = [UInt8](repeating: 0, count: step + stride)
      var above = row
      for y in 0..<pass.height {
        let filter = try stream.row(into: &row, from: step)
        guard PNGFilter.undo(filter, &row, above, step: step) else {
          throw FormatError(
            "PNG",
            "row \(pass.firstRow + y * pass.rowStep) states filter \(filter), accepted: 0 to 4")
        }
        try colors.convert(row, from: step, pass, y, into: &pixels)
        swap(&row, &above)
      }
    }
    try stream.finish()
    return pixels
  }
}

extension ZlibReader {
  /// A row's filter, and its bytes behind the first few of an array.
  fileprivate mutating func row(into row: inout [UInt8], from start: Int) throws(FormatError)
    -> UInt8
  {
    var filter: UInt8 = 0
    var failure: FormatError?
    withUnsafeMutablePointer(to: &filter) { pointer in
      do throws(FormatError) {
        try read(into: UnsafeMutableBufferPointer(start: pointer, count: 1))
      } catch { failure = error }
    }
    if let failure { throw failure }
    row.withUnsafeMutableBufferPointer { buffer in
      do throws(FormatError) {
        try read(into: UnsafeMutableBufferPointer(rebasing: buffer[start...]))
      } catch { failure = error }
    }
    if let failure { throw failure }
    return filter
  }
}

/// Pieces that lie apart, one after the other.
private struct PieceList: ByteSource {
  private var rest: ArraySlice<ArraySlice<UInt8>>

  init(_ pieces: [ArraySlice<UInt8>]) { rest = pieces.filter { !$0.isEmpty }[...] }

  mutating func piece() -> ArraySlice<UInt8> { rest.popFirst() ?? [] }
}

/// The pixels of one pass: all of them, or those of one of Adam7's seven.
struct PNGPass {
  var firstRow = 0
  var rowStep = 1
  var firstColumn = 0
  var columnStep = 1
  var width: Int
  var height: Int

  func bytesPerRow(_ header: PNGHeader) -> Int { (width * header.bitsPerPixel + 7) / 8 }

  static func all(of header: PNGHeader) -> [PNGPass] {
    if !header.isInterlaced { return [PNGPass(width: header.width, height: header.height)] }
    let adam7 = [
      (0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2),
      (1, 2, 0, 1),
    ]
    return adam7.map { firstRow, rowStep, firstColumn, columnStep in
      PNGPass(
        firstRow: firstRow, rowStep: rowStep, firstColumn: firstColumn, columnStep: columnStep,
        width: (header.width - firstColumn + columnStep - 1) / columnStep,
        height: (header.height - firstRow + rowStep - 1) / rowStep)
    }.filter { $0.width > 0 && $0.height > 0 }
  }
}

enum PNGFilter {
  /// Makes a filtered row its pixels' bytes again; both rows begin with `step` zeros. `false` for a filter that
  /// there is not.
  static func undo(_ filter: UInt8, _ row: inout [UInt8], _ above: [UInt8], step: Int) -> Bool {
    let count = row.count
    row.withUnsafeMutableBufferPointer { row in
      above.withUnsafeBufferPointer { above in
        switch filter {
        case 1: for i in step..<count { row[i] &+= row[i - step] }
        case 2: for i in step..<count { row[i] &+= above[i] }
        case 3:
          for i in step..<count {
            row[i] &+= UInt8((Int(row[i - step]) + Int(above[i])) / 2)
          }
        case 4:
          for i in step..<count {
            row[i] &+= paeth(row[i - step], above[i], above[i - step])
          }
        default: break
        }
      }
    }
    return filter <= 4
  }

  /// Of left, above and upper left, the nearest to left + above − upper left (ISO 15948 §9.4).
  @inline(__always)
  private static func paeth(_ a: UInt8, _ b: UInt8, _ c: UInt8) -> UInt8 {
    let (left, up, corner) = (Int(a), Int(b), Int(c))
    let (pa, pb, pc) = (abs(up - corner), abs(left - corner), abs(left + up - 2 * corner))
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
  }
}

/// A file's chunks in turn, each with its sum checked.
struct PNGChunks {
  struct Chunk {
    var type: String
    var data: ArraySlice<UInt8>
    /// In the file.
    var place: Int

    func refuse(_ message: String) -> FormatError {
      FormatError("PNG", "chunk \(type) at byte \(place): \(message)")
    }

    /// A chunk that is not known may be passed over when its name says so (ISO 15948 §5.4).
    func checkIsOptional() throws(FormatError) {
      if type.utf8.first.map({ $0 & 0x20 == 0 }) ?? true {
        throw refuse(
          "it is critical, and not known or not here; write the picture again as a plain PNG")
      }
    }
  }

  private let bytes: [UInt8]
  private var place = 8

  init(_ data: Data) throws(FormatError) {
    bytes = [UInt8](data)
    guard bytes.starts(with: PNGImage.signature) else {
      let found = ForeignFormat(data).map { "; it is \($0.description)" } ?? ""
      throw FormatError("PNG", "it does not begin with a PNG's signature\(found)")
    }
  }

  mutating func next() throws(FormatError) -> Chunk {
    guard place + 12 <= bytes.count else { throw cut("a chunk") }
    let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    let name = bytes[place + 4..<place + 8]
    guard name.allSatisfy({ (65...90).contains($0 & 0xDF) && $0 < 128 }) else {
      throw FormatError(
        "PNG", "byte \(place + 4): the name of a chunk is no four letters; the file is damaged")
    }
    let type = String(decoding: name, as: UTF8.self)
    guard length <= bytes.count - place - 12 else { throw cut("chunk \(type) of \(length) bytes") }
    let end = place + 8 + length
    let chunk = Chunk(type: type, data: bytes[place + 8..<end], place: place)
    var sum = CRC32()
    sum.update(bytes[place + 4..<end])
    let stated = bytes[end..<end + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard sum.value == stated else {
      throw chunk.refuse("it has another sum than it states; the file is damaged: copy it again")
    }
    place = end + 4
    return chunk
  }

  private func cut(_ what: String) -> FormatError {
    FormatError(
      "PNG",
      "\(what) at byte \(place) is not whole, the file ends at \(bytes.count); it is cut off: copy it again"
    )
  }
}
