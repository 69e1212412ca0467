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
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    // 8 bits a channel, RGB, deflate, adaptive filters, not interlaced.
    chunk("IHDR", number(width) + number(height) + [8, 2, 0, 0, 0], into: &file)
    chunk("IDAT", Deflate.zlib(filtered()), into: &file)
    chunk("IEND", [], into: &file)
    return Data(file)
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

  private func number(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private func chunk(_ type: String, _ data: [UInt8], into file: inout [UInt8]) {
    let body = Array(type.utf8) + data
    var sum = CRC32()
    sum.update(body)
    file += number(data.count)
    file += body
    file += number(Int(sum.value))
  }
}
