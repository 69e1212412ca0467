import Foundation

/// An 8-bit RGB picture and its PNG file (ISO 15948).
package struct PNGImage: Sendable, Equatable {
  package let width: Int
  package let height: Int
  /// Rows from the top, R, G, B.
  package let pixels: [UInt8]

  package init(width: Int, height: Int, pixels: [UInt8]) throws(FormatError) {
    guard width > 0, height > 0, width <= 1 << 20, height <= 1 << 20,
      product([width, height, 3]) == pixels.count
    else {
      throw FormatError("PNG", "\(width) × \(height) × 3 does not hold \(pixels.count) bytes")
    }
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  package func pngData() -> Data {
    var file = Self.signature
    // 8 bits a channel, RGB, deflate, adaptive filters, not interlaced.
    file += Self.chunk("IHDR", Self.number(width) + Self.number(height) + [8, 2, 0, 0, 0])
    file += Self.chunk("IDAT", Deflate.zlib(filtered()))
    file += Self.chunk("IEND", [])
    return Data(file)
  }

  /// Any PNG file with texts behind its header, by keyword: what it is of, for whoever finds it alone.
  /// Its other bytes stay as they are.
  ///
  /// - Throws: for a file that does not begin as a PNG does.
  package static func adding(_ texts: [(keyword: String, text: String)], to file: Data)
    throws(FormatError) -> Data
  {
    let header = 8 + 4 + 4 + 13 + 4
    let bytes = [UInt8](file.prefix(header))
    guard bytes.count == header, bytes.starts(with: signature),
      bytes[8..<16].elementsEqual(number(13) + Array("IHDR".utf8))
    else { throw FormatError("PNG", "it does not begin with a PNG's signature and header") }
    let chunks = texts.flatMap { keyword, text in
      // International text: neither compressed nor of a language.
      chunk("iTXt", Array(keyword.utf8) + [0, 0, 0, 0, 0] + Array(Escape.line(text).utf8))
    }
    return Data(bytes + chunks) + file.dropFirst(header)
  }

  /// Each row as the difference to the row above, which makes enlarged pixels nearly free.
  private func filtered() -> [UInt8] {
    let stride = width * 3
    var result: [UInt8] = []
    result.reserveCapacity((stride + 1) * height)
    for row in 0..<height {
      result.append(2)
      for i in row * stride..<(row + 1) * stride {
        result.append(row == 0 ? pixels[i] : pixels[i] &- pixels[i - stride])
      }
    }
    return result
  }

  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  private static func number(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    var sum = CRC32()
    sum.update(body)
    return number(data.count) + body + number(Int(sum.value))
  }
}
